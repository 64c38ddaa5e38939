#include "probe.h"

#define CARRIED_PERCENT 95
#define ACKED_PERCENT 80

void fw_probe_begin(fw_probe_t *p, uint32_t rate_bps, uint64_t now_us) {
    uint64_t bytes = (uint64_t)rate_bps * FW_PROBE_US / 8000000;
    uint64_t packet = bytes / FW_PROBE_PACKETS;
    if (packet < FW_PROBE_LEAST_BYTES) packet = FW_PROBE_LEAST_BYTES;
    if (packet > FW_PROBE_MOST_BYTES) packet = FW_PROBE_MOST_BYTES;
    if (bytes < packet * FW_PROBE_PACKETS) bytes = packet * FW_PROBE_PACKETS;
    *p = (fw_probe_t){
        .started_us = now_us,
        .rate_bps = rate_bps,
        .bytes = (uint32_t)bytes,
        .packet_bytes = (uint16_t)packet,
        .state = FW_PROBE_SENDING,
    };
}

void fw_probe_sent(fw_probe_t *p, uint16_t seq16, uint32_t bytes, uint64_t now_us) {
    if (p->state != FW_PROBE_SENDING) return;
    if (!p->sent_packets) p->first_seq16 = seq16;
    p->last_seq16 = seq16;
    p->sent_packets++;
    p->sent_bytes += bytes;
    if (p->sent_bytes < p->bytes || p->sent_packets < FW_PROBE_PACKETS) return;
    p->state = FW_PROBE_SENT;
    p->ended_us = now_us;
}

void fw_probe_acked(fw_probe_t *p, uint16_t seq16, const fw_sent_t *sent, int64_t arrival_us) {
    if (p->state == FW_PROBE_IDLE || !p->sent_packets) return;
    if ((uint16_t)(seq16 - p->first_seq16) > (uint16_t)(p->last_seq16 - p->first_seq16)) return;
    bool first = p->acked_packets == 0;
    if (first || arrival_us < p->first_arrival_us) {
        p->first_arrival_us = arrival_us;
        p->first_arrival_bytes = sent->bytes;
    }
    if (first || arrival_us > p->last_arrival_us) p->last_arrival_us = arrival_us;
    if (first || sent->sent_us < p->first_sent_us) p->first_sent_us = sent->sent_us;
    if (first || sent->sent_us >= p->last_sent_us) {
        p->last_sent_us = sent->sent_us;
        p->last_sent_bytes = sent->bytes;
    }
    p->acked_packets++;
    p->acked_bytes += sent->bytes;
}

static uint64_t due_us(const fw_probe_t *p) {
    return p->started_us + (uint64_t)p->sent_bytes * 8000000 / p->rate_bps;
}

uint32_t fw_probe_due_bytes(const fw_probe_t *p, uint64_t now_us) {
    return p->state == FW_PROBE_SENDING && now_us >= due_us(p) ? p->packet_bytes : 0;
}

uint64_t fw_probe_next_us(const fw_probe_t *p) {
    if (p->state == FW_PROBE_SENDING) return due_us(p);
    return p->state == FW_PROBE_SENT ? p->ended_us + FW_PROBE_TIMEOUT_US : UINT64_MAX;
}

static uint32_t bps_of(uint32_t bytes, uint64_t span_us) {
    uint64_t bps = (uint64_t)bytes * 8000000 / (span_us ? span_us : 1);
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}

fw_probe_result_t fw_probe_conclude(fw_probe_t *p, uint16_t acked_seq16, uint64_t now_us) {
    if (p->state != FW_PROBE_SENT) return FW_PROBE_PENDING;
    bool passed = (uint16_t)(acked_seq16 - p->last_seq16) < 0x8000;
    if (!passed && now_us < p->ended_us + FW_PROBE_TIMEOUT_US) return FW_PROBE_PENDING;
    p->state = FW_PROBE_IDLE;
    p->result_bps = 0;
    if (p->acked_packets * 100u < p->sent_packets * (unsigned)ACKED_PERCENT || p->acked_packets < 2) {
        return FW_PROBE_UNKNOWN;
    }
    uint32_t sent = bps_of(p->acked_bytes - p->last_sent_bytes, p->last_sent_us - p->first_sent_us);
    uint32_t received =
        bps_of(p->acked_bytes - p->first_arrival_bytes, (uint64_t)(p->last_arrival_us - p->first_arrival_us));
    p->result_bps = received < sent ? received : sent;
    return received < (uint64_t)sent * CARRIED_PERCENT / 100 ? FW_PROBE_SATURATED : FW_PROBE_CARRIED;
}
