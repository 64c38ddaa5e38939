/* Received RTCP: reports, NACKs, keyframe requests, REMB and BYE. */
#ifndef FW_RTCP_RECEIVE_H
#define FW_RTCP_RECEIVE_H

#include "../state/core.h"

/* Takes an SRTCP compound, which it decrypts in place. Malformed and forged ones are counted and dropped. */
void fw_rtcp_receive(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, uint8_t *data, size_t len);

#endif
