/* Assigns a received packet to an encoding by SSRC, or by MID and RID (RFC 9143 section 9.2, RFC 8852). */
#ifndef FW_INGRESS_ASSIGN_H
#define FW_INGRESS_ASSIGN_H

#include "../state/core.h"

/* Returns the encoding of an authenticated packet; sets packet->format and reads the extensions. `e` is the encoding already known for
 * the SSRC, or NULL. Returns NULL for a packet of no encoding, counted as drop_unknown_ssrc or drop_unknown_payload_type. */
fw_encoding_t *fw_assign(fw_core_t *core, fw_transport_t *t, fw_encoding_t *e, fw_packet_t *packet);

/* Lists in packet->ext the extensions to forward, at most FW_PACKET_EXTENSIONS. Returns the transport-wide sequence number, -1 for
 * none. */
int32_t fw_assign_extensions(const fw_producer_t *p, fw_packet_t *packet);

#endif
