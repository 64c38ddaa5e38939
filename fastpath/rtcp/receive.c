#include "receive.h"

#include "../wire/rtcp.h"
#include "../ice/paths.h"
#include "../egress/retransmit.h"
#include "../ingress/sender_report.h"
#include "../select/target.h"
#include "../state/ssrc.h"

static fw_encoding_t *inbound(const fw_transport_t *t, uint32_t ssrc) {
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    fw_encoding_t *e = fw_map_get(&t->inbound, &key);
    return e == FW_UNKNOWN_SSRC || (e != NULL && e->ssrc != ssrc) ? NULL : e;
}

static fw_consumer_t *outbound(const fw_transport_t *t, uint32_t ssrc) {
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    return fw_map_get(&t->outbound, &key);
}

/* Round-trip time by a report block (RFC 3550 section 6.4.1): now, less the time of that SR, less the viewer's delay. */
static void measure_rtt(const fw_core_t *core, fw_consumer_t *c, const fw_report_block_t *block) {
    for (unsigned i = 0; i < FW_SENT_REPORTS && block->last_sr != 0; i++) {
        if (c->sent_reports[i].at_us == 0 || c->sent_reports[i].ntp_middle != block->last_sr) continue;
        uint64_t held_us = ((uint64_t)block->delay_sr * 1000000) >> 16;
        uint64_t passed_us = core->now_us - c->sent_reports[i].at_us;
        uint64_t rtt_us = passed_us > held_us ? passed_us - held_us : 1;
        if (rtt_us < 10000000) c->rtt_us = (uint32_t)rtt_us;
        return;
    }
}

static void take_reports(fw_core_t *core, fw_transport_t *t, const fw_rtcp_t *p) {
    fw_report_block_t block;
    for (unsigned i = 0; fw_rtcp_report_block(p, i, &block); i++) {
        fw_consumer_t *c = outbound(t, block.ssrc);
        if (c == NULL || c->ssrc != block.ssrc) continue;
        c->remote = block;
        measure_rtt(core, c, &block);
    }
}

static void take_sender_report(fw_core_t *core, fw_transport_t *t, const fw_rtcp_t *p) {
    fw_sender_info_t info;
    if (!fw_rtcp_sender_info(p, &info)) return;
    fw_encoding_t *e = inbound(t, info.ssrc);
    if (e == NULL) return;
    fw_clock_point_t sr = {.ntp = info.ntp, .timestamp = info.timestamp, .arrival_us = core->now_us, .known = true};
    fw_sender_report_take(core, e, &sr);
}

static void take_nack(fw_core_t *core, fw_transport_t *t, const fw_rtcp_t *p) {
    uint32_t sender;
    uint32_t media;
    if (!fw_rtcp_feedback(p, &sender, &media)) return;
    fw_consumer_t *c = outbound(t, media);
    if (c == NULL || c->ssrc != media || !fw_transport_ready(t)) return;
    core->counters.nack_in++;
    fw_srtp_fetch(t->srtp);
    c->nacks_received++;
    uint16_t seq16;
    uint16_t mask;
    for (unsigned i = 0; fw_rtcp_nack(p, i, &seq16, &mask); i++) {
        fw_retransmit(core, c, seq16);
        for (unsigned bit = 0; bit < 16; bit++)
            if ((mask >> bit & 1) != 0) fw_retransmit(core, c, (uint16_t)(seq16 + bit + 1));
    }
}

static void ask_keyframe(fw_core_t *core, fw_transport_t *t, uint32_t ssrc) {
    fw_consumer_t *c = outbound(t, ssrc);
    if (c == NULL || c->ssrc != ssrc) return;
    core->counters.keyframe_requests_in++;
    c->plis_received++;
    if (fw_transport_ready(t)) fw_target_refresh(core, c);
}

static void take_payload_feedback(fw_core_t *core, fw_transport_t *t, const fw_rtcp_t *p) {
    uint32_t sender;
    uint32_t media;
    uint8_t command_seq;
    uint64_t bitrate_bps;
    if (!fw_rtcp_feedback(p, &sender, &media)) return;
    if (p->count == FW_PSFB_PLI) ask_keyframe(core, t, media);
    if (p->count == FW_PSFB_FIR)
        for (unsigned i = 0; fw_rtcp_fir(p, i, &media, &command_seq); i++) ask_keyframe(core, t, media);
    if (p->count == FW_PSFB_AFB && fw_rtcp_remb(p, &bitrate_bps)) {
        core->counters.remb_in++;
        t->remb_bps = bitrate_bps;
    }
}

/* An SSRC that left does not return: its encoding no longer counts as live. */
static void take_bye(fw_transport_t *t, const fw_rtcp_t *p) {
    uint32_t ssrc;
    for (unsigned i = 0; fw_rtcp_bye(p, i, &ssrc); i++) {
        fw_encoding_t *e = inbound(t, ssrc);
        if (e != NULL) e->liveness = (fw_liveness_t){0};
    }
}

static fw_key_t sender_key(const uint8_t *data) {
    uint32_t ssrc = fw_load32(data + 4);
    return fw_key(&ssrc, sizeof ssrc);
}

/* Whether the sender's SSRC is known, or the transport may use another one: each has decryption state. */
static bool sender_allowed(const fw_core_t *core, const fw_transport_t *t, const uint8_t *data, size_t len) {
    if (len < 8) return true; /* refused by the decryption */
    fw_key_t key = sender_key(data);
    return t->inbound.count < core->config.max_ssrcs || fw_map_get(&t->inbound, &key) != NULL;
}

static void remember_sender(fw_transport_t *t, const uint8_t *data) {
    uint32_t ssrc = fw_load32(data + 4);
    fw_key_t key = sender_key(data);
    if (fw_map_get(&t->inbound, &key) == NULL) fw_ssrc_note_unknown(t, ssrc);
}

void fw_rtcp_receive(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, uint8_t *data, size_t len) {
    core->counters.rtcp_in++;
    if (len > FW_PACKET_BYTES) {
        core->counters.drop_oversize++;
        return;
    }
    if (t->srtp == NULL) {
        core->counters.drop_not_keyed++;
        return;
    }
    if (!sender_allowed(core, t, data, len)) {
        core->counters.drop_ssrc_limit++;
        return;
    }
    fw_srtp_status_t status = fw_srtp_unprotect_rtcp(t->srtp, data, &len);
    if (status != FW_SRTP_OK) {
        if (status == FW_SRTP_REPLAYED) core->counters.drop_srtcp_replayed++;
        if (status == FW_SRTP_FORGED) core->counters.drop_srtcp_forged++;
        if (status == FW_SRTP_FAILED) core->counters.drop_srtcp_failed++;
        return;
    }
    remember_sender(t, data);
    fw_ice_heard(core, t, path);
    fw_reader_t r = fw_reader(data, len);
    fw_rtcp_t p;
    while (fw_rtcp_next(&r, &p)) {
        if (p.type == FW_RTCP_SR) take_sender_report(core, t, &p);
        if (p.type == FW_RTCP_SR || p.type == FW_RTCP_RR) take_reports(core, t, &p);
        if (p.type == FW_RTCP_BYE) take_bye(t, &p);
        if (p.type == FW_RTCP_PSFB) take_payload_feedback(core, t, &p);
        if (p.type == FW_RTCP_RTPFB && p.count == FW_RTPFB_NACK) take_nack(core, t, &p);
        if (p.type == FW_RTCP_RTPFB && p.count == FW_RTPFB_TWCC) core->counters.twcc_in++;
    }
    if (!r.ok) core->counters.drop_rtcp_malformed++;
}
