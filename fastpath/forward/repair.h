/* What a viewer misses, sent to it again from the cache that all viewers of a producer share. */
#ifndef FW_FORWARD_REPAIR_H
#define FW_FORWARD_REPAIR_H

#include "state.h"

/* Sends again what the viewer asked for under this 16-bit sequence number: by RTX, else byte for byte. */
void fw_repair_send(fw_core_t *core, fw_consumer_t *c, uint16_t seq16);

#endif
