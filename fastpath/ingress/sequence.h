/* Extends sequence numbers to 64 bits, and detects missing, late and duplicate packets. */
#ifndef FW_INGRESS_SEQUENCE_H
#define FW_INGRESS_SEQUENCE_H

#include "../state/core.h"

/* Sets packet->seq64 and notes gaps for NACK. False, and counted, for a duplicate (drop_duplicate) or a packet older than the cache
 * (drop_late), so that no sequence number is forwarded twice with different bytes. */
bool fw_sequence(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx);

/* Marks the number as received. Returns whether it already was. */
bool fw_sequence_see(fw_encoding_t *e, uint64_t seq64);

/* Sets highest_seq64 to a higher number, and grows the cache where it would evict packets too early. */
void fw_sequence_advance(const fw_core_t *core, fw_encoding_t *e, uint64_t seq64);

/* Converts an RTX packet to the original packet (RFC 4588 section 4). False, and counted, where it is padding only or malformed. */
bool fw_sequence_unwrap_rtx(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet);

#endif
