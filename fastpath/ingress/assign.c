#include "assign.h"

#include "../state/marks.h"
#include "../state/ssrc.h"
#include "../wire/bytes.h"
#include "../wire/ext.h"
#include "restart.h"

enum { FEEDBACK_US = 50000 }; /* between transport-wide feedback messages */

static bool ext_is(const fw_packet_t *packet, uint8_t id, const char *value, size_t len) {
    fw_ext_reader_t r = fw_ext_reader(packet->data, &packet->rtp);
    fw_ext_t ext;
    while (fw_ext_next(&r, &ext))
        if (ext.id == id) return ext.len == len && memcmp(ext.data, value, len) == 0;
    return false;
}

/* The encoding whose RID, or repaired RID, the packet names; of a single encoding without a RID, that one. */
static fw_encoding_t *match_rid(const fw_producer_t *p, const fw_packet_t *packet, bool rtx) {
    uint8_t id = p->media.ext_ids[rtx ? FW_EXT_REPAIRED_RID : FW_EXT_RID];
    for (unsigned i = 0; i < p->encoding_count; i++) {
        fw_encoding_t *e = p->encodings[i];
        if (e->rid_len == 0 ? p->encoding_count == 1 : id != 0 && ext_is(packet, id, e->rid, e->rid_len)) return e;
    }
    return NULL;
}

/* Finds whose packet this is by MID and RID (RFC 8843 section 9.2, RFC 8852); where the sender has no MID, by a payload
 * type that only one producer uses. */
static fw_encoding_t *learn(fw_core_t *core, fw_transport_t *t, const fw_packet_t *packet) {
    fw_producer_t *owner = NULL;
    for (fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        uint8_t format = p->pt_formats[packet->rtp.payload_type];
        uint8_t id = p->media.ext_ids[FW_EXT_MID];
        if (format == FW_NO_PT) continue;
        if (id != 0 && ext_is(packet, id, p->media.mid, p->media.mid_len)) {
            owner = p;
            break;
        }
        if (id != 0) continue;
        if (owner != NULL) return NULL;
        owner = p;
    }
    if (owner == NULL) return NULL;
    bool rtx = (owner->pt_formats[packet->rtp.payload_type] & 0x80) != 0;
    fw_encoding_t *e = match_rid(owner, packet, rtx);
    fw_ssrc_result_t result = e == NULL ? FW_SSRC_REFUSED : fw_ssrc_learn(core, e, packet->rtp.ssrc, rtx);
    if (result == FW_SSRC_RESTARTED) fw_restart_encoding(core, e);
    return result == FW_SSRC_REFUSED ? NULL : e;
}

/* Extensions that are written per viewer, or speak of the publisher's link or of its choice of layers. */
static bool stays_behind(uint8_t kind) {
    return kind == FW_EXT_MID || kind == FW_EXT_RID || kind == FW_EXT_REPAIRED_RID || kind == FW_EXT_ABS_SEND_TIME ||
           kind == FW_EXT_TRANSPORT_CC || kind == FW_EXT_VIDEO_TIMING || kind == FW_EXT_LAYERS_ALLOCATION;
}

int32_t fw_assign_extensions(const fw_producer_t *p, fw_packet_t *packet) {
    fw_ext_reader_t r = fw_ext_reader(packet->data, &packet->rtp);
    fw_ext_t ext;
    packet->ext_count = 0;
    packet->has_dd = false;
    int32_t transport_cc = -1;
    while (packet->ext_count < FW_PACKET_EXTENSIONS && fw_ext_next(&r, &ext)) {
        uint8_t kind = p->ext_kinds[ext.id];
        if (kind == FW_EXT_TRANSPORT_CC && ext.len >= 2) transport_cc = fw_load16(ext.data);
        if (kind == FW_EXTENSIONS || stays_behind(kind)) continue;
        packet->ext[packet->ext_count++] =
            (fw_packet_ext_t){.offset = (uint16_t)(ext.data - packet->data), .kind = kind, .len = ext.len};
        if (kind == FW_EXT_DEPENDENCY_DESCRIPTOR) packet->has_dd = fw_dd_parse(ext.data, ext.len, &packet->dd);
    }
    return transport_cc;
}

/* Feedback is due on a fixed grid, so that neither bursts nor pauses stretch its interval. */
static void note_arrival(fw_core_t *core, fw_transport_t *t, uint16_t transport_cc, uint32_t ssrc) {
    fw_arrivals_add(t->arrivals, transport_cc, ssrc, core->now_us);
    if (t->feedback_us != UINT64_MAX) return;
    t->feedback_us = core->now_us + FEEDBACK_US - (core->now_us - t->opened_us) % FEEDBACK_US;
    fw_mark_due(core, t);
}

fw_encoding_t *fw_assign(fw_core_t *core, fw_transport_t *t, fw_encoding_t *e, fw_packet_t *packet) {
    if (e == NULL) e = learn(core, t, packet);
    if (e == NULL) {
        fw_ssrc_note_unknown(t, packet->rtp.ssrc);
        core->counters.drop_unknown_ssrc++;
        return NULL;
    }
    uint8_t format = e->producer->pt_formats[packet->rtp.payload_type];
    bool rtx = packet->rtp.ssrc == e->rtx_ssrc;
    int32_t transport_cc = fw_assign_extensions(e->producer, packet);
    if (transport_cc >= 0 && t->arrivals != NULL) note_arrival(core, t, (uint16_t)transport_cc, packet->rtp.ssrc);
    if (format == FW_NO_PT || rtx != ((format & 0x80) != 0)) {
        core->counters.drop_unknown_payload_type++;
        return NULL;
    }
    packet->format = format & 0x7f;
    return e;
}
