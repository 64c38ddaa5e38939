/* The validation of a path: Binding requests over it, until the peer answers one, as PATH_CHALLENGE in QUIC (RFC 9000 section 8.2).
 *
 * A request goes out every 50 ms for 1 s. All of one validation have one transaction, which nobody can predict who does not
 * receive over the path.
 */
#ifndef FW_ICE_PROBATION_H
#define FW_ICE_PROBATION_H

#include "../state/core.h"

/* Sends the first request now, unless a validation of the path runs. Without the peer's credentials the validation fails at once. */
void fw_probation_start(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known);

/* Sends the next request if it is due. True where the validation has failed just now: no answer came for 1 s. */
bool fw_probation_tick(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known);

/* Ends the validation, whatever its outcome. */
void fw_probation_stop(fw_core_t *core, const fw_transport_t *t, fw_known_path_t *known);

#endif
