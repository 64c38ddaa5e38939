/** One WebRTC session over WHIP or WHEP: offer and answer, candidates, ICE restart, end. */

import { applyFragment, iceServers, links, withOpus, writeFragment } from "./sdp.js";

const FRAGMENT = "application/trickle-ice-sdpfrag";
const GATHER_MS = 100;
const EXTENSION = "urn:ietf:params:whep:ext:core:";

/** The server could not be reached at all. */
export class Unreachable extends Error {}

/**
 * The server refused. `kind` ends the problem's type, its words are in `title` and `message`; `retryAfterMs` is set if the
 * server named a time.
 */
export class Refused extends Error {
  constructor(status, { type = "", title, detail = "" }, retryAfterMs) {
    super(detail);
    Object.assign(this, { status, kind: type.split(":").pop(), title, retryAfterMs });
  }
}

export class Session {
  #etag;
  #authorization;
  #links;
  #opus;
  #candidates = [];
  #timer;
  /** Settles when no change of the descriptions is under way: they follow one another. */
  #settled = Promise.resolve();

  /**
   * Offers what `pc` has to the endpoint at `url` and takes the answer; `token` (if not null) goes with every request.
   * `opus` holds the parameters of Opus for the `offer` and the `answer`. Raises Unreachable or Refused.
   */
  static async open(url, pc, token, opus, signal) {
    const offer = await createOffer(pc, opus);
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const headers = { "Content-Type": "application/sdp", ...authorization };
    const response = await request(url, { method: "POST", headers, body: offer.sdp, signal });
    const location = new URL(response.headers.get("Location"), response.url);
    const found = links(response.headers.get("Link"));
    const session = new Session(pc, location, response.headers.get("ETag"), authorization, found);
    session.#opus = opus;
    try {
      const servers = iceServers(found);
      if (servers.length) pc.setConfiguration({ ...pc.getConfiguration(), iceServers: servers });
      // Only now, so that gathering knows the servers. The candidates follow the offer by PATCH.
      await pc.setLocalDescription(offer);
      await session.#take(await response.text());
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  constructor(pc, url, etag, authorization, found) {
    this.pc = pc;
    this.url = url;
    this.#etag = etag;
    this.#authorization = authorization;
    this.#links = found;
    pc.addEventListener("icecandidate", ({ candidate }) => {
      // Null ends the candidates; so does an empty one, of each transport, which says nothing more.
      if (candidate?.candidate === "") return;
      this.#candidates.push(candidate?.candidate ?? null);
      this.#sendSoon();
    });
  }

  /** Finds a new path and keeps everything else. Raises as `open` does: Refused when the session is no more. */
  restartIce(signal) {
    return this.#inTurn(() => this.#restartIce(signal));
  }

  async #restartIce(signal) {
    const offer = await createOffer(this.pc, this.#opus, { iceRestart: true });
    this.#etag = null;
    const headers = { "Content-Type": FRAGMENT, "If-Match": "*", ...this.#authorization };
    const response = await request(this.url, { method: "PATCH", headers, body: writeFragment(offer.sdp, []), signal });
    this.#candidates = [];
    await this.pc.setLocalDescription(offer);
    const answer = applyFragment(this.pc.currentRemoteDescription.sdp, await response.text());
    await this.#take(answer);
    this.#etag = response.headers.get("ETag");
    this.#sendSoon();
  }

  /** Changes the parameters of Opus. The server forwards any Opus, so this needs no request. */
  changeOpus(opus) {
    return this.#inTurn(async () => {
      if (JSON.stringify(opus) === JSON.stringify(this.#opus)) return;
      this.#opus = opus;
      await this.pc.setLocalDescription(await createOffer(this.pc, opus));
      await this.#take(this.pc.currentRemoteDescription.sdp);
    });
  }

  /** Whether the server has that extension of WHEP for this session. */
  has(extension) {
    return this.#links.some(({ rel }) => rel === EXTENSION + extension);
  }

  /** Posts JSON to an extension; gives the response. Raises as `open` does. */
  post(extension, value) {
    const { url } = this.#links.find(({ rel }) => rel === EXTENSION + extension);
    const headers = { "Content-Type": "application/json", ...this.#authorization };
    return request(new URL(url, this.url), { method: "POST", headers, body: JSON.stringify(value) });
  }

  /** Ends the session here and at the server, which is told even if the page is on its way out. */
  close() {
    clearTimeout(this.#timer);
    this.#etag = null;
    this.pc.close();
    fetch(this.url, { method: "DELETE", headers: this.#authorization, keepalive: true }).catch(() => {});
  }

  #inTurn(change) {
    const turn = this.#settled.then(change);
    this.#settled = turn.catch(() => {});
    return turn;
  }

  #take(sdp) {
    return this.pc.setRemoteDescription({ type: "answer", sdp: withOpus(sdp, this.#opus.answer) });
  }

  /** Candidates come in bursts: one request for each burst. */
  #sendSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#sendCandidates(), GATHER_MS);
  }

  async #sendCandidates() {
    if (!this.#etag || this.#candidates.length === 0) return;
    const body = writeFragment(this.pc.localDescription.sdp, this.#candidates.splice(0));
    const headers = { "Content-Type": FRAGMENT, "If-Match": this.#etag, ...this.#authorization };
    // A server that sees our checks come in can do without, so a failure here is not the end.
    await request(this.url, { method: "PATCH", headers, body }).catch((error) => console.warn("Trickle ICE:", error));
  }
}

async function createOffer(pc, opus, options) {
  const { type, sdp } = await pc.createOffer(options);
  return { type, sdp: withOpus(sdp, opus.offer) };
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { cache: "no-store", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable(error.message);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const retryAfterMs = Number(response.headers.get("Retry-After")) * 1000 || undefined;
  throw new Refused(response.status, { title: response.statusText, ...problem }, retryAfterMs);
}
