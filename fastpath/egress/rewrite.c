#include "rewrite.h"

#include "../wire/bytes.h"
#include "../wire/ext.h"
#include "../wire/red.h"
#include "../wire/rtp.h"

enum { EXTENSION_ROOM = 400 };

static bool needs_two_bytes(const fw_consumer_t *c, const fw_packet_t *packet) {
    if (!c->mixed_extensions) return false;
    for (unsigned kind = 0; kind <= FW_EXT_TRANSPORT_CC; kind++)
        if (c->media->extensions[kind] > 14) return true;
    for (unsigned i = 0; i < packet->ext_count; i++) {
        const fw_packet_ext_t *ext = &packet->ext[i];
        if (c->media->extensions[ext->kind] == 0) continue;
        if (ext->len == 0 || ext->len > 16 || c->media->extensions[ext->kind] > 14) return true;
    }
    return false;
}

/* Writes the elements of fw_consumer_t.own, with zeros for the values that change with each packet, and their offsets. */
static void put_own(fw_ext_writer_t *w, const fw_media_t *m, uint8_t *abs_send_time_at, uint8_t *transport_cc_at) {
    const uint8_t *ids = m->extensions;
    uint8_t *at;
    *abs_send_time_at = *transport_cc_at = 0;
    if (ids[FW_EXT_ABS_SEND_TIME] != 0 && (at = fw_ext_put(w, ids[FW_EXT_ABS_SEND_TIME], 3)) != NULL) {
        fw_store24(at, 0);
        *abs_send_time_at = (uint8_t)(at - w->start);
    }
    if (ids[FW_EXT_TRANSPORT_CC] != 0 && (at = fw_ext_put(w, ids[FW_EXT_TRANSPORT_CC], 2)) != NULL) {
        fw_store16(at, 0);
        *transport_cc_at = (uint8_t)(at - w->start);
    }
    if (ids[FW_EXT_MID] != 0 && (at = fw_ext_put(w, ids[FW_EXT_MID], m->mid_len)) != NULL) memcpy(at, m->mid, m->mid_len);
}

void fw_rewrite_prepare(fw_consumer_t *c) {
    fw_ext_writer_t w;
    fw_ext_begin(&w, c->own.bytes, sizeof c->own.bytes, false);
    put_own(&w, c->media, &c->own.abs_send_time_at, &c->own.transport_cc_at);
    c->own.len = (uint8_t)w.len;
}

static size_t write_extensions(const fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how, uint8_t *out) {
    const uint8_t *ids = c->media->extensions;
    uint8_t abs_send_time_at = c->own.abs_send_time_at, transport_cc_at = c->own.transport_cc_at;
    fw_ext_writer_t w;
    uint8_t *at;
    fw_ext_begin(&w, out, EXTENSION_ROOM, needs_two_bytes(c, packet));
    if (w.two_byte) {
        put_own(&w, c->media, &abs_send_time_at, &transport_cc_at);
    } else {
        memcpy(out, c->own.bytes, sizeof c->own.bytes);
        w.len = c->own.len;
    }
    if (abs_send_time_at != 0) fw_store24(out + abs_send_time_at, how->abs_send_time);
    if (transport_cc_at != 0) fw_store16(out + transport_cc_at, how->transport_cc);
    for (unsigned i = 0; !how->empty && i < packet->ext_count; i++) {
        const fw_packet_ext_t *ext = &packet->ext[i];
        if (ids[ext->kind] == 0) continue;
        at = fw_ext_put(&w, ids[ext->kind], ext->len);
        if (at == NULL) continue;
        memcpy(at, packet->data + ext->offset, ext->len);
        if (ext->kind == FW_EXT_DEPENDENCY_DESCRIPTOR && packet->has_dd)
            fw_store16(at + 1, (uint16_t)(packet->dd.frame_number + how->epoch->frame_number_offset));
    }
    return fw_ext_end(&w);
}

/* Copies the payload up to the last byte that changes, with the changes. Returns the number of bytes: 0 for a consumer that was sent
 * the whole stream from its start. */
static size_t write_picture_ids(const fw_packet_t *packet, const fw_rewrite_t *how, const uint8_t *payload, uint8_t *out) {
    const fw_frame_t *f = &packet->frame;
    size_t len = 0;
    if (how->epoch->tl0_offset == 0 && how->epoch->keyidx_offset == 0 && fw_rewrite_picture_id(packet, how) == f->picture_id) return 0;
    if (f->has_picture_id) len = (size_t)f->picture_id_offset + (f->picture_id_bits == 15 ? 2 : 1);
    if (f->has_tl0 && (size_t)f->tl0_offset + 1 > len) len = (size_t)f->tl0_offset + 1;
    if (f->has_keyidx) len = (size_t)f->keyidx_offset + 1;
    memcpy(out, payload, len);
    if (f->has_picture_id) {
        uint16_t id = fw_rewrite_picture_id(packet, how);
        if (f->picture_id_bits == 15) {
            fw_store16(out + f->picture_id_offset, (uint16_t)(0x8000 | id));
        } else {
            out[f->picture_id_offset] = (uint8_t)(id & 0x7f);
        }
    }
    if (f->has_tl0) out[f->tl0_offset] = (uint8_t)(f->tl0_pic_idx + how->epoch->tl0_offset);
    if (f->has_keyidx)
        out[f->keyidx_offset] = (uint8_t)((payload[f->keyidx_offset] & 0xE0) | ((f->keyidx + how->epoch->keyidx_offset) & 0x1F));
    return len;
}

/* RED names the payload types of its blocks: they become the viewer's. A viewer without RED gets the newest block. */
static size_t write_red(const fw_consumer_t *c, const uint8_t *payload, uint8_t *out, uint8_t codec, fw_srtp_job_t *job) {
    fw_red_t red;
    if (!fw_red_parse(payload, job->body_len, &red)) return 0; /* ingress has let only whole ones in */
    if (codec != FW_RED) {
        job->body = payload + red.primary_offset;
        job->body_len = (uint16_t)(job->body_len - red.primary_offset);
        return 0;
    }
    memcpy(out, payload, red.headers_len);
    for (size_t at = 0; at < red.headers_len; at += (out[at] & 0x80) != 0 ? 4 : 1) {
        uint8_t format = c->producer->pt_formats[out[at] & 0x7f];
        if (format >= FW_FORMATS || c->formats[format] == FW_NO_PT) continue;
        out[at] = (uint8_t)((out[at] & 0x80) | c->media->payload_types[c->formats[format]].pt);
    }
    return red.headers_len;
}

bool fw_rewrite(const fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how, fw_srtp_job_t *job) {
    uint8_t mapped = c->formats[packet->format];
    if (mapped == FW_NO_PT) return false;
    const fw_format_t *format = &c->media->payload_types[mapped];
    uint8_t pt = how->rtx ? format->rtx_pt : format->pt;
    if (pt == FW_NO_PT) return false;
    bool held = !how->empty && fw_layers_hold(how->layers, &packet->frame);
    bool marker = held && (packet->rtp.marker || fw_layers_end_picture(how->layers, &packet->frame));
    size_t header = FW_RTP_HEADER_BYTES + write_extensions(c, packet, how, job->out + FW_RTP_HEADER_BYTES);
    fw_rtp_write(job->out, false, header > FW_RTP_HEADER_BYTES, marker, pt, (uint16_t)how->seq64,
                 fw_epoch_timestamp(how->epoch, packet), how->ssrc);
    uint8_t *prefix = job->out + header;
    if (how->rtx) {
        fw_store16(prefix, how->original_seq16);
        prefix += 2;
    }
    const uint8_t *payload = packet->data + packet->rtp.header_len;
    job->body = payload;
    job->body_len = held ? packet->rtp.payload_len : 0;
    size_t own = 0;
    if (job->body_len > 0) {
        own = c->producer->media.payload_types[packet->format].codec == FW_RED
                  ? write_red(c, payload, prefix, format->codec, job)
                  : write_picture_ids(packet, how, payload, prefix);
    }
    job->index = how->seq64;
    job->header_len = (uint16_t)header;
    job->prefix_len = (uint16_t)(own + (size_t)(prefix - (job->out + header)));
    job->body += own;
    job->body_len = (uint16_t)(job->body_len - own);
    job->padding = 0;
    return true;
}
