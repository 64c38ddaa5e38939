/** The sizes that a publisher sends at once, and the choice of one of them (WHEP's layer and event extensions). */

/**
 * `encodings` are the sizes there are, largest first: { id, width, height }, sizes of 0 where they are not known. `wish`
 * is the id of the one chosen, null for the largest; it is kept over reconnections. `current` is the one that flows.
 * Event: "change".
 */
export class LayerChoice extends EventTarget {
  encodings = [];
  current = null;
  wish = null;
  #session = null;
  #events = null;

  /** Goes with this session from now on; null for none. */
  async attach(session) {
    if (session === this.#session) return;
    this.#session = session;
    this.#events?.close();
    this.#events = null;
    if (!session?.has("server-sent-events") || !session.has("layer")) return;
    try {
      if (this.wish !== null) await this.#send();
      const created = await session.post("server-sent-events", ["layers"]);
      // Another session may have come while we waited.
      if (session !== this.#session) return;
      this.#events = new EventSource(new URL(created.headers.get("Location"), session.url));
      this.#events.addEventListener("layers", ({ data }) => this.#show(JSON.parse(data)));
    } catch (error) {
      console.warn("Layers:", error); // there is a picture all the same
    }
  }

  /** Asks for the encoding of that id, null for the largest. Raises as `Session.open` does. */
  async choose(id) {
    const before = this.wish;
    this.wish = id;
    try {
      await this.#send();
    } catch (error) {
      this.wish = before;
      throw error;
    }
  }

  async #send() {
    await this.#session?.post("layer", this.wish === null ? {} : { encodingId: this.wish });
  }

  /** There is one picture in the session, so there is one medium with layers. */
  #show(media) {
    const [medium] = Object.values(media);
    const { active = [], current = {} } = medium ?? {};
    this.encodings = active
      .map(({ id, width = 0, height = 0 }) => ({ id, width, height }))
      .sort((a, b) => b.height - a.height);
    this.current = current.encodingId ?? null;
    this.dispatchEvent(new Event("change"));
  }
}
