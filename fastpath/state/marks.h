/* Marks that a transport has work for the end of the round.
 *
 * Any floor may set a mark. core/ takes the marks and does the work, once per transport and round. A mark that is set twice
 * counts once; marking a transport never fails.
 */
#ifndef FW_STATE_MARKS_H
#define FW_STATE_MARKS_H

#include "../state/core.h"

/* The deadlines of `t` may have moved: core/agenda.c computes them anew. */
void fw_mark_due(fw_core_t *core, fw_transport_t *t);

/* The state, the path or the current layers of `t` have changed: the control plane hears of it. */
void fw_mark_changed(fw_core_t *core, fw_transport_t *t);

/* A consumer of `t` has its first sender report due (fw_consumer_t.first_report_due). */
void fw_mark_first_report(fw_core_t *core, fw_transport_t *t);

/* Each takes the transport that was marked last, or returns NULL where none is left. */
fw_transport_t *fw_marks_take_due(fw_core_t *core);
fw_transport_t *fw_marks_take_changed(fw_core_t *core);
fw_transport_t *fw_marks_take_first_report(fw_core_t *core);

/* Takes all marks off a transport that is about to be freed. */
void fw_marks_forget(fw_core_t *core, const fw_transport_t *t);

#endif
