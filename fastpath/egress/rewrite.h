/* Writes a packet for one consumer: RTP header, header extensions, and the payload bytes that differ from the source. */
#ifndef FW_EGRESS_REWRITE_H
#define FW_EGRESS_REWRITE_H

#include "../state/core.h"

/* The longest header, prefix included, that is ever written. */
#define FW_REWRITE_MAX_BYTES 480

/* The values that depend on the consumer and on this transmission. */
typedef struct {
    const fw_epoch_t *epoch;
    fw_layers_t layers; /* the layers forwarded at that time: a packet of another layer is written as padding */
    uint64_t seq64;
    uint32_t ssrc;
    uint32_t abs_send_time; /* 24 bits, 6.18 fixed point seconds */
    uint16_t transport_cc;
    uint16_t original_seq16; /* of a retransmission: RTX's OSN (RFC 4588 section 4) */
    bool rtx;
    bool empty; /* write no payload and no forwarded extensions, only the number */
} fw_rewrite_t;

/* The picture id of the packet as sent to this consumer, in 16 bits. */
static inline uint16_t fw_rewrite_picture_id(const fw_packet_t *packet, const fw_rewrite_t *how) {
    return (uint16_t)(packet->frame.picture_id + how->epoch->picture_id_offset - how->layers.pictures);
}

/* The time in the format of the abs-send-time extension: 24 bits, 6.18 fixed point seconds. */
static inline uint32_t fw_abs_send_time(uint64_t now_us) {
    return (uint32_t)((now_us % 64000000 << 18) / 1000000) & 0xffffff;
}

/* Prepares fw_consumer_t.own, once the consumer's media description is set. */
void fw_rewrite_prepare(fw_consumer_t *c);

/* Writes header and prefix at job->out and points the job at the rest. False where the consumer has no payload type
 * for it. */
bool fw_rewrite(const fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how, fw_srtp_job_t *job);

/* Adds bytes of RTP padding at the end of the packet; 0 for none. */
static inline void fw_rewrite_pad(fw_srtp_job_t *job, uint8_t padding) {
    job->padding = padding;
    if (padding > 0) job->out[0] |= 0x20;
}

#endif
