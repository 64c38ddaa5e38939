/* What a packet is to its encoding: read, kept for repairs and newcomers, and queued for those who want it. */
#ifndef FW_FORWARD_ADMIT_H
#define FW_FORWARD_ADMIT_H

#include "state.h"

/* Takes the packet, the pool's next, whose header, extensions, length, format and seq64 are set. A malformed payload is
 * counted and dropped. One of the history is only kept. */
void fw_admit(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool history);

#endif
