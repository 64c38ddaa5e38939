/* Passes DTLS to the control plane, within a budget for each transport: a peer cannot make the control plane work without bound. */
#ifndef FW_INGRESS_PUNT_H
#define FW_INGRESS_PUNT_H

#include <stddef.h>
#include <stdint.h>

#include "../state/core.h"

/* The budget of a transport, in datagrams a second and at once. A handshake takes some ten datagrams each way, and repeats them. Once
 * there are keys, all that is left to come is a repeated last flight and an alert. */
#define FW_HANDSHAKE_DATAGRAMS_PER_S 32
#define FW_HANDSHAKE_BURST_DATAGRAMS 64
#define FW_KEYED_DATAGRAMS_PER_S 4
#define FW_KEYED_BURST_DATAGRAMS 8

#define FW_DTLS_RECORDS 16 /* of one datagram: no peer packs so many */

/* Punts a datagram whose first byte is that of DTLS (RFC 7983), or drops it: as drop_dtls_budget or drop_sctp_budget above the
 * budget, as drop_dtls_malformed where it is not 1 to FW_DTLS_RECORDS whole records, as drop_punt_full where the control plane does
 * not keep up. SCTP (application records of a transport that was opened with a budget for them, RFC 8261) has a budget of its own, in
 * records and in bytes; its burst is half a second's worth, at least one datagram. Empty application records are not SCTP. */
void fw_punt(fw_core_t *core, fw_transport_t *t, const uint8_t *data, size_t len);

#endif
