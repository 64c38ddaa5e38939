#include "receive.h"

#include "../ice/paths.h"
#include "../state/batch.h"
#include "../state/marks.h"
#include "../state/ssrc.h"
#include "assign.h"
#include "holdback.h"
#include "police.h"
#include "sequence.h"
#include "store.h"

static void drop_unprotected(fw_core_t *core, fw_srtp_status_t status) {
    if (status == FW_SRTP_REPLAYED) core->counters.drop_srtp_replayed++;
    if (status == FW_SRTP_FORGED) core->counters.drop_srtp_forged++;
    if (status == FW_SRTP_FAILED) core->counters.drop_srtp_failed++;
}

/* Decrypts and parses a packet in the pool's next slot. NULL, and counted, where it is oversize, not authentic or malformed, or the
 * batch is full. */
static fw_packet_t *open_packet(fw_core_t *core, fw_transport_t *t, const uint8_t *data, size_t len) {
    fw_packet_t *packet = fw_pool_peek(&core->pool);
    if (len > FW_PACKET_BYTES) {
        core->counters.drop_oversize++;
        return NULL;
    }
    if (!fw_batch_has_room(core)) return NULL;
    fw_outbox_protect(&core->outbox); /* a retransmission that is not encrypted yet may still read the slot */
    /* A cache may still hold the number of the slot's old packet; the NULL encoding invalidates that. */
    packet->encoding = NULL;
    memcpy(packet->data, data, len);
    size_t clear_len = len;
    fw_srtp_status_t status = fw_srtp_unprotect(t->srtp, packet->data, &clear_len);
    if (status != FW_SRTP_OK) {
        drop_unprotected(core, status);
        return NULL;
    }
    packet->len = (uint16_t)clear_len;
    packet->arrival_us = core->now_us;
    if (!fw_rtp_parse_header(packet->data, clear_len, &packet->rtp) ||
        !fw_rtp_parse_body(packet->data, clear_len, &packet->rtp)) {
        core->counters.drop_rtp_malformed++;
        return NULL;
    }
    return packet;
}

void fw_ingress_rtp(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const uint8_t *data, size_t len) {
    fw_rtp_t header;
    core->counters.rtp_in++;
    if (t->srtp == NULL) {
        core->counters.drop_not_keyed++;
        return;
    }
    if (!fw_rtp_parse_header(data, len, &header)) {
        core->counters.drop_rtp_malformed++;
        return;
    }
    fw_key_t key = fw_key(&header.ssrc, sizeof header.ssrc);
    fw_encoding_t *e = fw_map_get(&t->inbound, &key);
    /* The limit includes unknown SSRCs: each SSRC that authenticates costs SRTP replay state. */
    if (e == NULL && t->inbound.count >= core->config.max_ssrcs) {
        core->counters.drop_ssrc_limit++;
        return;
    }
    if (e == FW_UNKNOWN_SSRC) e = NULL;
    fw_packet_t *packet = open_packet(core, t, data, len);
    if (packet == NULL) return;
    fw_ice_heard(core, t, path);
    if (!fw_police_rate(core, t, len)) return;
    e = fw_assign(core, t, e, packet);
    if (e == NULL || !fw_police_share(core, e->producer)) return;
    bool rtx = packet->rtp.ssrc == e->rtx_ssrc;
    if (rtx && !fw_sequence_unwrap_rtx(core, e, packet)) return;
    packet = fw_holdback_release(core, e, packet);
    if (packet == NULL) return;
    if (rtx || !fw_holdback_keep(e, packet)) fw_store_received(core, e, packet, rtx);
    if (e->held_back != NULL || e->nack.count > 0 || e->nack.gave_up) fw_mark_due(core, t);
}
