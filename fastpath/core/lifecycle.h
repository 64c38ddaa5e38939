/* Opens and closes transports, adds and removes producers and consumers, and binds consumers to producers. */
#ifndef FW_CORE_LIFECYCLE_H
#define FW_CORE_LIFECYCLE_H

#include "../state/core.h"

/* Each fails with FW_LIMIT where a table is full or memory is short; state/command.h has the other errors. */
fw_error_t fw_transport_open(fw_core_t *core, const fw_open_transport_t *wanted, uint64_t *id);
fw_error_t fw_transport_restart_ice(fw_core_t *core, fw_transport_t *t, const fw_restart_ice_t *wanted);
fw_error_t fw_transport_set_keys(fw_core_t *core, fw_transport_t *t, const fw_set_keys_t *keys);

/* Sends RTCP BYE and frees all that the transport owns. The slot stays CLOSED until fw_transport_forget, so that the change is
 * reported. */
void fw_transport_close(fw_core_t *core, fw_transport_t *t, fw_close_reason_t reason);
void fw_transport_forget(fw_core_t *core, fw_transport_t *t);

fw_error_t fw_producer_add(fw_core_t *core, fw_transport_t *t, const fw_producer_spec_t *spec, uint64_t *id);
fw_error_t fw_producer_add_relayed(fw_core_t *core, const fw_add_relayed_producer_t *wanted, uint64_t *id);
fw_error_t fw_producer_add_source(fw_core_t *core, const fw_producer_spec_t *spec, uint64_t *id);
void fw_producer_remove(fw_core_t *core, fw_producer_t *p);
fw_error_t fw_producer_add_relay_target(fw_core_t *core, fw_producer_t *p, const fw_add_relay_target_t *wanted);
void fw_producer_remove_relay_target(fw_producer_t *p, const fw_remove_relay_target_t *target);

fw_error_t fw_consumer_add(fw_core_t *core, fw_transport_t *t, const fw_add_consumer_t *wanted, uint64_t *id);
fw_error_t fw_consumer_bind(fw_core_t *core, fw_consumer_t *c, const fw_bind_consumer_t *wanted);
/* Unbinds a consumer from its producer; does nothing where it has none. */
void fw_consumer_unbind(fw_core_t *core, fw_consumer_t *c);
fw_error_t fw_consumer_set_layers(fw_core_t *core, fw_consumer_t *c, const fw_set_layers_t *wanted);
void fw_consumer_remove(fw_core_t *core, fw_consumer_t *c);

#endif
