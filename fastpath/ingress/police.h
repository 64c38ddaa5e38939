/* Limits each publisher's bit rate, and each producer's share of the worker's packet pool. */
#ifndef FW_INGRESS_POLICE_H
#define FW_INGRESS_POLICE_H

#include "../state/core.h"

/* Returns whether an authenticated packet of `len` bytes is within the transport's publish_bps. The token bucket holds one second of
 * the rate, so at most twice the rate passes in one second. Counts drop_publish_rate where the packet exceeds it. */
bool fw_police_rate(fw_core_t *core, fw_transport_t *t, size_t len);

/* Returns whether the producer may use another slot of the pool. While the pool keeps packets for less than 1 s, each of several
 * producers may use a quarter of the pool's slots per second, with bursts of a sixteenth. Counts drop_pool_share above that. */
bool fw_police_share(fw_core_t *core, fw_producer_t *p);

#endif
