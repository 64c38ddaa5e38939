/* The deadlines of transports: this file alone computes them, and does what is due.
 *
 * Floors below mark a transport (fw_mark_due) where its deadlines may have moved. A deadline has one reason, fw_due_t.
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

/* Does what is due by core->now_us: closes transports that are silent, asks for consent, sends reports, transport-wide
 * feedback, NACKs and keyframe requests. Ends with all deadlines computed. */
void fw_agenda_run(fw_core_t *core);

/* The earliest deadline of all transports; core->now_us, for no reason, while marks are left. */
fw_deadline_t fw_agenda_next(const fw_core_t *core);

#endif
