/* Extends sequence numbers to 64 bits, and finds what is missing, late or repeated. */
#ifndef FW_INGRESS_SEQUENCE_H
#define FW_INGRESS_SEQUENCE_H

#include "../state/core.h"

/* Numbers the packet and notes gaps for NACK. False, and counted, where it is a duplicate or older than the cache: a number
 * that was forwarded once is never forwarded again with other bytes. */
bool fw_sequence(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx);

/* Notes that the number was received; returns whether it had been before. */
bool fw_sequence_see(fw_encoding_t *e, uint64_t seq64);

/* Makes a number above all others the highest, and grows the cache where it would forget too soon. */
void fw_sequence_advance(const fw_core_t *core, fw_encoding_t *e, uint64_t seq64);

/* Turns a retransmission into the packet that it repeats (RFC 4588 section 4). False, and counted, where it carries none. */
bool fw_sequence_unwrap_rtx(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet);

#endif
