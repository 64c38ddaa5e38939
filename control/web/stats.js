/** Reads a connection's statistics and makes rates of its counters. */

/**
 * Once called, gives a function that reads `pc` anew: { streams, rttMs, bitrateBps, loss, path }. Rates are of the time
 * since the reading before, and null at the first. A stream is one encoding sent, or one track received.
 */
export class StatsReader {
  #pc;
  #before = new Map();

  constructor(pc) {
    this.#pc = pc;
  }

  async read() {
    const report = new Map(await this.#pc.getStats());
    const all = [...report.values()];
    const transport = all.find(({ type }) => type === "transport");
    const pair = report.get(transport?.selectedCandidatePairId);
    const streams = all
      .filter(({ type }) => type === "outbound-rtp" || type === "inbound-rtp")
      .map((now) => this.#stream(now, report));
    this.#before = report;
    return {
      streams,
      rttMs: milliseconds(pair?.currentRoundTripTime),
      bitrateBps: sum(streams.map(({ bitrateBps }) => bitrateBps)),
      loss: worst(streams.map(({ loss }) => loss)),
      path: describePath(pair, report),
    };
  }

  #stream(now, report) {
    const before = this.#before.get(now.id);
    const outbound = now.type === "outbound-rtp";
    const remote = report.get(now.remoteId);
    const grown = (name) => (before ? (now[name] ?? 0) - (before[name] ?? 0) : null);
    const seconds = before ? (now.timestamp - before.timestamp) / 1000 : null;
    const bytes = grown(outbound ? "bytesSent" : "bytesReceived");
    return {
      kind: now.kind,
      rid: now.rid,
      codec: report.get(now.codecId)?.mimeType.split("/")[1],
      width: now.frameWidth,
      height: now.frameHeight,
      fps: now.framesPerSecond,
      frames: outbound ? now.framesEncoded : now.framesDecoded,
      dropped: now.framesDropped,
      freezes: now.freezeCount,
      bytes,
      bitrateBps: seconds > 0 ? (8 * bytes) / seconds : null,
      loss: outbound ? (remote?.fractionLost ?? null) : lossOf(grown("packetsLost"), grown("packetsReceived")),
      jitterMs: milliseconds((outbound ? remote : now)?.jitter),
      bufferMs: outbound ? null : ratioMs(grown("jitterBufferDelay"), grown("jitterBufferEmittedCount")),
      limitedBy: now.qualityLimitationReason,
      active: now.active !== false,
    };
  }
}

function lossOf(lost, received) {
  const sent = Math.max(lost, 0) + received;
  return sent > 0 ? Math.max(lost, 0) / sent : null;
}

function ratioMs(seconds, count) {
  return count > 0 ? (1000 * seconds) / count : null;
}

function milliseconds(seconds) {
  return seconds === undefined ? null : 1000 * seconds;
}

function sum(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((total, value) => total + value, 0) : null;
}

function worst(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.max(...known) : null;
}

function describePath(pair, report) {
  const local = report.get(pair?.localCandidateId);
  const remote = report.get(pair?.remoteCandidateId);
  if (!local || !remote) return null;
  const relayed = local.candidateType === "relay" ? ", relayed" : "";
  return `${local.protocol.toUpperCase()} to port ${remote.port}${relayed}`;
}
