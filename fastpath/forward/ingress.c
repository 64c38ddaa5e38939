#include "ingress.h"

#include <stdlib.h>

#include "../wire/bytes.h"
#include "../wire/ext.h"
#include "admit.h"
#include "ice.h"
#include "mend.h"
#include "report.h"
#include "sources.h"
#include "table.h"

/* Packets are kept for repairs so long, and for newcomers as much longer as they may start back. */
enum { REPAIR_US = 1000000, LOOK_EVERY = 16 };
enum { LAST_WAIT_US = 200000 }; /* longer than a picture takes at most rates: what comes later is not of the same one, in all likelihood */

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
    return e != NULL && fw_encoding_learn(core, e, packet->rtp.ssrc, rtx) ? e : NULL;
}

/* Extensions that are written per viewer, or speak of the publisher's link or of its choice of layers. */
static bool stays_behind(uint8_t kind) {
    return kind == FW_EXT_MID || kind == FW_EXT_RID || kind == FW_EXT_REPAIRED_RID || kind == FW_EXT_ABS_SEND_TIME ||
           kind == FW_EXT_TRANSPORT_CC || kind == FW_EXT_VIDEO_TIMING || kind == FW_EXT_LAYERS_ALLOCATION;
}

/* Notes those that are forwarded, and in *transport_cc the number that the publisher's link gave the packet, -1 for none. */
static void read_extensions(const fw_producer_t *p, fw_packet_t *packet, int32_t *transport_cc) {
    fw_ext_reader_t r = fw_ext_reader(packet->data, &packet->rtp);
    fw_ext_t ext;
    packet->ext_count = 0;
    packet->has_dd = false;
    *transport_cc = -1;
    while (packet->ext_count < FW_PACKET_EXTENSIONS && fw_ext_next(&r, &ext)) {
        uint8_t kind = p->ext_kinds[ext.id];
        if (kind == FW_EXT_TRANSPORT_CC && ext.len >= 2) *transport_cc = fw_load16(ext.data);
        if (kind == FW_EXTENSIONS || stays_behind(kind)) continue;
        packet->ext[packet->ext_count++] =
            (fw_packet_ext_t){.offset = (uint16_t)(ext.data - packet->data), .kind = kind, .len = ext.len};
        if (kind == FW_EXT_DEPENDENCY_DESCRIPTOR) packet->has_dd = fw_dd_parse(ext.data, ext.len, &packet->dd);
    }
}

/* Whether the number had come before. */
static bool see(fw_encoding_t *e, uint64_t seq64) {
    bool before = fw_cache_is(&e->cache, seq64, FW_CACHE_CAME);
    fw_cache_mark(&e->cache, seq64, FW_CACHE_CAME);
    return before;
}

/* Whether what the cache will soon forget is so young that a newcomer's start or a repair may need it. */
static bool forgets_too_soon(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64) {
    if (seq64 % LOOK_EVERY != 0) return false;
    const fw_packet_t *old = fw_encoding_cached(core, e, seq64 - fw_cache_reach(&e->cache) + LOOK_EVERY);
    return old != NULL && core->now_us - old->arrival_us < (uint64_t)core->config.instant_join_us + REPAIR_US;
}

static void advance(const fw_core_t *core, fw_encoding_t *e, uint64_t seq64) {
    if (forgets_too_soon(core, e, seq64)) fw_cache_grow(&e->cache, e->highest_seq64);
    fw_cache_advance(&e->cache, e->highest_seq64, seq64);
    e->highest_seq64 = seq64;
}

/* Numbers the packet and keeps the books of what is missing. False where it is a duplicate or too late: a number that
 * went out once must not go out again with other bytes. */
static bool sequence(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx) {
    bool first = e->highest_seq64 == 0;
    if (first) e->highest_seq64 = e->turns_seq64 + packet->rtp.seq16 - 1;
    packet->seq64 = fw_seq_extend(e->highest_seq64, packet->rtp.seq16);
    if (packet->seq64 + e->cache.size <= e->highest_seq64) {
        core->counters.drop_late++;
        return false;
    }
    if (packet->seq64 <= e->highest_seq64) {
        fw_nack_received(&e->nack, packet->seq64, core->now_us, rtx);
        if (!see(e, packet->seq64)) return true;
        core->counters.drop_duplicate++;
        return false;
    }
    const fw_format_t *format = &e->producer->media.formats[packet->format];
    if (!first && packet->seq64 > e->highest_seq64 + 1 && (format->feedback & FW_FB_NACK) != 0)
        fw_nack_gap(&e->nack, e->highest_seq64, packet->seq64, core->now_us);
    advance(core, e, packet->seq64);
    return true;
}

/* Turns a retransmission into the packet that it repeats (RFC 4588 section 4). False where it carries none. */
static bool unwrap(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    fw_rtp_t *rtp = &packet->rtp;
    uint64_t seq64 = e->rtx_highest_seq64 == 0 ? FW_FIRST_TURN + rtp->seq16 : fw_seq_extend(e->rtx_highest_seq64, rtp->seq16);
    if (seq64 > e->rtx_highest_seq64) e->rtx_highest_seq64 = seq64;
    core->counters.rtx_in++;
    fw_receive_stats_add(&e->rtx_stats, seq64, rtp->timestamp, packet->len, core->now_us, 90000, false);
    if (rtp->payload_len == 0) {
        core->counters.padding_in++;
        return false;
    }
    if (rtp->payload_len < 2 || e->highest_seq64 == 0) {
        core->counters.drop_rtx_malformed++;
        return false;
    }
    uint8_t *payload = packet->data + rtp->header_len;
    rtp->seq16 = fw_load16(payload);
    rtp->ssrc = e->ssrc;
    rtp->payload_type = e->producer->media.formats[packet->format].pt;
    rtp->payload_len = (uint16_t)(rtp->payload_len - 2);
    memmove(payload, payload + 2, rtp->payload_len);
    /* The header is put right as well: another worker reads the packet again from its bytes. */
    packet->data[0] &= 0xdf;
    packet->data[1] = (uint8_t)((rtp->marker ? 0x80 : 0) | rtp->payload_type);
    fw_store16(packet->data + 2, rtp->seq16);
    fw_store32(packet->data + 8, rtp->ssrc);
    packet->len = (uint16_t)(rtp->header_len + rtp->payload_len);
    return true;
}

static void drop_unprotected(fw_core_t *core, fw_srtp_status_t status) {
    if (status == FW_SRTP_REPLAYED) core->counters.drop_srtp_replayed++;
    if (status == FW_SRTP_FORGED) core->counters.drop_srtp_forged++;
    if (status == FW_SRTP_FAILED) core->counters.drop_srtp_failed++;
}

/* Whether a slot is left that is not in the batch. */
static bool pool_has_room(fw_core_t *core) {
    if (core->touched == NULL || core->pool.next - core->batch_number < core->pool.count - 1) return true;
    core->counters.drop_pool_full++;
    return false;
}

/* Decrypts into the next slot. NULL, and counted, where it is not an authentic packet. */
static fw_packet_t *open_packet(fw_core_t *core, fw_transport_t *t, const uint8_t *data, size_t len) {
    fw_packet_t *packet = fw_pool_peek(&core->pool);
    if (len > FW_PACKET_BYTES) {
        core->counters.drop_oversize++;
        return NULL;
    }
    if (!pool_has_room(core)) return NULL;
    fw_outbox_protect(&core->outbox); /* a repair may be waiting that reads from the slot */
    /* The slot is being used again: whatever named its packet is told so by the encoding. */
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

/* The encoding of an authentic packet, its format set and its extensions read. NULL and counted where there is none. */
static fw_encoding_t *assign(fw_core_t *core, fw_transport_t *t, fw_encoding_t *e, fw_packet_t *packet) {
    if (e == NULL) e = learn(core, t, packet);
    if (e == NULL) {
        fw_transport_note_stranger(t, packet->rtp.ssrc);
        core->counters.drop_unknown_ssrc++;
        return NULL;
    }
    uint8_t format = e->producer->pt_formats[packet->rtp.payload_type];
    bool rtx = packet->rtp.ssrc == e->rtx_ssrc;
    int32_t transport_cc;
    read_extensions(e->producer, packet, &transport_cc);
    if (transport_cc >= 0 && t->arrivals != NULL) {
        fw_arrivals_add(t->arrivals, (uint16_t)transport_cc, packet->rtp.ssrc, core->now_us);
        if (t->feedback_us == UINT64_MAX) {
            /* On a grid of its own, so that neither bursts nor pauses stretch the interval. */
            t->feedback_us = core->now_us + FW_FEEDBACK_US - (core->now_us - t->opened_us) % FW_FEEDBACK_US;
            fw_transport_schedule(core, t);
        }
    }
    if (format == FW_NO_PT || rtx != ((format & 0x80) != 0)) {
        core->counters.drop_unknown_payload_type++;
        return NULL;
    }
    packet->format = format & 0x7f;
    return e;
}

static void take_in(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx) {
    const fw_format_t *format = &e->producer->media.formats[packet->format];
    if (!sequence(core, e, packet, rtx)) return;
    if (packet->rtp.payload_len == 0) core->counters.padding_in++;
    if (rtx)
        e->recovered++;
    else
        fw_receive_stats_add(&e->stats, packet->seq64, packet->rtp.timestamp, packet->len, core->now_us, format->clock_hz,
                             packet->seq64 == e->highest_seq64);
    fw_admit(core, e, packet, false);
}

static bool is_newest(const fw_encoding_t *e, const fw_packet_t *packet) {
    return e->highest_seq64 != 0 && fw_seq_extend(e->highest_seq64, packet->rtp.seq16) > e->highest_seq64;
}

/* Puts the packet aside where the next one tells whether it ends its picture. */
static bool keep_last(fw_encoding_t *e, const fw_packet_t *packet) {
    if (e->last != NULL || !is_newest(e, packet) || !fw_mend_awaits_next(e, packet)) return false;
    e->last = malloc(sizeof *e->last);
    if (e->last != NULL) *e->last = *packet;
    return e->last != NULL;
}

/* Takes in the packet that was put aside. Overwrites the pool's next slot. */
static void take_in_last(fw_core_t *core, fw_encoding_t *e) {
    fw_packet_t *last = e->last, *packet = fw_pool_peek(&core->pool);
    e->last = NULL;
    if (last->rtp.ssrc == e->ssrc && pool_has_room(core)) {
        fw_outbox_protect(&core->outbox);
        *packet = *last;
        take_in(core, e, packet, false);
    }
    free(last);
}

/* Takes in the packet that was put aside, where this one is of a later number. Returns where this one is now; NULL, and
 * counted, where the pool has no room for both. */
static fw_packet_t *release_last(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    if (e->last == NULL || (uint16_t)(packet->rtp.seq16 - e->last->rtp.seq16) >= 0x8000) return packet;
    fw_packet_t next = *packet;
    fw_mend_marker(e, e->last, &next);
    take_in_last(core, e);
    if (!pool_has_room(core)) return NULL;
    fw_outbox_protect(&core->outbox);
    packet = fw_pool_peek(&core->pool);
    *packet = next;
    return packet;
}

uint64_t fw_ingress_next_us(const fw_encoding_t *e) {
    return e->last == NULL ? UINT64_MAX : e->last->arrival_us + LAST_WAIT_US;
}

void fw_ingress_tick(fw_core_t *core, fw_encoding_t *e) {
    if (core->now_us < fw_ingress_next_us(e)) return;
    fw_mend_marker(e, e->last, NULL);
    take_in_last(core, e);
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
    /* Strangers count too: each SSRC that authenticates costs state of decryption. */
    if (e == NULL && t->inbound.count >= core->config.max_ssrcs) {
        core->counters.drop_ssrc_limit++;
        return;
    }
    if (e == FW_STRANGER) e = NULL;
    fw_packet_t *packet = open_packet(core, t, data, len);
    if (packet == NULL) return;
    fw_ice_heard(core, t, path);
    e = assign(core, t, e, packet);
    if (e == NULL) return;
    bool rtx = packet->rtp.ssrc == e->rtx_ssrc;
    if (rtx && !unwrap(core, e, packet)) return;
    packet = release_last(core, e, packet);
    if (packet == NULL) return;
    if (rtx || !keep_last(e, packet)) take_in(core, e, packet, rtx);
    if (e->last != NULL || e->nack.count > 0 || e->nack.gave_up) fw_transport_schedule(core, t);
}

void fw_ingress_hand(fw_core_t *core, const fw_hand_t *head, const uint8_t *data, size_t len, bool history) {
    fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
    if (p == NULL || head->encoding >= p->encoding_count || len > FW_PACKET_BYTES) {
        core->counters.drop_handover_stale++;
        return;
    }
    if (!pool_has_room(core)) return;
    fw_encoding_t *e = p->encodings[head->encoding];
    fw_packet_t *packet = fw_pool_peek(&core->pool);
    packet->encoding = NULL;
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    /* The other worker may have read the clock later than this one. */
    packet->arrival_us = head->arrival_us < core->now_us ? head->arrival_us : core->now_us;
    packet->seq64 = head->seq64;
    bool whole = fw_rtp_parse_header(packet->data, len, &packet->rtp) && fw_rtp_parse_body(packet->data, len, &packet->rtp);
    packet->format = whole ? p->pt_formats[packet->rtp.payload_type] & 0x7f : FW_NO_PT;
    if (packet->format >= p->media.format_count) {
        core->counters.drop_handover_stale++;
        return;
    }
    if (packet->rtp.ssrc != e->ssrc) (void)fw_encoding_learn(core, e, packet->rtp.ssrc, false);
    e->nack.given_up = head->given_up;
    core->counters.handover_in++;
    if (packet->seq64 > e->highest_seq64) {
        advance(core, e, packet->seq64);
    } else if (packet->seq64 + e->cache.size <= e->highest_seq64 || see(e, packet->seq64)) {
        core->counters.drop_duplicate++;
        return;
    }
    int32_t unused;
    read_extensions(p, packet, &unused); /* the other worker has told the publisher of its arrival */
    fw_admit(core, e, packet, history);
}

fw_error_t fw_ingress_feed(fw_core_t *core, fw_producer_t *p, const uint8_t *data, size_t len) {
    if (p->home_worker != FW_NO_WORKER || len < FW_RTP_HEADER_BYTES) return FW_REFUSED;
    const fw_encoding_t *e = p->encodings[0];
    uint16_t seq16 = fw_load16(data + 2);
    fw_hand_t head = {.producer_id = p->id, .arrival_us = core->now_us};
    head.seq64 = e->highest_seq64 == 0 ? FW_FIRST_TURN + seq16 : fw_seq_extend(e->highest_seq64, seq16);
    fw_ingress_hand(core, &head, data, len, false);
    return FW_DONE;
}
