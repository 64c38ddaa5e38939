/* Which encoding a received packet belongs to, by SSRC, or by MID and RID (RFC 9143 section 9.2, RFC 8852). */
#ifndef FW_INGRESS_ASSIGN_H
#define FW_INGRESS_ASSIGN_H

#include "../state/core.h"

/* The encoding of an authentic packet of a transport; sets packet->format and reads its extensions. `e` is the encoding that
 * is known for its SSRC, or NULL. Returns NULL, and counts why, where the packet belongs to none. */
fw_encoding_t *fw_assign(fw_core_t *core, fw_transport_t *t, fw_encoding_t *e, fw_packet_t *packet);

/* Lists in the packet the extensions that go on to viewers. Returns its transport-wide sequence number, -1 for none. */
int32_t fw_assign_extensions(const fw_producer_t *p, fw_packet_t *packet);

#endif
