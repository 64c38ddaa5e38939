#include "parameter_sets.h"

#include <stdlib.h>

/* Parameter sets in a packet older than the newest sets by more than this are ignored: a late retransmission carries them. */
enum { REORDERED_PACKETS = 64 };

/* Returns whether the format is H.264 or H.265, and sets `codec`. */
static bool read_codec(const fw_encoding_t *e, uint8_t format, fw_sets_codec_t *codec) {
    uint8_t of = e->producer->media.payload_types[format].codec;
    *codec = of == FW_H264 ? FW_SETS_H264 : FW_SETS_H265;
    return of == FW_H264 || of == FW_H265;
}

static void keep_sets(fw_core_t *core, fw_encoding_t *e, fw_sets_codec_t codec, uint64_t seq64, const uint8_t *payload, size_t len) {
    if (e->sets == NULL) e->sets = calloc(1, sizeof *e->sets);
    if (e->sets == NULL || seq64 + REORDERED_PACKETS < e->sets->seq64) return;
    fw_outbox_protect(&core->outbox); /* an outbound packet that is not encrypted yet may still read the old sets */
    fw_parameter_sets_t *sets = &e->sets->sets;
    if (seq64 > e->sets->seq64) e->sets->seq64 = seq64;
    if (!fw_parameter_sets_take(sets, codec, payload, len)) return;
    e->sets->codec = codec;
}

void fw_parameter_sets_note(fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet) {
    fw_sets_codec_t codec;
    const uint8_t *payload = packet->data + packet->rtp.header_len;
    if (!read_codec(e, packet->format, &codec) || !fw_parameter_sets_may(codec, payload, packet->rtp.payload_len)) return;
    keep_sets(core, e, codec, packet->seq64, payload, packet->rtp.payload_len);
}

void fw_parameter_sets_relayed(fw_core_t *core, const fw_relay_head_t *head, const uint8_t *payload, size_t len) {
    fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
    if (p == NULL || head->encoding >= p->encoding_count || head->codec > FW_SETS_H265) {
        core->counters.drop_relay_stale++;
        return;
    }
    keep_sets(core, p->encodings[head->encoding], (fw_sets_codec_t)head->codec, head->seq64, payload, len);
}
