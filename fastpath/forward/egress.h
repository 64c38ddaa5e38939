/* What goes out as media: the packets of a batch written anew and protected for each viewer, subscriber by subscriber. */
#ifndef FW_FORWARD_EGRESS_H
#define FW_FORWARD_EGRESS_H

#include "state.h"

/* Sends everything that was queued since the last flush to everyone who wants it. */
void fw_egress_flush(fw_core_t *core);

/* Sends one packet to one consumer, if it wants it. */
void fw_egress_packet(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* The time as header extension abs-send-time has it: 24 bits, 6.18 fixed point seconds. */
static inline uint32_t fw_abs_send_time(uint64_t now_us) {
    return (uint32_t)((now_us % 64000000 << 18) / 1000000) & 0xffffff;
}

#endif
