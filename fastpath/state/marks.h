/* Marks that a transport has work for the end of the round.
 *
 * Every folder may set a mark. core/ takes the marks and does the work, once per transport and round. Setting a mark that is set
 * already has no effect; setting one never fails.
 */
#ifndef FW_STATE_MARKS_H
#define FW_STATE_MARKS_H

#include "../state/core.h"

/* The deadlines of `t` may have changed: core/agenda.c recomputes them. */
void fw_mark_due(fw_core_t *core, fw_transport_t *t);

/* The state, the path, the current layers or the media of `t` have changed: core/ reports it to the control plane. */
void fw_mark_changed(fw_core_t *core, fw_transport_t *t);

/* A consumer of `t` has its first sender report due (fw_consumer_t.first_report_due). */
void fw_mark_first_report(fw_core_t *core, fw_transport_t *t);

/* Each clears the mark that was set last and returns its transport, or NULL where no mark is left. */
fw_transport_t *fw_marks_take_due(fw_core_t *core);
fw_transport_t *fw_marks_take_changed(fw_core_t *core);
fw_transport_t *fw_marks_take_first_report(fw_core_t *core);

/* Clears all marks of a transport, before it is freed. */
void fw_marks_forget(fw_core_t *core, const fw_transport_t *t);

#endif
