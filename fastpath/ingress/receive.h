/* Receives SRTP packets: decrypts each, assigns it to an encoding, and stores it. */
#ifndef FW_INGRESS_RECEIVE_H
#define FW_INGRESS_RECEIVE_H

#include "../state/core.h"

/* Receives an SRTP packet of `len` bytes from `path`. Every drop is counted under a named reason. */
void fw_ingress_rtp(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const uint8_t *data, size_t len);

#endif
