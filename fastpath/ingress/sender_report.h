/* The clock of an encoding: which NTP time its RTP timestamps stand for, as viewers are told in sender reports.
 *
 * Until the publisher's first sender report the clock goes by arrival times, so that viewers get reports from their first packet on
 * (RFC 3550 section 6.4.1). Each report then moves the clock by at most 20 ms, so that playout does not jump. A report in the first 2 s of
 * an encoding, or one that contradicts the clock by over 1 s, sets it at once. Encodings of which the publisher sends no reports follow the clock of those of which it does.
 */
#ifndef FW_INGRESS_SENDER_REPORT_H
#define FW_INGRESS_SENDER_REPORT_H

#include "../state/core.h"

/* Takes a sender report of the publisher, or of a producer that Python feeds. */
void fw_sender_report_take(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr);

/* Takes the clock of an encoding from the home worker of its producer. */
void fw_sender_report_relayed(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *clock, bool by_arrival);

/* Notes the arrival of a packet. Sets the clock by it where the publisher has sent no report: at the first packet, then each second. */
void fw_sender_report_note_arrival(fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet);

#endif
