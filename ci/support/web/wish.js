// A WHIP and WHEP client (RFC 9725, draft-ietf-wish-whep) in its plainest form: one POST, then PATCH and DELETE.

const FRAGMENT = "application/trickle-ice-sdpfrag";

export class HttpError extends Error {}

/** One resource on the server and the RTCPeerConnection that belongs to it. */
export class Session {
  constructor(peer, url, etag) {
    Object.assign(this, { peer, url, etag });
  }

  /** Offers what `peer` has been given and applies the answer; HttpError where the server refuses. */
  static async open(url, peer) {
    await peer.setLocalDescription();
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    if (response.status !== 201) throw new HttpError(`${response.status} ${await response.text()}`);
    const location = new URL(response.headers.get("Location"), response.url).href;
    const session = new Session(peer, location, response.headers.get("ETag"));
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    return session;
  }

  /** Sends candidates (RTCIceCandidate[], one medium's) to the server; returns the HTTP status. */
  async trickle(candidates, etag = this.etag) {
    const lines = candidates.map((candidate) => `a=${candidate.candidate}`);
    const response = await this.#patch(etag, this.#fragment([...lines, "a=end-of-candidates"]));
    return response.status;
  }

  /** Restarts ICE: new credentials both ways on the same DTLS and SRTP; returns the HTTP status. */
  async restartIce() {
    const answer = this.peer.remoteDescription.sdp;
    await this.peer.setLocalDescription(await this.peer.createOffer({ iceRestart: true }));
    const response = await this.#patch("*", this.#fragment([]));
    if (response.status !== 200) return response.status;
    this.etag = response.headers.get("ETag");
    const fragment = await response.text();
    const renewed = ["ice-ufrag", "ice-pwd"].reduce((sdp, name) => {
      const line = fragment.match(new RegExp(`^a=${name}:.*$`, "m"))[0].trim();
      return sdp.replace(new RegExp(`^a=${name}:.*$`, "gm"), line);
    }, answer.replace(/\r\n/g, "\n"));
    await this.peer.setRemoteDescription({ type: "answer", sdp: renewed.replace(/\n/g, "\r\n") });
    return response.status;
  }

  async close() {
    const response = await fetch(this.url, { method: "DELETE" });
    this.peer.close();
    return response.status;
  }

  #patch(etag, body) {
    return fetch(this.url, { method: "PATCH", headers: { "Content-Type": FRAGMENT, "If-Match": etag }, body });
  }

  /** An RFC 8840 fragment: our credentials, and `lines` under the first medium, which BUNDLE makes everyone's. */
  #fragment(lines) {
    const sdp = this.peer.localDescription.sdp;
    const line = (name) => sdp.match(new RegExp(`^a=${name}:.*$`, "m"))[0].trim();
    const medium = [sdp.match(/^m=.*$/m)[0].trim(), line("mid")];
    return [line("ice-ufrag"), line("ice-pwd"), ...medium, ...lines, ""].join("\r\n");
  }
}
