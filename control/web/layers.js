/** The layers that a publisher sends at once, and the choice of some of them (WHEP's layer and event extensions). */

/**
 * `sizes` are the pictures there are, largest first: { layer, width, height }, sizes of 0 where they are not known; `layer`
 * has the members that choose it. `rates` counts the temporal layers: 1 where there is nothing to choose.
 * `preferred` has the members of the chosen layers, none for the highest; it is kept over reconnections. Event: "change".
 */
export class LayerChoice extends EventTarget {
  sizes = [];
  rates = 1;
  preferred = {};
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
      if (Object.keys(this.preferred).length) await this.#send().catch((error) => console.warn("Layers:", error));
      const created = await session.post("server-sent-events", ["layers"]);
      // Another session may have come while we waited.
      if (session !== this.#session) return;
      this.#events = new EventSource(new URL(created.headers.get("Location"), session.url));
      this.#events.addEventListener("layers", ({ data }) => this.#show(JSON.parse(data)));
    } catch (error) {
      console.warn("Layers:", error); // there is a picture all the same
    }
  }

  /** Asks for these layers. Raises as `Session.open` does. */
  async choose(preferred) {
    const before = this.preferred;
    this.preferred = preferred;
    try {
      await this.#send();
    } catch (error) {
      this.preferred = before;
      throw error;
    }
  }

  async #send() {
    await this.#session?.post("layer", this.preferred);
  }

  /** There is one picture in the session, so there is one medium with layers. */
  #show(media) {
    const [medium] = Object.values(media);
    const { active = [], layers = [] } = medium ?? {};
    this.rates = 1 + Math.max(0, ...layers.map(({ temporalLayerId = 0 }) => temporalLayerId));
    this.sizes = layers
      .filter(({ temporalLayerId = 0 }) => temporalLayerId === 0)
      .map(({ width = 0, height = 0, ...ids }) => ({ layer: chooses(ids, active.length), width, height }))
      .reverse()
      .sort((a, b) => b.height - a.height);
    this.dispatchEvent(new Event("change"));
  }
}

/** The members that choose a size. A single encoding is not named, so that the choice also applies to later publishers. */
function chooses({ encodingId, spatialLayerId }, encodings) {
  return {
    ...(encodings > 1 && { encodingId }),
    ...(spatialLayerId !== undefined && { spatialLayerId }),
  };
}
