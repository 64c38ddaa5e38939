// The publisher's camera and microphone: a barcode of the wall clock at 30 frames/s, and a tone, or a flash and a beep
// at the same instant once a second.

import { draw } from "./barcode.js";

const FRAME_MS = 1000 / 30;
const BEEP_S = 0.15;
const BEEP_HZ = 1000;

/**
 * Starts drawing and sounding; returns the MediaStream. `sound` is a frequency in Hz for a steady tone, "beeps" for a
 * flash and a beep every second, or null for a picture only. `noise` fills the lowest row, so that the encoder uses all
 * the bits that it may.
 */
export async function synthesise({ width = 320, height = 240, sound = 440, noise = false } = {}) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const stream = canvas.captureStream(0);
  const picture = stream.getVideoTracks()[0];
  const still = picture.requestFrame ? picture : stream; // Firefox has an older draft's requestFrame
  const microphone = sound === null ? null : await openMicrophone(sound);
  const beeping = sound === "beeps";

  const snow = noise ? makeSnow(2 * width, Math.floor(height / 6)) : null;
  let second = Math.floor(Date.now() / 1000);
  let flashEnd = 0;
  setInterval(() => {
    const now = Date.now();
    if (beeping && Math.floor(now / 1000) !== second) {
      second = Math.floor(now / 1000);
      flashEnd = now + BEEP_S * 1000;
      microphone.beep();
    }
    draw(context, width, height, now, now < flashEnd);
    if (noise) context.drawImage(snow, -Math.random() * width, height - snow.height);
    still.requestFrame();
  }, FRAME_MS);
  return new MediaStream(microphone ? [microphone.track, picture] : [picture]);
}

function makeSnow(width, height) {
  const pixels = new Uint32Array(width * height).map(() => 0xff000000 | (Math.random() * 0x1000000));
  const snow = new OffscreenCanvas(width, height);
  snow.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width), 0, 0);
  return snow;
}

async function openMicrophone(sound) {
  if (sound === "microphone") {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return { track: stream.getAudioTracks()[0] };
  }
  const audio = new AudioContext({ sampleRate: 48000 });
  await audio.resume();
  const oscillator = new OscillatorNode(audio, { frequency: sound === "beeps" ? BEEP_HZ : sound });
  const volume = new GainNode(audio, { gain: sound === "beeps" ? 0 : 0.5 });
  const destination = audio.createMediaStreamDestination();
  oscillator.connect(volume).connect(destination);
  oscillator.start();
  const beep = () => {
    volume.gain.setValueAtTime(0.5, audio.currentTime);
    volume.gain.setValueAtTime(0, audio.currentTime + BEEP_S);
  };
  return { track: destination.stream.getAudioTracks()[0], beep };
}
