/* Binding requests to the peer: their transactions, and how they are signed (RFC 8445 section 7.2). */
#ifndef FW_ICE_REQUEST_H
#define FW_ICE_REQUEST_H

#include "../state/core.h"
#include "../wire/stun.h"

/* Draws a random transaction and registers it in core->by_check; `spread` receives 32 further random bits. Nobody outside can
 * predict a transaction, the peer itself included. False where memory is short. */
bool fw_request_open(fw_core_t *core, fw_transport_t *t, uint8_t *transaction, uint32_t *spread);

/* Removes a transaction of `t` from core->by_check. */
void fw_request_close(fw_core_t *core, const fw_transport_t *t, const uint8_t *transaction);

/* The transport with that open transaction, NULL for none. */
fw_transport_t *fw_request_sender(const fw_core_t *core, const uint8_t *transaction);

/* Sends a request over `path` with the peer's credentials, which are known. A controlling request nominates the path. */
void fw_request_send(fw_core_t *core, const fw_transport_t *t, const fw_path_t *path, const uint8_t *transaction,
                     uint64_t tie_breaker, bool controlling);

#endif
