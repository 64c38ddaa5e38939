#include "relayed.h"

#include "../state/batch.h"
#include "../state/ssrc.h"
#include "../wire/bytes.h"
#include "assign.h"
#include "restart.h"
#include "sequence.h"
#include "store.h"

void fw_ingress_relayed(fw_core_t *core, const fw_relay_head_t *head, const uint8_t *data, size_t len, bool history) {
    fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
    if (p == NULL || head->encoding >= p->encoding_count || len > FW_PACKET_BYTES) {
        core->counters.drop_relay_stale++;
        return;
    }
    if (!fw_batch_has_room(core)) return;
    fw_encoding_t *e = p->encodings[head->encoding];
    fw_packet_t *packet = fw_pool_peek(&core->pool);
    packet->encoding = NULL;
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    /* The home worker may have read the clock after this worker did. */
    packet->arrival_us = head->arrival_us < core->now_us ? head->arrival_us : core->now_us;
    packet->seq64 = head->seq64;
    bool whole = fw_rtp_parse_header(packet->data, len, &packet->rtp) && fw_rtp_parse_body(packet->data, len, &packet->rtp);
    packet->format = whole ? p->pt_formats[packet->rtp.payload_type] & 0x7f : FW_NO_PT;
    if (packet->format >= p->media.payload_types_count) {
        core->counters.drop_relay_stale++;
        return;
    }
    if (packet->rtp.ssrc != e->ssrc && fw_ssrc_learn(core, e, packet->rtp.ssrc, false) == FW_SSRC_RESTARTED)
        fw_restart_encoding(core, e);
    e->nack.given_up = head->given_up;
    core->counters.relay_in++;
    if (packet->seq64 > e->highest_seq64) {
        fw_sequence_advance(core, e, packet->seq64);
    } else if (packet->seq64 + e->cache.size <= e->highest_seq64 || fw_sequence_see(e, packet->seq64)) {
        core->counters.drop_duplicate++;
        return;
    }
    (void)fw_assign_extensions(p, packet); /* the home worker sends the transport-wide feedback */
    fw_store(core, e, packet, history);
}

fw_error_t fw_ingress_feed(fw_core_t *core, fw_producer_t *p, const uint8_t *data, size_t len) {
    if (p->home_worker != FW_NO_WORKER || len < FW_RTP_HEADER_BYTES) return FW_REFUSED;
    const fw_encoding_t *e = p->encodings[0];
    uint16_t seq16 = fw_load16(data + 2);
    fw_relay_head_t head = {.producer_id = p->id, .arrival_us = core->now_us};
    head.seq64 = e->highest_seq64 == 0 ? FW_FIRST_TURN + seq16 : fw_seq_extend(e->highest_seq64, seq16);
    fw_ingress_relayed(core, &head, data, len, false);
    return FW_DONE;
}
