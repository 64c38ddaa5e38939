/* Executes the commands of the control plane. */
#ifndef FW_CORE_DISPATCH_H
#define FW_CORE_DISPATCH_H

#include "../state/core.h"

/* Executes a command at once. `body` is the datagram of FW_SEND_DATAGRAM or the packet of FW_FEED_PACKET, `body_len` bytes. */
fw_result_t fw_core_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t body_len,
                            uint64_t now_us);

#endif
