/* The RTCP that a transport sends: sender and receiver reports, feedback, goodbyes, and when each is due. */
#ifndef FW_FORWARD_REPORT_H
#define FW_FORWARD_REPORT_H

#include "state.h"

#define FW_REPORT_US 1000000
#define FW_FEEDBACK_US 50000

/* Sets the transport's timer to the earliest thing that it has to do. Call after anything that may bring it forward. */
void fw_transport_schedule(fw_core_t *core, fw_transport_t *t);

/* Does what is due: closes what has lost consent, sends reports, TWCC feedback, NACKs and keyframe requests. */
void fw_transport_tick(fw_core_t *core, fw_transport_t *t);

/* Notes that a consumer of `t` has its first SR due; it goes out at the end of the batch. */
void fw_transport_first_report_due(fw_core_t *core, fw_transport_t *t);

/* Sends the first SR of those consumers of `t` that have one due. */
void fw_transport_first_reports(fw_core_t *core, fw_transport_t *t);

/* Asks the publisher for keyframes and missing packets, if that is due. */
void fw_transport_repair(fw_core_t *core, fw_transport_t *t);

/* Says goodbye for these SSRCs (RFC 3550 section 6.6). */
void fw_transport_bye(fw_core_t *core, fw_transport_t *t, const uint32_t *ssrcs, unsigned count);

#endif
