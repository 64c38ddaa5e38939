/* Sender reports of an encoding, the clock of its media. */
#ifndef FW_INGRESS_SENDER_REPORT_H
#define FW_INGRESS_SENDER_REPORT_H

#include "../state/core.h"

/* Takes the newest sender report, from the publisher or from the home worker, and relays it. */
void fw_sender_report_take(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr);

#endif
