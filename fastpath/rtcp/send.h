/* The RTCP that a transport sends: reports, feedback to its publisher, and goodbyes. core/agenda.c decides when. */
#ifndef FW_RTCP_SEND_H
#define FW_RTCP_SEND_H

#include "../state/core.h"

#define FW_REPORT_US 1000000     /* between the SRs and RRs of a transport */
#define FW_REPORT_SLOT_US 50000 /* reports of different transports are sent together where they are due within this time */

/* Deadline of the reports that follow those sent at `now_us`: within FW_REPORT_US, at a multiple of FW_REPORT_SLOT_US. With one wake-up
 * for each slot instead of each transport, idle viewers cost half. */
static inline uint64_t fw_rtcp_next_report_us(uint64_t now_us) {
    return (now_us + FW_REPORT_US) / FW_REPORT_SLOT_US * FW_REPORT_SLOT_US;
}

/* SRs of the consumers and RRs of the producers of `t`, and REMB where that was negotiated; sets the next deadline. */
void fw_rtcp_send_reports(fw_core_t *core, fw_transport_t *t);

/* First SRs of those consumers of `t` that have one due. */
void fw_rtcp_send_first_reports(fw_core_t *core, fw_transport_t *t);

/* Transport-wide congestion control feedback on all packets received since the last. */
void fw_rtcp_send_transport_feedback(fw_core_t *core, fw_transport_t *t);

/* NACKs that are due for an encoding. */
void fw_rtcp_send_nacks(fw_core_t *core, fw_transport_t *t, fw_producer_t *p, fw_encoding_t *e);

/* PLIs, or FIRs where those were negotiated instead, that are due for a producer. */
void fw_rtcp_send_keyframe_requests(fw_core_t *core, fw_transport_t *t, fw_producer_t *p);

/* BYE for these SSRCs, at most 31 (RFC 3550 section 6.6); nothing where the transport has no keys or path. */
void fw_rtcp_send_bye(fw_core_t *core, fw_transport_t *t, const uint32_t *ssrcs, unsigned count);

#endif
