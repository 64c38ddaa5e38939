/** Where pictures and sound come from: a camera, the screen or a test card, each as a stream and what ends it. */

export { openTestCard } from "./testcard.js";

/** The page's origin may not use cameras: they need HTTPS, or the machine itself. */
export class Insecure extends Error {}

/** Neither a camera nor a microphone is chosen. */
export class NothingChosen extends Error {}

/** The choice of a device that stands for none. */
export const NONE = "none";

const FRAME_RATE = { ideal: 30 };

/** The devices there are; without labels until one has been allowed. */
export async function listDevices() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const ofKind = (kind) => devices.filter((device) => device.kind === kind);
  return { cameras: ofKind("videoinput"), microphones: ofKind("audioinput") };
}

/** Whether the camera may be opened without asking. */
export async function isCameraAllowed() {
  const { cameras } = await listDevices();
  return cameras.some(({ label }) => label !== "");
}

/** A camera of about `height` lines and a microphone: device ids, "" for the browser's choice, or NONE. */
export async function openCamera({ camera, microphone, height }) {
  requireDevices();
  const { microphones } = await listDevices();
  const size = { height: { ideal: height }, width: { ideal: (height * 16) / 9 }, frameRate: FRAME_RATE };
  const video = camera !== NONE && { ...exactly(camera), ...size };
  const audio = microphone !== NONE && microphones.length > 0 && sound(microphone);
  if (!video && !audio) throw new NothingChosen();
  return whole(await navigator.mediaDevices.getUserMedia({ video, audio }));
}

/** A screen, window or tab, with its sound where the browser has it, and a microphone on top. */
export async function openScreen({ microphone }) {
  requireDevices();
  const wanted = { video: { frameRate: FRAME_RATE }, audio: true };
  const screen = whole(await navigator.mediaDevices.getDisplayMedia(wanted));
  const { microphones } = await listDevices();
  if (microphone === NONE || microphones.length === 0) return screen;
  try {
    const voice = whole(await navigator.mediaDevices.getUserMedia({ audio: sound(microphone) }));
    return mix(screen, voice);
  } catch (error) {
    screen.stop();
    throw error;
  }
}

/** Both sounds with the pictures of the first. */
function mix(screen, voice) {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  for (const { stream } of [screen, voice]) {
    if (stream.getAudioTracks().length) context.createMediaStreamSource(stream).connect(output);
  }
  return {
    stream: new MediaStream([...screen.stream.getVideoTracks(), ...output.stream.getAudioTracks()]),
    stop() {
      screen.stop();
      voice.stop();
      context.close();
    },
  };
}

function whole(stream) {
  return { stream, stop: () => stream.getTracks().forEach((track) => track.stop()) };
}

/** In two channels, where the microphone has them and the browser's echo cancellation leaves them. */
function sound(microphone) {
  return { ...exactly(microphone), channelCount: { ideal: 2 } };
}

function exactly(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}

function requireDevices() {
  if (!navigator.mediaDevices) throw new Insecure();
}
