// The viewer's eyes and ears: what was shown when, and what was heard when, on the wall clock in ms.

import { Reader } from "./barcode.js";

const AUDIBLE = 0.05; // of full scale
const SILENCE_S = 0.3; // a sound after this much silence is a beep

/** The wall clock at `time` of the performance clock, both in ms. */
const wall = (time) => Date.now() - performance.now() + time;

export class Sink {
  constructor() {
    this.video = document.createElement("video");
    Object.assign(this.video, { autoplay: true, playsInline: true, srcObject: new MediaStream() });
    document.body.append(this.video);
    this.reader = new Reader();
    this.firstShown = null;
    this.flashing = false;
    this.silentSamples = Infinity;
    this.drain();
    this.#look();
  }

  add(track) {
    this.video.srcObject.addTrack(track);
    if (track.kind === "audio" && "MediaStreamTrackProcessor" in window) this.#listen(track); // not in Firefox
  }

  /**
   * Returns what was seen and heard since the last call: frames [{stamp, shown, width, height}] (stamp null where it
   * could not be read), flashes and beeps (their onsets), sound {seconds, audible (seconds), cycles (while audible)}.
   */
  drain() {
    const seen = this.seen;
    this.seen = { frames: [], flashes: [], beeps: [], sound: { seconds: 0, audible: 0, cycles: 0 } };
    return seen;
  }

  #look() {
    this.video.requestVideoFrameCallback((_, metadata) => {
      const shown = wall(metadata.expectedDisplayTime);
      const { stamp, flash } = this.reader.read(this.video);
      this.firstShown ??= shown;
      this.seen.frames.push({ stamp, shown, width: metadata.width, height: metadata.height });
      if (flash && !this.flashing) this.seen.flashes.push(shown);
      this.flashing = flash;
      this.#look();
    });
  }

  async #listen(track) {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      this.#hear(samples, value.sampleRate, wall(value.timestamp / 1000));
      value.close();
    }
  }

  #hear(samples, rate, start) {
    let [previous, cycles, audible] = [this.lastSample ?? 0, 0, false];
    samples.forEach((sample, i) => {
      if (previous < 0 && sample >= 0) cycles++;
      previous = sample;
      if (Math.abs(sample) <= AUDIBLE) {
        this.silentSamples++;
        return;
      }
      if (this.silentSamples > SILENCE_S * rate) this.seen.beeps.push(start + (i * 1000) / rate);
      this.silentSamples = 0;
      audible = true;
    });
    this.lastSample = previous;
    const { sound } = this.seen;
    sound.seconds += samples.length / rate;
    if (!audible) return;
    sound.audible += samples.length / rate;
    sound.cycles += cycles;
  }
}
