/* The answering side of ICE, all that ICE-lite is (RFC 8445 section 2.5). */
#ifndef FW_ICE_ANSWER_H
#define FW_ICE_ANSWER_H

#include "../state/core.h"

/* Receives a STUN message. An authentic request is answered, and is a sign of life; it may begin the validation of a new path. A
 * replayed request is answered, and changes nothing. Anything else gets no answer. */
void fw_ice_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, size_t len);

#endif
