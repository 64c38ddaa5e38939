/** The watch page: shows a room's publisher, from whenever there is one. */

import { WhepClient } from "./client.js";
import { byId, query, relabel, room, setIcon, showStatus, token } from "./page.js";
import { StatsView } from "./statsview.js";
import { explainConnection } from "./words.js";

/** Without a new packet for so many readings (one a second) the publisher is taken to have paused. */
const SILENT_READINGS = 3;
const QUIET_MS = 3000;
/** With one temporal layer less each time. */
const RATES = ["Fewer pictures", "Fewest pictures", "Even fewer"];

const stage = byId("stage");
const video = byId("video");
const stats = new StatsView(byId("stats"));
const publisher = query.get("publisher");
const client = new WhepClient(`/whep/${room}${publisher ? `?publisher=${encodeURIComponent(publisher)}` : ""}`, token);

let silentReadings = 0;
let hasPicture = false;
/** The volume to go back to when sound is turned on again. */
let volume = 1;

window.fanwire = {
  client,
  get pc() { return client.pc; },
};

function onState() {
  const { state, error } = client;
  if (state === "connected" && video.srcObject !== client.stream) {
    hasPicture = false;
    silentReadings = 0;
    video.srcObject = client.stream;
    stats.attach(client.pc);
    play();
  }
  show(state, error);
}

/** Sound needs the visitor's leave in most browsers: without it, the picture comes first. */
async function play() {
  try {
    await video.play();
  } catch (error) {
    if (error.name !== "NotAllowedError") return;
    video.muted = true;
    await video.play().catch(() => {});
    byId("unmute").hidden = false;
  }
}

function show(state, error) {
  if (state === "waiting") {
    const who = publisher ? `“${publisher}” is not publishing yet` : "Nobody is publishing yet";
    cover(who, "This page starts by itself when someone does.", "Waiting", "busy");
  } else if (state === "failed") {
    const { title, advice } = explainConnection(error);
    cover(title, advice, "Failed", "bad");
  } else if (state === "retrying" && error) {
    const { title, advice } = explainConnection(error);
    cover(title, advice, "Trying again", "busy");
  } else if (state === "reconnecting") {
    showStatus("Reconnecting", "busy");
  } else if (state === "connected") {
    showConnected();
  } else {
    cover("Connecting", "", "Connecting", "busy");
  }
}

function showConnected() {
  if (silentReadings >= SILENT_READINGS) {
    const text = "This page goes on by itself when the picture is back.";
    cover("The publisher has paused or left", text, "Paused", "busy");
  } else if (hasPicture) {
    byId("cover").hidden = true;
    showStatus("Live", "good");
  } else {
    cover("Waiting for the picture", "", "Connected", "good");
  }
}

function cover(title, text, status, tone) {
  byId("cover").hidden = false;
  byId("cover-title").textContent = title;
  byId("cover-text").textContent = text;
  byId("spinner").hidden = tone === "bad";
  byId("again").hidden = tone !== "bad";
  showStatus(status, tone);
}

function onReading({ detail: { streams } }) {
  const grew = streams.some(({ bytes }) => bytes > 0);
  silentReadings = grew ? 0 : silentReadings + 1;
  if (client.state !== "connected") return;
  showConnected();
  // Sound without a picture is something to stay for, too.
  const hasSound = streams.some(({ kind, bytes }) => kind === "audio" && bytes > 0);
  if (hasSound && !hasPicture) byId("cover-title").textContent = "Sound only so far";
}

function setMuted(muted) {
  video.muted = muted;
  if (!muted && video.volume === 0) video.volume = volume || 1;
}

function onVolume() {
  const silent = video.muted || video.volume === 0;
  byId("volume").value = silent ? 0 : video.volume;
  relabel(byId("mute"), silent ? "Turn on sound" : "Mute", silent ? "Turn on sound (m)" : "Mute (m)");
  setIcon(byId("mute"), silent ? "sound-off" : "sound");
  if (!silent) {
    volume = video.volume;
    byId("unmute").hidden = true;
  }
}

function toggleMuted() {
  setMuted(!(video.muted || video.volume === 0));
}

function toggleFull() {
  if (document.fullscreenElement) return document.exitFullscreen();
  // The iPhone has full screen for the video alone.
  return stage.requestFullscreen ? stage.requestFullscreen() : video.webkitEnterFullscreen?.();
}

function onFull() {
  const full = document.fullscreenElement !== null;
  relabel(byId("full"), full ? "Leave full screen" : "Full screen", full ? "Leave full screen (f)" : "Full screen (f)");
  setIcon(byId("full"), full ? "full-exit" : "full");
}

function toggleStats() {
  const shown = byId("stats").hidden;
  byId("stats").hidden = !shown;
  byId("stats-toggle").setAttribute("aria-expanded", String(shown));
}

/** The menus of sizes and rates, each where there is more than one to choose from. */
function showLayers() {
  const { sizes, rates, preferred: { temporalLayerId, ...size } } = client.layers;
  showMenu("size", size, "Highest", sizes.map(({ layer, width, height }) => [
    layer, width ? `${width} × ${height}` : `Layer ${layer.encodingId ?? layer.spatialLayerId}`,
  ]));
  const rate = temporalLayerId === undefined ? {} : { temporalLayerId };
  showMenu("rate", rate, "Every picture", RATES.slice(0, rates - 1).map(
    (name, place) => [{ temporalLayerId: rates - 2 - place }, name],
  ));
}

/** Fills a menu with the highest and [preferred, name] of each other choice; `chosen` may be one that is gone. */
function showMenu(id, chosen, highest, choices) {
  const menu = byId(id);
  const known = [[{}, highest], ...choices].map(([preferred, name]) => [JSON.stringify(preferred), name]);
  const value = JSON.stringify(chosen);
  if (!known.some(([preferred]) => preferred === value)) known.push([value, "Chosen before (off)"]);
  // A menu that is open would close if it were filled anew.
  if (JSON.stringify(known) !== menu.dataset.choices) {
    menu.replaceChildren(...known.map(([preferred, name]) => new Option(name, preferred)));
    menu.dataset.choices = JSON.stringify(known);
  }
  menu.value = value;
  menu.hidden = known.length < (id === "rate" ? 2 : 3);
}

async function chooseLayers({ target }) {
  const preferred = { ...JSON.parse(byId("size").value), ...JSON.parse(byId("rate").value) };
  await client.layers.choose(preferred).catch((error) => console.warn("Layers:", error));
  target.blur(); // whoever has chosen is done with the controls
  showLayers();
}

let quietTimer;

/** Hides the controls while nobody reaches for them. */
function wake() {
  stage.classList.remove("quiet");
  clearTimeout(quietTimer);
  quietTimer = setTimeout(() => {
    const inUse = stage.querySelector(".player :focus-visible, .player select:focus") || !byId("cover").hidden;
    stage.classList.toggle("quiet", !inUse);
  }, QUIET_MS);
}

const KEYS = { f: toggleFull, m: toggleMuted, s: toggleStats };

document.title = `Watch ${room} · Fanwire`;
byId("room").textContent = room;
client.addEventListener("state", onState);
stats.addEventListener("reading", onReading);
video.addEventListener("playing", () => {
  hasPicture = video.videoWidth > 0;
  if (client.state === "connected") showConnected();
});
video.addEventListener("resize", () => {
  hasPicture = video.videoWidth > 0;
});
video.addEventListener("volumechange", onVolume);
byId("unmute").addEventListener("click", () => setMuted(false));
byId("mute").addEventListener("click", toggleMuted);
byId("volume").addEventListener("input", ({ target }) => {
  video.volume = Number(target.value);
  video.muted = video.volume === 0;
});
client.layers.addEventListener("change", showLayers);
for (const id of ["size", "rate"]) byId(id).addEventListener("change", chooseLayers);
byId("full").addEventListener("click", toggleFull);
byId("stats-toggle").addEventListener("click", toggleStats);
byId("again").addEventListener("click", () => client.start());
stage.addEventListener("dblclick", ({ target }) => target === video && toggleFull());
for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) stage.addEventListener(event, wake);
document.addEventListener("fullscreenchange", onFull);
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) KEYS[event.key.toLowerCase()]?.();
});
window.addEventListener("pagehide", () => client.stop());
window.addEventListener("pageshow", ({ persisted }) => persisted && client.start());
const isWide = matchMedia("(min-width: 62rem)").matches;
byId("stats").querySelector("details").open = isWide;
if (!isWide) toggleStats();
wake();
client.start();
