// The page that a test drives: one page is one peer, which publishes or watches. ci/support/peers.py calls `window.peer`.

import { Sink } from "./sink.js";
import { synthesise } from "./source.js";
import { Session } from "./wish.js";

const candidates = [];
let session;
let sink;
let negotiations = 0;

function connect() {
  const connection = new RTCPeerConnection();
  connection.onicecandidate = ({ candidate }) => candidate?.candidate && candidates.push(candidate);
  connection.onnegotiationneeded = () => negotiations++;
  return connection;
}

/** Sends synthetic media: `codec` ("VP8", "H264"...) alone is offered, `encodings` are RTCRtpEncodingParameters. */
async function send(connection, { codec = "VP8", encodings = [{}], ...media }) {
  const stream = await synthesise(media);
  for (const track of stream.getTracks()) {
    const sendEncodings = track.kind === "video" ? encodings : [{}];
    const transceiver = connection.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
    if (track.kind === "video") {
      const { codecs } = RTCRtpSender.getCapabilities("video");
      transceiver.setCodecPreferences(codecs.filter((c) => [`video/${codec}`, "video/rtx"].includes(c.mimeType)));
    }
  }
}

/** Publishes to a WHIP URL. */
async function publish(url, options) {
  const connection = connect();
  await send(connection, options);
  session = await Session.open(url, connection);
}

/** Chromium offers the dependency descriptor only when told to. */
function offerDescriptor(transceiver) {
  const extensions = transceiver.getHeaderExtensionsToNegotiate();
  extensions.find(({ uri }) => uri.endsWith("#dependency-descriptor-rtp-header-extension")).direction = "sendrecv";
  transceiver.setHeaderExtensionsToNegotiate(extensions);
}

/** Watches a WHEP URL; returns the wall clock in ms at the POST. */
async function watch(url, { kinds = ["audio", "video"], descriptor = false } = {}) {
  const connection = connect();
  sink = new Sink();
  connection.ontrack = ({ track }) => sink.add(track);
  for (const kind of kinds) {
    const transceiver = connection.addTransceiver(kind, { direction: "recvonly" });
    if (descriptor && kind === "video") offerDescriptor(transceiver);
  }
  const posted = Date.now();
  session = await Session.open(url, connection);
  return posted;
}

/** Publishes to ourselves, without any server: shows what the harness itself can measure. */
async function loopback(options) {
  const [a, b] = [connect(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
  sink = new Sink();
  b.ontrack = ({ track }) => sink.add(track);
  await send(a, options);
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
}

/** The sum of a number over the RTP statistics of a type, such as "inbound-rtp". */
async function sumStats(type, name) {
  const stats = [...(await session.peer.getStats()).values()];
  return stats.filter((one) => one.type === type).reduce((sum, one) => sum + (one[name] ?? 0), 0);
}

async function transportStats() {
  return [...(await session.peer.getStats()).values()].find(({ type }) => type === "transport");
}

/** The statistics of the candidate pair in use, of its `local` and its `remote` candidate. */
async function selectedPair() {
  const stats = await session.peer.getStats();
  const pair = stats.get((await transportStats()).selectedCandidatePairId);
  return { ...pair, local: stats.get(pair.localCandidateId), remote: stats.get(pair.remoteCandidateId) };
}

window.peer = {
  publish,
  watch,
  loopback,
  drain: () => sink.drain(),
  firstShown: () => sink?.firstShown ?? null,
  sumStats,
  offer: () => session.peer.localDescription.sdp,
  answer: () => session.peer.remoteDescription.sdp,
  resource: () => session.url,
  connectionState: () => session.peer.connectionState,
  negotiations: () => negotiations,
  usernameFragment: async () => (await transportStats()).iceLocalUsernameFragment,
  selectedPair,
  trickle: () => session.trickle(candidates.filter(({ sdpMLineIndex }) => sdpMLineIndex === 0)),
  restartIce: () => session.restartIce(),
  close: () => session.close(),
};
