/* Computes the deadlines of transports and handles those that have passed. No other file computes them.
 *
 * Lower floors call fw_mark_due where the deadlines of a transport may have changed. A deadline has one reason, fw_due_t.
 */
#ifndef FW_CORE_AGENDA_H
#define FW_CORE_AGENDA_H

#include "../state/core.h"

typedef struct {
    uint64_t due_us; /* UINT64_MAX for never */
    fw_due_t reason;
} fw_deadline_t;

/* Computes the deadlines of all marked transports, once each. */
void fw_agenda_update(fw_core_t *core);

/* Handles all deadlines up to core->now_us: closes silent transports, requests consent, sends reports, transport-wide feedback,
 * NACKs and keyframe requests. Computes all deadlines anew. */
void fw_agenda_run(fw_core_t *core);

/* The earliest deadline of all transports; core->now_us with FW_DUE_NOTHING while transports are marked. */
fw_deadline_t fw_agenda_next(const fw_core_t *core);

#endif
