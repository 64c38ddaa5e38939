/** Shows how loud a stream is, on an element with role "meter". */

const PERIOD_MS = 66;
/** Silence, for our purpose: decibels below full scale. */
const FLOOR_DB = -60;

export class LevelMeter {
  #element;
  #context = null;
  #timer;

  constructor(element) {
    this.#element = element;
  }

  /** Measures `stream` from now on; null for nothing. */
  attach(stream) {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = null;
    this.#show(0);
    if (!stream?.getAudioTracks().length) return;
    this.#context = new AudioContext();
    const analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#show(level(samples));
    }, PERIOD_MS);
  }

  #show(fraction) {
    this.#element.style.setProperty("--level", fraction.toFixed(3));
    this.#element.setAttribute("aria-valuenow", String(Math.round(fraction * 100)));
  }
}

/** 0 for silence to 1 for the loudest, as the ear counts. */
function level(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(power + 1e-12);
  return Math.min(Math.max(1 - decibels / FLOOR_DB, 0), 1);
}
