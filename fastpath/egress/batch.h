/* Sends the batch subscriber-major: transport by transport, all that its consumers want. */
#ifndef FW_EGRESS_BATCH_H
#define FW_EGRESS_BATCH_H

#include "../state/core.h"

/* Sends the batch to every consumer that wants it, each transport through its sink, and empties it. */
void fw_egress_flush(fw_core_t *core);

#endif
