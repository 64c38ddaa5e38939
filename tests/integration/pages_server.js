// Answers WHIP and WHEP within the page itself, so that a test decides through `window.server` what the page meets.

window.server = {
  answering: true, // false: requests go to the real server
  reachable: true,
  deaf: false, // answers offers, but no packet gets through
  hasSession: true, // false: every session has ended
  requests: [],
  peers: [],
};

const realFetch = window.fetch;

window.fetch = async (input, options = {}) => {
  const url = new URL(input, location.href);
  if (!/^\/wh[ie]p\//.test(url.pathname) || !server.answering) return realFetch(input, options);
  const { method, headers = {}, body } = options;
  const match = headers["If-Match"];
  server.requests.push([method, url.pathname + url.search, match ?? null]);
  if (!server.reachable) throw new TypeError("Failed to fetch");
  if (method === "POST") return created(url, body);
  if (!server.hasSession) return reply(url, 404, "{}");
  if (match === "*") return restarted(url, body);
  if (method === "PATCH") return trickled(url, body);
  server.peers.at(-1).close();
  return reply(url, 200, "");
};

async function created(url, sdp) {
  const peer = new RTCPeerConnection();
  server.peers.push(peer);
  const number = server.peers.length;
  const answer = await answerTo(peer, sdp);
  if (server.deaf) peer.close();
  const links = '<stun:127.0.0.1:9>; rel="ice-server", <turn:127.0.0.1:9>; rel="ice-server"; username="a\\"b"; credential="c"';
  return reply(url, 201, answer, { Location: `${url.pathname}/${number}`, ETag: `"first-${number}"`, Link: links });
}

async function restarted(url, fragment) {
  const peer = server.peers.at(-1);
  let offer = peer.currentRemoteDescription.sdp;
  for (const name of ["ice-ufrag", "ice-pwd"]) {
    const [line] = fragment.match(new RegExp(`a=${name}:.*`));
    offer = offer.replace(new RegExp(`a=${name}:.*`, "g"), line.trim());
  }
  const answer = await answerTo(peer, offer);
  const ice = answer.match(/^a=(ice-ufrag|ice-pwd|candidate):.*$/gm).map((line) => `${line.trim()}\r\n`).join("");
  return reply(url, 200, ice, { ETag: '"second"' });
}

async function trickled(url, fragment) {
  for (const [, candidate] of fragment.matchAll(/^a=(candidate:.*)$/gm)) {
    await server.peers.at(-1).addIceCandidate({ candidate: candidate.trim(), sdpMLineIndex: 0 }).catch(() => {});
  }
  return reply(url, 204, null);
}

async function answerTo(peer, sdp) {
  await peer.setRemoteDescription({ type: "offer", sdp });
  for (const transceiver of peer.getTransceivers()) {
    if (transceiver.sender.track || !/a=recvonly/.test(sdp)) continue;
    transceiver.direction = "sendonly";
    await transceiver.sender.replaceTrack(transceiver.receiver.track.kind === "video" ? picture() : tone());
  }
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => peer.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  return peer.localDescription.sdp;
}

function picture() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
  const context = canvas.getContext("2d");
  let frame = 0;
  window.drawing = setInterval(() => {
    context.fillStyle = `hsl(${frame++ * 5} 80% 50%)`;
    context.fillRect(0, 0, 160, 90);
  }, 50);
  return canvas.captureStream().getVideoTracks()[0];
}

function tone() {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  const oscillator = new OscillatorNode(context);
  oscillator.connect(output);
  oscillator.start();
  return output.stream.getAudioTracks()[0];
}

function reply(url, status, body, headers = {}) {
  const response = new Response(body, { status, headers });
  Object.defineProperty(response, "url", { value: url.href });
  return response;
}
