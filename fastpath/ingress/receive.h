/* Receives SRTP: decrypts it, finds its encoding, and stores it. */
#ifndef FW_INGRESS_RECEIVE_H
#define FW_INGRESS_RECEIVE_H

#include "../state/core.h"

/* An SRTP packet that came over `path`, of `len` bytes. Whatever is wrong with it is counted by name. */
void fw_ingress_rtp(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const uint8_t *data, size_t len);

#endif
