/* The answering side of ICE, all that ICE-lite is (RFC 8445 section 2.5). */
#ifndef FW_ICE_ANSWER_H
#define FW_ICE_ANSWER_H

#include "../state/core.h"

/* Receives a STUN message: verifies it, answers it, and takes it as consent and perhaps as a new path. Only authentic requests
 * are answered. */
void fw_ice_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, size_t len);

#endif
