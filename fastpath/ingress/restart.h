/* An encoding that goes on under another SSRC. */
#ifndef FW_INGRESS_RESTART_H
#define FW_INGRESS_RESTART_H

#include "../state/core.h"

/* Resets an encoding whose sender has chosen another SSRC, with other sequence numbers and another clock. Its consumers
 * switch to the new numbers at a keyframe, as they would to another encoding. */
void fw_restart_encoding(fw_core_t *core, fw_encoding_t *e);

#endif
