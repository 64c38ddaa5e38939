/* Passes DTLS to the control plane within a budget for each transport, which bounds the work that one peer causes there. */
#ifndef FW_INGRESS_PUNT_H
#define FW_INGRESS_PUNT_H

#include <stddef.h>
#include <stdint.h>

#include "../state/core.h"

/* The budget of a transport, in datagrams per second and per burst. A handshake takes about ten datagrams each way, plus
 * retransmissions. After the handshake a peer sends at most a retransmitted last flight and an alert. */
#define FW_HANDSHAKE_DATAGRAMS_PER_S 32
#define FW_HANDSHAKE_BURST_DATAGRAMS 64
#define FW_KEYED_DATAGRAMS_PER_S 4
#define FW_KEYED_BURST_DATAGRAMS 8

#define FW_DTLS_RECORDS 16 /* most records in one datagram; real peers send fewer */

/* Punts a datagram whose first byte is in the DTLS range (RFC 7983), or drops it and counts the reason: drop_dtls_budget or
 * drop_sctp_budget above the budget, drop_dtls_malformed unless it is 1 to FW_DTLS_RECORDS complete records, drop_punt_full where the
 * ring to the control plane is full. SCTP (application records of a transport opened with an SCTP budget, RFC 8261) has its own
 * budget in records and in bytes, with a burst of half a second and at least one datagram. Application records under 28 bytes are not
 * SCTP. */
void fw_punt(fw_core_t *core, fw_transport_t *t, const uint8_t *data, size_t len);

#endif
