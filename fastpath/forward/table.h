/* Making and unmaking transports, producers and consumers, and the links between them. */
#ifndef FW_FORWARD_TABLE_H
#define FW_FORWARD_TABLE_H

#include "state.h"

fw_error_t fw_transport_open(fw_core_t *core, const fw_command_t *command, uint64_t *id);
fw_error_t fw_transport_restart_ice(fw_core_t *core, fw_transport_t *t, const fw_command_t *command);
fw_error_t fw_transport_set_keys(fw_core_t *core, fw_transport_t *t, const fw_command_t *command);

/* Lets go of everything on it; the slot stays, CLOSED, until fw_transport_forget, so that the change is seen. */
void fw_transport_close(fw_core_t *core, fw_transport_t *t, fw_close_reason_t reason);
void fw_transport_forget(fw_core_t *core, fw_transport_t *t);

/* Marks that its state or path is news for the control plane. */
void fw_transport_changed(fw_core_t *core, fw_transport_t *t);

/* Whether every count, payload type, codec and clock of a media description is in its range. */
bool fw_media_ok(const fw_media_t *m);

fw_error_t fw_producer_add(fw_core_t *core, const fw_command_t *command, uint64_t *id);
void fw_producer_remove(fw_core_t *core, fw_producer_t *p);
fw_error_t fw_producer_add_target(fw_core_t *core, fw_producer_t *p, const fw_command_t *command);
void fw_producer_remove_target(fw_producer_t *p, const fw_command_t *command);

/* Stands in a transport's inbound map for an SSRC that authenticated and belongs to no encoding (yet). */
extern fw_encoding_t fw_stranger;
#define FW_STRANGER (&fw_stranger)
void fw_transport_note_stranger(fw_transport_t *t, uint32_t ssrc);

/* Gives an encoding the SSRC it was found to use. False where the transport's limit is reached. */
bool fw_encoding_learn(fw_core_t *core, fw_encoding_t *e, uint32_t ssrc, bool rtx);

fw_error_t fw_consumer_add(fw_core_t *core, const fw_command_t *command, uint64_t *id);
fw_error_t fw_consumer_bind(fw_core_t *core, fw_consumer_t *c, const fw_command_t *command);
fw_error_t fw_consumer_set_layers(fw_core_t *core, fw_consumer_t *c, const fw_command_t *command);
void fw_consumer_remove(fw_core_t *core, fw_consumer_t *c);

#endif
