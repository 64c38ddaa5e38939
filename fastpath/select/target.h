/* The target of a consumer: the encoding to forward to it. */
#ifndef FW_SELECT_TARGET_H
#define FW_SELECT_TARGET_H

#include "../state/core.h"

/* Sets the target: the preferred encoding where it is live, else the best. Where the consumer has to wait for a sync point,
 * starts it from a young keyframe in the cache, or requests a new one. */
void fw_target_aim(fw_core_t *core, fw_consumer_t *c);

/* Takes the viewer's keyframe request: starts it once more at the newest keyframe where that is young, else requests one. */
void fw_target_refresh(fw_core_t *core, fw_consumer_t *c);

#endif
