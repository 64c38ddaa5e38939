/* Maintains the clock of an encoding: the mapping from RTP timestamps to NTP time that viewers get in sender reports.
 *
 * Until the publisher's first sender report the clock is derived from arrival times, so that viewers get reports from their first
 * packet on (RFC 3550 section 6.4.1). The report then moves the clock by at most 20 ms a second, so that playout does not jump. A report in
 * the first 2 s of an encoding, or one that differs from the clock by over 1 s, sets it at once. Encodings without sender reports
 * follow the offset of the peer's clock, which reports of the same transport's other encodings give.
 */
#ifndef FW_INGRESS_SENDER_REPORT_H
#define FW_INGRESS_SENDER_REPORT_H

#include "../state/core.h"

/* Applies a sender report of the publisher, or of a producer that Python feeds. */
void fw_sender_report_take(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr);

/* Sets the clock of an encoding to the one that the producer's home worker has relayed. */
void fw_sender_report_relayed(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *clock, bool by_arrival);

/* Notes the arrival of a packet. Without a sender report, sets the clock by arrival: at the first packet, then once a second by the
 * packet with the least delay. */
void fw_sender_report_note_arrival(fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet);

#endif
