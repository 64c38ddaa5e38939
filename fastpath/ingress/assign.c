#include "assign.h"

#include "../state/marks.h"
#include "../state/ssrc.h"
#include "../wire/bytes.h"
#include "../wire/ext.h"
#include "restart.h"

enum { FEEDBACK_US = 50000 }; /* interval of transport-wide feedback messages */

/* A stream without MID and RID replaces another only after a BYE, or TAKEOVER_US after the other's last packet. */
enum { TAKEOVER_US = 200000 };

static bool find_extension(const fw_packet_t *packet, uint8_t id, fw_ext_t *found) {
    fw_ext_reader_t r = fw_ext_reader(packet->data, &packet->rtp);
    while (id != 0 && fw_ext_next(&r, found))
        if (found->id == id) return true;
    return false;
}

static bool extension_is(const fw_ext_t *ext, const char *value, size_t len) {
    return ext->len == len && memcmp(ext->data, value, len) == 0;
}

/* Returns the encoding with the packet's RID or repaired RID (RFC 8852), and then sets *named. Without that extension or without a
 * negotiated RID, returns the producer's encoding if it has only one, else NULL. */
static fw_encoding_t *match_rid(const fw_producer_t *p, const fw_packet_t *packet, bool rtx, bool *named) {
    fw_ext_t rid;
    bool has_rid = find_extension(packet, p->media.extensions[rtx ? FW_EXT_REPAIRED_RID : FW_EXT_RID], &rid);
    for (unsigned i = 0; i < p->encoding_count; i++) {
        fw_encoding_t *e = p->encodings[i];
        if (has_rid && e->rid_len != 0) {
            if (!extension_is(&rid, e->rid, e->rid_len)) continue;
            *named = true;
            return e;
        }
        if (p->encoding_count == 1) return e;
    }
    return NULL;
}

/* Returns the producer with the packet's MID. For a packet without a MID, returns the only producer that negotiated its payload type,
 * for media or for RTX (RFC 9143 section 9.2). NULL for an unknown MID, or a payload type of no producer or of several. */
static fw_producer_t *match_mid(const fw_transport_t *t, const fw_packet_t *packet, bool *named) {
    fw_producer_t *by_payload_type = NULL;
    unsigned owners = 0;
    fw_ext_t mid;
    *named = false;
    for (fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        if (find_extension(packet, p->media.extensions[FW_EXT_MID], &mid)) {
            *named = true;
            if (extension_is(&mid, p->media.mid, p->media.mid_len)) return p;
        }
        if (p->pt_formats[packet->rtp.payload_type] == FW_NO_PT) continue;
        by_payload_type = p;
        owners++;
    }
    return *named || owners != 1 ? NULL : by_payload_type;
}

/* Returns whether a stream without MID and RID may replace the encoding's SSRC. So two streams of one payload type do not replace
 * each other in turn. */
static bool may_take_over(const fw_core_t *core, const fw_encoding_t *e, bool rtx) {
    if (rtx) return e->rtx_ssrc == 0 || core->now_us - e->rtx_heard_us >= TAKEOVER_US;
    return e->liveness.heard_us == 0 || core->now_us - e->liveness.heard_us >= TAKEOVER_US;
}

/* Finds the encoding of a packet with an unknown SSRC, and assigns the SSRC to it. NULL where there is none or it is refused. */
static fw_encoding_t *learn_ssrc(fw_core_t *core, fw_transport_t *t, const fw_packet_t *packet) {
    bool named;
    fw_producer_t *p = match_mid(t, packet, &named);
    uint8_t format = p == NULL ? FW_NO_PT : p->pt_formats[packet->rtp.payload_type];
    if (format == FW_NO_PT) return NULL;
    bool rtx = (format & 0x80) != 0;
    fw_encoding_t *e = match_rid(p, packet, rtx, &named);
    if (e == NULL || (!named && !may_take_over(core, e, rtx))) return NULL;
    fw_ssrc_result_t result = fw_ssrc_learn(core, e, packet->rtp.ssrc, rtx);
    if (result == FW_SSRC_RESTARTED) fw_restart_encoding(core, e);
    return result == FW_SSRC_REFUSED ? NULL : e;
}

/* Returns whether an extension is not forwarded: it is written per viewer, or concerns the publisher's path or layer allocation only.
 * */
static bool is_hop_by_hop(uint8_t kind) {
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
        if (kind == FW_EXTENSIONS || is_hop_by_hop(kind)) continue;
        packet->ext[packet->ext_count++] =
            (fw_packet_ext_t){.offset = (uint16_t)(ext.data - packet->data), .kind = kind, .len = ext.len};
        if (kind == FW_EXT_DEPENDENCY_DESCRIPTOR) packet->has_dd = fw_dd_parse(ext.data, ext.len, &packet->dd);
    }
    return transport_cc;
}

/* Schedules feedback at multiples of FEEDBACK_US after the transport opened, so that neither bursts nor pauses extend the interval. */
static void note_arrival(fw_core_t *core, fw_transport_t *t, uint16_t transport_cc, uint32_t ssrc) {
    fw_arrivals_add(t->arrivals, transport_cc, ssrc, core->now_us);
    if (t->feedback_us != UINT64_MAX) return;
    t->feedback_us = core->now_us + FEEDBACK_US - (core->now_us - t->opened_us) % FEEDBACK_US;
    fw_mark_due(core, t);
}

fw_encoding_t *fw_assign(fw_core_t *core, fw_transport_t *t, fw_encoding_t *e, fw_packet_t *packet) {
    if (e == NULL) e = learn_ssrc(core, t, packet);
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
