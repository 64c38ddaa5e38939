/* The RTCP that comes in: reports, and what viewers ask for. */
#ifndef FW_RTCP_RECEIVE_H
#define FW_RTCP_RECEIVE_H

#include "../state/core.h"

/* An SRTCP compound of a transport; decrypted in place. */
void fw_rtcp_receive(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, uint8_t *data, size_t len);

#endif
