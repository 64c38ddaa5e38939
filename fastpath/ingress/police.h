/* Bounds what one publisher takes of a worker: its bit rate, and its share of the packets that the worker keeps. */
#ifndef FW_INGRESS_POLICE_H
#define FW_INGRESS_POLICE_H

#include "../state/core.h"

/* Whether an authentic packet of `len` bytes is within the transport's publish_bps: a token bucket that holds one second, so that
 * twice the rate passes for a second. Counts drop_publish_rate where it is not. */
bool fw_police_rate(fw_core_t *core, fw_transport_t *t, size_t len);

/* Whether the producer may use another slot of the pool. While the pool keeps packets for less than a second, a producer that
 * shares it with others gets a quarter of the pool a second. Counts drop_pool_share where that is used up. */
bool fw_police_share(fw_core_t *core, fw_producer_t *p);

#endif
