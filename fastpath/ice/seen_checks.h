/* The transactions of a peer's checks, so that a replayed check is recognized.
 *
 * Each transport keeps at least the latest FW_SEEN_CHECKS transactions of the credentials in use, as 32-bit digests: 15 hours of
 * checks every 2.5 s. They take 4 to 6 bytes each, at most 256 kB. Two transactions share a digest with a probability of 2^-32;
 * the later check is then answered, but changes nothing.
 */
#ifndef FW_ICE_SEEN_CHECKS_H
#define FW_ICE_SEEN_CHECKS_H

#include "../state/core.h"

#define FW_SEEN_CHECKS 21845

/* Adds a transaction. False where it was there before, or memory is short. */
bool fw_seen_checks_add(fw_core_t *core, fw_transport_t *t, const uint8_t *transaction);

void fw_seen_checks_forget(fw_transport_t *t);

#endif
