/** The little that a client needs to know of SDP: ICE fragments (RFC 8840, RFC 9725), Opus and Link headers. */

/** The fragment with the ICE credentials of `sdp`, and with `candidates`, which are without "a="; null ends them. */
export function writeFragment(sdp, candidates) {
  const lines = [];
  const group = value(sdp, "group");
  if (group) lines.push(`a=group:${group}`);
  lines.push(`a=ice-ufrag:${value(sdp, "ice-ufrag")}`, `a=ice-pwd:${value(sdp, "ice-pwd")}`);
  // All media are bundled, so the first section stands for them all.
  lines.push(sdp.match(/^m=.*$/m)[0].trim());
  const mid = value(sdp, "mid");
  if (mid !== undefined) lines.push(`a=mid:${mid}`);
  for (const candidate of candidates) lines.push(candidate === null ? "a=end-of-candidates" : `a=${candidate}`);
  return lines.map((line) => `${line}\r\n`).join("");
}

/** The server's description `sdp`, as an ICE restart answered with `fragment` has changed it. */
export function applyFragment(sdp, fragment) {
  let changed = sdp;
  for (const name of ["ice-ufrag", "ice-pwd"]) {
    const fresh = value(fragment, name);
    if (fresh === undefined) throw new Error(`The answer to the ICE restart has no ${name}.`);
    changed = changed.replace(new RegExp(`^(a=${name}:).*$`, "gm"), (_, start) => start + fresh);
  }
  const candidates = fragment.match(/^a=candidate:.*$/gm) ?? [];
  if (candidates.length === 0) return changed;
  changed = changed.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, "");
  const [session, first, ...others] = changed.split(/^(?=m=)/m);
  const lines = candidates.map((line) => `${line.trim()}\r\n`).join("");
  return [session, first + lines, ...others].join("");
}

/** The description with these parameters of Opus (RFC 7587 section 7) in place of its own; null takes one away. */
export function withOpus(sdp, parameters) {
  let changed = sdp;
  for (const [, pt] of sdp.matchAll(/^a=rtpmap:(\d+) opus\/48000/gim)) {
    const line = changed.match(new RegExp(`^a=fmtp:${pt} (.*)$`, "m"));
    const said = (line?.[1] ?? "").trim().split(";").filter((part) => part && !(part.split("=")[0] in parameters));
    const own = Object.entries(parameters).filter(([, value]) => value !== null);
    const fmtp = `a=fmtp:${pt} ${[...said, ...own.map((pair) => pair.join("="))].join(";")}`;
    changed = line
      ? changed.replace(line[0].trimEnd(), () => fmtp)
      : changed.replace(new RegExp(`^a=rtpmap:${pt} .*\\r\\n`, "m"), (rtpmap) => `${rtpmap}${fmtp}\r\n`);
  }
  return changed;
}

const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;,]+))\s*/g;
const LINK = new RegExp(`<([^>]*)>\\s*((?:${PARAMETER.source})*)`, "g");

/** The links of a Link header (RFC 8288): their `url` and parameters. */
export function links(header) {
  return [...(header ?? "").matchAll(LINK)].map(([, url, rest]) => {
    const parameters = {};
    for (const [, name, quoted, plain] of rest.matchAll(PARAMETER)) {
      parameters[name.toLowerCase()] = plain ?? quoted.replace(/\\(.)/g, "$1");
    }
    return { ...parameters, url };
  });
}

/** RTCIceServers out of links (RFC 9725 section 4.6). */
export function iceServers(found) {
  return found.filter(({ rel }) => rel === "ice-server").map(({ url, username, credential }) => (
    username === undefined ? { urls: url } : { urls: url, username, credential }
  ));
}

function value(sdp, name) {
  return sdp.match(new RegExp(`^a=${name}:(.*)$`, "m"))?.[1].trim();
}
