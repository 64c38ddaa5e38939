/** The publish page: choose a source, look at it, send it. */

import { WhipClient } from "./client.js";
import { LevelMeter } from "./meters.js";
import { byId, clock, query, room, setIcon, showStatus, token, tokenSubject } from "./page.js";
import { NONE, isCameraAllowed, listDevices, openCamera, openScreen, openTestCard } from "./sources.js";
import { StatsView } from "./statsview.js";
import { explainConnection, explainSource } from "./words.js";

const COVERS = {
  camera: { icon: "camera", button: "Turn on the camera", text: "Your browser will ask whether it may." },
  screen: { icon: "screen", button: "Choose what to share", text: "The whole screen, a window or a tab." },
  card: { icon: "card", button: "Show the test card", text: "A moving picture and a tone, made by this page." },
};

const meter = new LevelMeter(byId("meter"));
const stats = new StatsView(byId("stats"));
const preview = byId("preview");
const settings = ["height", "codec", "simulcast", "identity"].map(byId);

/** The open source: { kind, stream, stop() }, or null. */
let source = null;
/** The client while publishing, or null. */
let client = null;
/** Numbers the attempts to open a source: only the last one counts. */
let attempt = 0;
let liveSince = null;

window.fanwire = {
  get client() { return client; },
  get pc() { return client?.pc ?? null; },
};

function chosen() {
  return document.querySelector("[name=source]:checked").value;
}

function open(kind) {
  const height = Number(byId("height").value);
  const microphone = byId("microphones").value;
  if (kind === "camera") return openCamera({ camera: byId("cameras").value, microphone, height });
  if (kind === "screen") return openScreen({ microphone });
  return openTestCard(height, `Fanwire · ${room}`);
}

/** Opens what is chosen in place of what is open. Whether that worked. */
async function openSource() {
  const mine = ++attempt;
  const kind = chosen();
  byId("open").disabled = true;
  try {
    // A camera can often be opened only once, so the old one has to go first.
    if (!client) closeSource();
    const opened = await open(kind);
    if (mine !== attempt) {
      opened.stop();
      return false;
    }
    source?.stop();
    use({ kind, ...opened });
    say(null);
    await fillDevices();
    return true;
  } catch (error) {
    if (mine !== attempt) return false;
    say(explainSource(error, kind));
    // The present source is still published, so the page shows it again.
    if (source) document.querySelector(`[name=source][value=${source.kind}]`).checked = true;
    showCover();
    return false;
  } finally {
    byId("open").disabled = false;
  }
}

function use(opened) {
  source = opened;
  for (const track of source.stream.getTracks()) {
    track.addEventListener("ended", () => source === opened && onSourceEnded());
  }
  preview.srcObject = source.stream;
  // People know themselves from mirrors; a camera that looks away from them shows what they see.
  const facing = source.stream.getVideoTracks()[0]?.getSettings().facingMode;
  preview.classList.toggle("mirror", source.kind === "camera" && facing !== "environment");
  meter.attach(source.stream);
  client?.replace(source.stream);
  applyMutes();
  showCover();
}

function closeSource() {
  source?.stop();
  source = null;
  preview.srcObject = null;
  meter.attach(null);
  showCover();
}

function onSourceEnded() {
  const { kind } = source;
  attempt++;
  closeSource();
  client?.replace(new MediaStream());
  const title = kind === "screen" ? "You stopped sharing the screen" : "The camera or microphone was taken away";
  say({ title, advice: "Choose a source to go on." });
}

function showCover() {
  const kind = chosen();
  const hasPicture = Boolean(source?.stream.getVideoTracks().length);
  byId("cover").hidden = hasPicture && !isMuted("camera");
  byId("open").hidden = Boolean(source);
  byId("open").textContent = COVERS[kind].button;
  cover(coverFor(kind, hasPicture));
  byId("mic").disabled = !source?.stream.getAudioTracks().length;
  byId("camera").disabled = !hasPicture;
  byId("camera-field").hidden = kind !== "camera";
  byId("microphone-field").hidden = kind === "card";
  byId("card-text").hidden = kind !== "card";
}

function coverFor(kind, hasPicture) {
  if (!source) return { icon: COVERS[kind].icon, title: "Nothing to show yet", text: COVERS[kind].text };
  if (hasPicture) {
    return { icon: "camera-off", title: "The picture is hidden", text: "Viewers see black until you show it again." };
  }
  return { icon: "mic", title: "Sound only", text: "There is no picture in what you publish." };
}

function cover({ icon, title, text }) {
  setIcon(byId("cover"), icon);
  byId("cover-title").textContent = title;
  byId("cover-text").textContent = text;
}

function isMuted(id) {
  return byId(id).getAttribute("aria-pressed") === "true";
}

function applyMutes() {
  for (const track of source?.stream.getTracks() ?? []) {
    track.enabled = !isMuted(track.kind === "audio" ? "mic" : "camera");
  }
}

function toggle(id) {
  const muted = !isMuted(id);
  byId(id).setAttribute("aria-pressed", String(muted));
  setIcon(byId(id), muted ? `${id}-off` : id);
  applyMutes();
  showCover();
}

async function publish() {
  byId("start").disabled = true;
  const ready = byId("identity").reportValidity() && (source || (await openSource()));
  byId("start").disabled = false;
  if (!ready || client) return;
  const identity = byId("identity").value;
  const url = `/whip/${room}${identity ? `?identity=${encodeURIComponent(identity)}` : ""}`;
  const options = { codec: byId("codec").value, simulcast: byId("simulcast").checked, token };
  client = new WhipClient(url, source.stream, options);
  client.addEventListener("state", () => onState(client));
  client.start();
}

function unpublish() {
  client?.stop();
  client = null;
  showPublishing();
}

function onState({ state, error, pc }) {
  if (state === "idle") return;
  if (state === "connected") {
    liveSince ??= Date.now();
    stats.attach(pc);
  }
  say(error && explainConnection(error), state === "failed" ? "bad" : "busy");
  if (state === "failed") client = null;
  showPublishing(state);
}

const STATUS = {
  connecting: ["Connecting", "busy"],
  waiting: ["Waiting", "busy"],
  connected: ["Live", "good"],
  reconnecting: ["Reconnecting", "busy"],
  retrying: ["Trying again", "busy"],
  failed: ["Failed", "bad"],
  idle: ["Not publishing", "idle"],
};

function showPublishing(state = "idle") {
  const on = client !== null;
  showStatus(...STATUS[state]);
  if (!on) {
    liveSince = null;
    stats.attach(null);
  }
  if (state === "idle") say(null);
  byId("start").hidden = on;
  byId("stop").hidden = !on;
  byId("stats").hidden = !on || liveSince === null;
  byId("live").dataset.tone = state === "connected" ? "good" : "busy";
  for (const setting of settings) setting.disabled = on;
  showLive();
}

function showLive() {
  byId("live").hidden = liveSince === null;
  if (liveSince !== null) byId("live").textContent = `Live ${clock(Date.now() - liveSince)}`;
}

/** Tells of a problem: { title, advice }; null takes the notice away. */
function say(problem, tone = "bad") {
  const notice = byId("notice");
  notice.hidden = !problem;
  if (!problem) return;
  notice.dataset.tone = tone;
  notice.querySelector("strong").textContent = problem.title;
  notice.querySelector("p").textContent = problem.advice;
}

async function fillDevices() {
  const { cameras, microphones } = await listDevices();
  fill(byId("cameras"), cameras, "camera", source?.stream.getVideoTracks()[0]);
  fill(byId("microphones"), microphones, "microphone", source?.stream.getAudioTracks()[0]);
}

function fill(select, devices, name, track) {
  const before = select.value;
  const known = devices.filter(({ deviceId }) => deviceId);
  const options = known.map(({ label, deviceId }, index) => new Option(label || `${name} ${index + 1}`, deviceId));
  if (known.length === 0) options.push(new Option(`The usual ${name}`, ""));
  select.replaceChildren(...options, new Option(`No ${name}`, NONE));
  const current = track?.getSettings().deviceId;
  const offered = [...select.options].map(({ value }) => value);
  select.value = [before, current].find((id) => id && offered.includes(id)) ?? offered[0];
}

function fillCodecs() {
  const types = new Set(RTCRtpSender.getCapabilities("video").codecs.map(({ mimeType }) => mimeType));
  for (const type of types) {
    const name = type.replace("video/", "");
    if (!/^(rtx|red|ulpfec|flexfec.*)$/i.test(name)) byId("codec").append(new Option(name, type));
  }
}

function showLink() {
  const identity = byId("identity").value;
  const url = new URL(`/watch/${room}`, location.href);
  if (identity && byId("identity").checkValidity()) url.searchParams.set("publisher", identity);
  byId("link").value = url;
  byId("watch").href = url;
}

async function copyLink() {
  byId("link").select();
  // The clipboard is for secure origins; elsewhere the selection is as good.
  const copied = await navigator.clipboard?.writeText(byId("link").value).then(() => true, () => false);
  byId("copied").textContent = copied ? "Copied" : "Press Ctrl+C to copy";
}

function onSourceChosen() {
  say(null);
  if (client) return openSource();
  attempt++;
  closeSource();
  return chosen() === "card" && openSource();
}

document.title = `Publish to ${room} · Fanwire`;
byId("room").textContent = room;
byId("identity").value = tokenSubject() ?? query.get("identity") ?? "";
byId("identity").readOnly = tokenSubject() !== null;
byId("open").addEventListener("click", openSource);
byId("start").addEventListener("click", publish);
byId("stop").addEventListener("click", unpublish);
byId("sources").addEventListener("change", onSourceChosen);
for (const id of ["cameras", "microphones", "height"]) {
  byId(id).addEventListener("change", () => source && openSource());
}
for (const id of ["mic", "camera"]) byId(id).addEventListener("click", () => toggle(id));
byId("identity").addEventListener("input", showLink);
byId("copy").addEventListener("click", copyLink);
window.addEventListener("pagehide", unpublish);
navigator.mediaDevices?.addEventListener("devicechange", fillDevices);
setInterval(showLive, 1000);
showLink();
showCover();
fillCodecs();
await fillDevices();
// Not after an early click on "Start publishing": a second attempt would cancel the first.
if (chosen() === "camera" && (await isCameraAllowed()) && attempt === 0) await openSource();
