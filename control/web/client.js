/** WHIP and WHEP clients that keep their session alive: they wait, reconnect and restart ICE by themselves. */

import { LayerChoice } from "./layers.js";
import { Refused, Session, Unreachable } from "./session.js";

export { Refused, Unreachable };

const CONNECT_MS = 15_000;
const RESTART_MS = 8_000;
/** A short loss mends itself; beyond this it is worth doing something. */
const PATIENCE_MS = 3_000;
/** Of Opus, for music in two channels (RFC 7587 section 3.1.1); browsers take half of it unasked. */
const STEREO_BPS = 128_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];

/** The server answered, but no packet got through: most often UDP is blocked on the way. */
export class NoPath extends Error {}

/** There was a connection, and it could not be saved. */
export class Lost extends Error {}

/**
 * What the two clients share. `state` is one of: idle, connecting, waiting (nothing is published yet), connected,
 * reconnecting, retrying, failed. `error` says why when it is waiting, retrying or failed. Event: "state".
 */
class Client extends EventTarget {
  state = "idle";
  error = null;
  /** The RTCPeerConnection of the moment: a new one after each failure that an ICE restart could not mend. */
  pc = null;
  #url;
  #token;
  #session = null;
  #running = null;

  constructor(url, token = null) {
    super();
    this.#url = url;
    this.#token = token;
  }

  start() {
    if (this.#running) return;
    this.#running = new AbortController();
    this.#run(this.#running.signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    this.#drop();
    this.#enter("idle");
  }

  async #run(signal) {
    let failures = 0;
    while (!signal.aborted) {
      try {
        // Callers that wait go on waiting until it is over.
        if (!["waiting", "retrying"].includes(this.state)) this.#enter("connecting");
        await this.#connect(signal);
        failures = 0;
        await this.#stay(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#drop();
        if (isFinal(error)) {
          this.#running = null;
          this.#enter("failed", error);
          return;
        }
        this.#enter(error.status === 409 ? "waiting" : "retrying", error);
        const backoff = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
        await sleep(error.retryAfterMs ?? backoff, signal);
      }
    }
  }

  async #connect(signal) {
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.prepare(this.pc);
    const session = await Session.open(this.#url, this.pc, this.#token, this.opus(), signal);
    if (signal.aborted) {
      session.close();
      throw signal.reason;
    }
    this.#session = session;
    if (!(await settled(this.pc, isUp, CONNECT_MS, signal))) throw new NoPath("No connection came about.");
    this.attach(session);
    this.#enter("connected");
  }

  /** Holds on to the connection; raises Lost, or what the server says, when it cannot be held. */
  async #stay(signal) {
    for (;;) {
      await settled(this.pc, isDown, Infinity, signal);
      this.#enter("reconnecting");
      if (!(await settled(this.pc, isUp, PATIENCE_MS, signal))) {
        await this.#restart(signal);
        if (!(await settled(this.pc, isUp, RESTART_MS, signal))) throw new Lost("The connection was lost.");
      }
      this.#enter("connected");
    }
  }

  async #restart(signal) {
    try {
      await this.#session.restartIce(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Lost(error.message);
    }
  }

  /** For subclasses: another session has connected, null for none. */
  attach(_session) {}

  /** For subclasses: the parameters of Opus for the `offer` and the `answer` (RFC 7587 section 7). */
  opus() {
    return { offer: {}, answer: {} };
  }

  #drop() {
    this.attach(null);
    this.#session?.close();
    this.#session = null;
    this.pc?.close();
  }

  #enter(state, error = null) {
    if (state === this.state && error === this.error) return;
    Object.assign(this, { state, error });
    this.dispatchEvent(new Event("state"));
  }
}

/** Sends a stream: its pictures in `codec` (a MIME type, "" for the browser's choice), in several sizes if wanted. */
export class WhipClient extends Client {
  #stream;
  #codec;
  #simulcast;
  #session = null;

  constructor(url, stream, { codec = "", simulcast = false, token = null } = {}) {
    super(url, token);
    this.#stream = stream;
    this.#codec = codec;
    this.#simulcast = simulcast;
  }

  /** Sends other media from now on, without a break. */
  async replace(stream) {
    this.#stream = stream;
    const senders = this.pc?.getTransceivers() ?? [];
    await Promise.all(senders.map(({ sender, receiver }) => sender.replaceTrack(trackOf(stream, receiver.track.kind))));
    await this.#adjustSound();
  }

  attach(session) {
    this.#session = session;
    this.#adjustSound(); // the source may have changed while the session was opened
  }

  async #adjustSound() {
    await this.#session?.changeOpus(this.opus()).catch((error) => console.warn("Opus:", error));
  }

  /** Two channels if the source has two. With `stereo=1` a browser sends one channel twice. */
  opus() {
    const stereo = isStereo(this.#stream);
    const answer = { stereo: Number(stereo), maxaveragebitrate: stereo ? STEREO_BPS : null };
    return { offer: { "sprop-stereo": Number(stereo) }, answer };
  }

  prepare(pc) {
    // Both kinds are always offered, so that a source with other media can follow.
    const options = { direction: "sendonly", streams: [this.#stream] };
    pc.addTransceiver(trackOf(this.#stream, "audio") ?? "audio", options);
    const track = trackOf(this.#stream, "video");
    const sendEncodings = encodings(track?.getSettings().height ?? 720, this.#simulcast, this.#codec);
    const video = pc.addTransceiver(track ?? "video", { ...options, sendEncodings });
    const codecs = RTCRtpSender.getCapabilities("video").codecs;
    const wanted = codecs.filter(({ mimeType }) => mimeType === this.#codec);
    if (wanted.length) video.setCodecPreferences([...wanted, ...codecs.filter((codec) => !wanted.includes(codec))]);
  }
}

/** Receives into `stream`, which is another one after each reconnection. `layers` shows and chooses its sizes. */
export class WhepClient extends Client {
  stream = null;
  layers = new LayerChoice();

  attach(session) {
    this.layers.attach(session);
  }

  /** Chromium mixes the sound down to one channel unless its own offer has `stereo=1`. */
  opus() {
    return { offer: { stereo: 1 }, answer: {} };
  }

  prepare(pc) {
    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) {
      const transceiver = pc.addTransceiver(kind, { direction: "recvonly" });
      offerDescriptor(transceiver);
      stream.addTrack(transceiver.receiver.track);
    }
    this.stream = stream;
  }
}

/** Browsers do not offer the dependency descriptor unasked, and cannot tell the layers of AV1 apart without it. */
function offerDescriptor(transceiver) {
  const extensions = transceiver.getHeaderExtensionsToNegotiate?.() ?? [];
  const descriptor = extensions.find(({ uri }) => uri.endsWith("#dependency-descriptor-rtp-header-extension"));
  if (!descriptor) return;
  descriptor.direction = "sendrecv";
  transceiver.setHeaderExtensionsToNegotiate(extensions);
}

/** The sizes to send, smallest first: each is half as high as the next, and none is too small to be of use. */
function encodings(height, simulcast, codec) {
  if (!simulcast) return [{ maxBitrate: maxBitrate(height) }];
  // VP9 and AV1 send but one of several sizes unless told how each is to be made up.
  const layout = /vp9|av1/i.test(codec) ? { scalabilityMode: "L1T3" } : {};
  return [["q", 4], ["h", 2], ["f", 1]]
    .filter(([, scale]) => scale === 1 || height / scale >= 120)
    .map(([rid, scale]) => ({ rid, scaleResolutionDownBy: scale, maxBitrate: maxBitrate(height / scale), ...layout }));
}

/** Bits per second that a picture of so many lines can make good use of: 2 Mbit/s for 720. */
function maxBitrate(height) {
  return Math.min(4 * height * height, 6_000_000);
}

function isStereo(stream) {
  const track = trackOf(stream, "audio");
  // Not every browser tells the channels of every track; one that has two would lose one.
  return track !== null && (track.getSettings().channelCount ?? 2) > 1;
}

function trackOf(stream, kind) {
  return stream.getTracks().find((track) => track.kind === kind) ?? null;
}

/** What the same request would meet again. */
function isFinal(error) {
  if (error instanceof Refused) return error.status < 500 && ![404, 408, 409, 429].includes(error.status);
  return !(error instanceof Unreachable || error instanceof NoPath || error instanceof Lost);
}

const isUp = (pc) => pc.connectionState === "connected";
const isDown = (pc) => ["disconnected", "failed", "closed"].includes(pc.connectionState);

/** Whether `test` came true of the connection within `ms`. Raises when `signal` is aborted. */
function settled(pc, test, ms, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const done = new AbortController();
    const finish = (settle, value) => {
      done.abort();
      clearTimeout(timer);
      settle(value);
    };
    const timer = ms === Infinity ? 0 : setTimeout(() => finish(resolve, false), ms);
    const check = () => {
      if (test(pc)) finish(resolve, true);
    };
    pc.addEventListener("connectionstatechange", check, { signal: done.signal });
    signal.addEventListener("abort", () => finish(reject, signal.reason), { signal: done.signal });
    check();
  });
}

function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
