/** Shows statistics: a few tiles and a graph for everybody, and facts for those who look closer. */

import { StatsReader } from "./stats.js";

const PERIOD_MS = 1000;
const HISTORY = 60;
const SVG = "http://www.w3.org/2000/svg";

/** Fills `element` each second with the statistics of the connection that it is given. Event: "reading". */
export class StatsView extends EventTarget {
  #element;
  #reader = null;
  #history = [];
  #timer;

  constructor(element) {
    super();
    this.#element = element;
    const details = document.createElement("details");
    details.append(make("summary", "", "Details"), make("table", "facts"));
    element.replaceChildren(make("dl", "tiles"), graph(), details);
    this.#show({ streams: [], rttMs: null, bitrateBps: null, loss: null, path: null });
  }

  /** Reads `pc` from now on; null for nothing. */
  attach(pc) {
    clearInterval(this.#timer);
    this.#history = [];
    this.#reader = pc && new StatsReader(pc);
    if (!pc) return;
    this.#timer = setInterval(() => this.#read(), PERIOD_MS);
    this.#read();
  }

  async #read() {
    const reader = this.#reader;
    const reading = await reader.read();
    // Another connection may have come while we waited.
    if (reader !== this.#reader) return;
    this.#show(reading);
    this.dispatchEvent(new CustomEvent("reading", { detail: reading }));
  }

  #show(reading) {
    const best = reading.streams
      .filter(({ kind, active, height }) => kind === "video" && active && height)
      .sort((a, b) => b.height - a.height)[0];
    this.#element.querySelector(".tiles").replaceChildren(
      tile("Bit rate", bitrate(reading.bitrateBps)),
      tile("Packet loss", reading.loss === null ? "–" : `${(100 * reading.loss).toFixed(1)} %`),
      tile("Round trip", milliseconds(reading.rttMs)),
      tile("Picture", best ? `${best.width} × ${best.height}` : "–"),
      tile("Frames", best ? `${Math.round(best.fps ?? 0)} per s` : "–"),
      tile("Codec", best?.codec ?? "–"),
    );
    if (reading.bitrateBps !== null) this.#history = [...this.#history, reading.bitrateBps].slice(-HISTORY);
    drawGraph(this.#element.querySelector(".graph"), this.#history);
    const path = reading.path ? [["Path", reading.path]] : [];
    const facts = [...reading.streams.map(describe), path].filter((group) => group.length).flatMap(factRows);
    this.#element.querySelector(".facts").replaceChildren(...facts);
  }
}

/** What there is to say of one stream, as [name, value] pairs; the first is the headline. */
function describe(stream) {
  const name = stream.kind === "audio" ? "Sound" : `Picture${stream.rid ? ` ${stream.rid}` : ""}`;
  const facts = [[name, stream.active ? [stream.codec, bitrate(stream.bitrateBps)].filter(Boolean).join(", ") : "off"]];
  const add = (label, value) => value && facts.push([label, value]);
  add("Size", stream.height && `${stream.width} × ${stream.height}, ${Math.round(stream.fps ?? 0)} fps`);
  add("Frames", stream.frames && `${stream.frames}${stream.dropped ? `, ${stream.dropped} dropped` : ""}`);
  add("Freezes", stream.freezes);
  add("Jitter buffer", stream.bufferMs && milliseconds(stream.bufferMs));
  add("Jitter", stream.jitterMs && milliseconds(stream.jitterMs));
  add("Held back by", { cpu: "processor", bandwidth: "network" }[stream.limitedBy]);
  return facts;
}

function bitrate(bps) {
  if (bps === null) return "–";
  return bps < 1e6 ? `${Math.round(bps / 1000)} kbit/s` : `${(bps / 1e6).toFixed(1)} Mbit/s`;
}

function milliseconds(ms) {
  return ms === null ? "–" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function graph() {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { class: "graph", viewBox: `0 0 ${HISTORY - 1} 20`, preserveAspectRatio: "none", role: "img" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  svg.setAttribute("aria-label", "Bit rate over the last minute");
  for (const name of ["area", "line"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}

/** The newest value at the right, the highest near the top. */
function drawGraph(svg, values) {
  const top = Math.max(...values, 1) * 1.15;
  const start = HISTORY - values.length;
  const points = values.map((value, index) => `${start + index},${(20 - (20 * value) / top).toFixed(2)}`).join(" ");
  svg.querySelector(".line").setAttribute("d", points && `M${points}`);
  svg.querySelector(".area").setAttribute("d", points && `M${start},20 ${points} ${HISTORY - 1},20Z`);
}

function tile(name, value) {
  const element = make("div", "tile");
  element.append(make("dt", "", name), make("dd", "", value));
  return element;
}

function factRows(facts) {
  return facts.map(([name, value], index) => {
    const row = make("tr", index === 0 ? "main" : "more");
    row.classList.toggle("last", index === facts.length - 1);
    const head = make("th", "", name);
    head.scope = "row";
    row.append(head, make("td", "", value));
    return row;
  });
}

function make(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
