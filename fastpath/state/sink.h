/* The sink of a transport: the functions that send its media, by the kind of the transport.
 *
 * A transport has one sink from the time it is opened, so egress chooses once per transport and flush, never per packet. A new
 * kind of transport is a new file in egress/ that defines an fw_sink_t. Media for another worker is sent by producer instead:
 * egress/relay.h.
 */
#ifndef FW_STATE_SINK_H
#define FW_STATE_SINK_H

#include "../base/pool.h"
#include "types.h"

typedef struct fw_sink {
    /* Sends the packets of the batch that the pending consumers of `t` want. */
    void (*flush)(fw_core_t *core, fw_transport_t *t);
    /* Sends one cached packet to one consumer, if the consumer wants it. */
    void (*packet)(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);
} fw_sink_t;

#endif
