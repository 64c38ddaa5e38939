/* Which encodings of a producer are live, and which of them is the best. */
#ifndef FW_SELECT_RANK_H
#define FW_SELECT_RANK_H

#include "../state/core.h"

/* Updates the ranks after a packet, at most ten times a second, and the targets of consumers where the ranks changed. */
void fw_rank_update(fw_core_t *core, fw_producer_t *p);

#endif
