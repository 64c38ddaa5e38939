#include "switch.h"

#include "../select/fast_start_list.h"
#include "../select/keyframe.h"
#include "../select/layers.h"
#include "../state/marks.h"
#include "parameter_sets.h"

/* Switches to the encoding of this packet. Sequence numbers, timestamps and picture ids continue from the last packet sent. */
static void switch_source(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    bool first = c->packets == 0;
    c->sets_due = fw_parameter_sets_reserve(c, packet);
    fw_seqmap_switch(&c->seqmap, packet->seq64, fw_layers_limit(c, e));
    c->start_seq64 = packet->seq64;
    c->left_out_picture_id = FW_NO_PICTURE;
    fw_epoch_t *epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch);
    *epoch = (fw_epoch_t){.encoding = e, .number = c->seqmap.growing.epoch, .squeezed_end = c->in_fast_start ? UINT64_MAX : 0};
    if (c->in_fast_start)
        epoch->squeezed_before = packet->rtp.timestamp + (uint32_t)fw_ticks(c->fast_start_end_us - packet->arrival_us, c->clock_hz);
    /* In fast start a packet counts as arriving when it is due. */
    fw_tsmap_switch(&c->tsmap, fw_epoch_timestamp(epoch, packet), c->in_fast_start ? fw_fast_start_due_us(c, packet) : packet->arrival_us,
                    c->clock_hz, &e->sr, c->same_clock);
    c->same_clock = true;
    epoch->ts_offset = c->tsmap.offset;
    if (!first) {
        epoch->picture_id_offset = (uint16_t)(c->last_picture_id + 1 - packet->frame.picture_id);
        epoch->tl0_offset = (uint8_t)(c->last_tl0 + 1 - packet->frame.tl0_pic_idx);
        epoch->keyidx_offset = (uint8_t)(c->last_keyidx + 1 - packet->frame.keyidx);
        if (packet->has_dd) epoch->frame_number_offset = (uint16_t)(c->last_frame_number + 1 - packet->dd.frame_number);
    }
    c->reported = false;
    fw_mark_changed(core, c->transport);
    if (e->clock.known) {
        c->first_report_due = true;
        fw_mark_first_report(core, c->transport);
    }
}

void fw_switch_note_sent(fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how) {
    const fw_epoch_t *epoch = how->epoch;
    if (how->seq64 < c->sent_seq64) return;
    c->sent_seq64 = how->seq64;
    /* A packet with a compressed timestamp counts as having arrived when it was due. */
    uint32_t in = fw_epoch_timestamp(epoch, packet) - epoch->ts_offset;
    bool squeezed = in != packet->rtp.timestamp;
    fw_tsmap_advance(&c->tsmap, in, squeezed ? fw_fast_start_due_us(c, packet) : packet->arrival_us);
    if (packet->frame.has_picture_id) c->last_picture_id = fw_rewrite_picture_id(packet, how);
    if (packet->frame.has_tl0) c->last_tl0 = (uint8_t)(packet->frame.tl0_pic_idx + epoch->tl0_offset);
    if (packet->frame.has_keyidx) c->last_keyidx = (uint8_t)(packet->frame.keyidx + epoch->keyidx_offset);
    if (packet->has_dd) c->last_frame_number = (uint16_t)(packet->dd.frame_number + epoch->frame_number_offset);
}

/* Leaves a packet out without a gap in the numbers. Where it is too late for that, the gap remains, as a loss. */
static void leave_out(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    if (c->select.current == FW_ENCODING_NONE || packet->encoding != c->producer->encodings[c->select.current]) return;
    if (!fw_seqmap_skip(&c->seqmap, packet->seq64)) core->counters.drop_late_for_consumer++;
}

/* Whether the packet is of a forwarded layer. A late packet is sent anyway, as padding if it is of another layer: its number is
 * reserved. */
static bool takes_layer(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    if (!frame->has_layers) return true;
    if (packet->seq64 <= c->seqmap.highest_in) {
        /* The start of this keyframe arrived too late to add layers at it. */
        if (frame->keyframe && fw_layers_lacking(c))
            fw_keyframe_want(core, c->producer, (uint8_t)(1U << c->select.current));
        return true;
    }
    fw_layers_t now = fw_seqmap_layers(&c->seqmap);
    fw_layers_t next = fw_layers_next(now, fw_layers_limit(c, packet->encoding), frame);
    if (next.spatial != now.spatial || next.temporal != now.temporal) {
        fw_seqmap_change_layers(&c->seqmap, packet->seq64, next);
        fw_mark_changed(core, c->transport);
    }
    now = next;
    if (fw_layers_hold(now, frame)) return true;
    (void)fw_seqmap_skip(&c->seqmap, packet->seq64);
    if (frame->ids_close_up && frame->picture_id != c->left_out_picture_id) {
        c->left_out_picture_id = frame->picture_id;
        now.pictures++;
        fw_seqmap_change_layers(&c->seqmap, packet->seq64 + 1, now);
    }
    fw_switch_note_sent(c, packet,
                      &(fw_rewrite_t){.epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch), .layers = now, .seq64 = c->seqmap.highest_out});
    return false;
}

bool fw_switch_wants(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    uint8_t mapped = c->formats[packet->format];
    if (mapped == FW_NO_PT) {
        core->counters.drop_no_consumer_format++;
        leave_out(core, c, packet);
        return false;
    }
    switch (fw_select(&c->select, (int8_t)e->index, packet->sync_point)) {
        case FW_SELECT_DROP: return false;
        case FW_SELECT_FORWARD: break;
        case FW_SELECT_SWITCH:
            c->clock_hz = c->media->payload_types[mapped].clock_rate_hz;
            switch_source(core, c, packet);
    }
    /* Padding is not forwarded, unless a later number was sent already. */
    if (packet->rtp.payload_len == 0) return !fw_seqmap_skip(&c->seqmap, packet->seq64);
    return takes_layer(core, c, packet);
}

bool fw_switch_find_late(fw_consumer_t *c, const fw_packet_t *packet, fw_rewrite_t *how) {
    const fw_encoding_t *e = packet->encoding;
    if (packet->seq64 >= e->highest_seq64) return false;
    /* An encoding restarted from the cache may have sent the packet in its earlier epoch: its number is not free. */
    bool again = fw_consumer_epoch(c, c->seqmap.growing.epoch)->encoding == e && packet->seq64 >= c->start_seq64;
    if (again) return false;
    for (uint32_t back = 1; back < FW_EPOCHS; back++) {
        const fw_epoch_t *before = fw_consumer_epoch(c, c->seqmap.growing.epoch - back);
        fw_stretch_t stretch;
        if (before->number != c->seqmap.growing.epoch - back || before->encoding != e) continue;
        if (!fw_seqmap_find(&c->seqmap, before->number, packet->seq64, &stretch)) continue;
        how->epoch = before;
        how->layers = stretch.layers;
        how->seq64 = fw_stretch_give(&stretch, packet->seq64);
        return true;
    }
    return false;
}
