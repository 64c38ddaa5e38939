/* The paths of a transport: addresses that passed a connectivity check, and the one in use. */
#ifndef FW_ICE_PATHS_H
#define FW_ICE_PATHS_H

#include "../state/core.h"

#define FW_PATH_SILENT_US 8000000 /* a path that is silent for so long gives way to an authenticated check from elsewhere */

/* The transport that a datagram from `path` belongs to, NULL where the path has passed no check. */
fw_transport_t *fw_ice_transport(const fw_core_t *core, const fw_path_t *path);

/* Notes that an authenticated packet other than a check came from `path`. */
void fw_ice_heard(fw_core_t *core, fw_transport_t *t, const fw_path_t *path);

/* Takes a check over `path` that succeeded, the peer's or one of ours, as consent; `chosen` makes it the path in use. */
void fw_ice_checked(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, bool chosen);

/* Whether both are the same address of the peer at the same socket of ours. */
bool fw_ice_same_peer(const fw_path_t *a, const fw_path_t *b);

/* Forgets the paths of a transport. */
void fw_ice_forget(fw_core_t *core, fw_transport_t *t);

#endif
