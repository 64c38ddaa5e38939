/* Holds back the newest VP9 packet where only the next packet shows whether it ends its picture. */
#ifndef FW_INGRESS_HOLDBACK_H
#define FW_INGRESS_HOLDBACK_H

#include "../state/core.h"

/* Holds a copy of the packet back. False where it need not be held back, one is held back already, or memory is short. */
bool fw_holdback_keep(fw_encoding_t *e, const fw_packet_t *packet);

/* Stores the packet that was held back, if `packet` has a later sequence number. Returns the new address of `packet`; NULL, and
 * counted, where the batch has no room for both. */
fw_packet_t *fw_holdback_release(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet);

/* Returns the deadline for storing the held-back packet: its arrival + 200 ms. UINT64_MAX where none is held back. */
uint64_t fw_holdback_next_us(const fw_encoding_t *e);

/* Stores the held-back packet, with the marker set, once its deadline has passed. */
void fw_holdback_tick(fw_core_t *core, fw_encoding_t *e);

#endif
