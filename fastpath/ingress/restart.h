/* Restarts an encoding that continues under another SSRC. */
#ifndef FW_INGRESS_RESTART_H
#define FW_INGRESS_RESTART_H

#include "../state/core.h"

/* Resets an encoding whose sender has changed the SSRC, and with it sequence numbers and RTP clock. Its consumers switch to the new
 * stream at a keyframe, as they do to another encoding. */
void fw_restart_encoding(fw_core_t *core, fw_encoding_t *e);

#endif
