/* Pads packets of nearly equal size to one size with RTP padding (RFC 3550 section 5.1), so that they form one GSO message.
 *
 * Encoders split a frame into packets that differ by a few bytes, and a GSO message ends with the first shorter segment.
 */
#ifndef FW_EGRESS_GSO_PAD_H
#define FW_EGRESS_GSO_PAD_H

#include "../base/pool.h"

/* Padding adds at most this fraction of a packet: 1/64. */
#define FW_GSO_PAD_PART 64

/* Sets `padding` and `run_goes_on` of the packets of a batch, which are linked by `next`. A run has packets of one encoding. Its last
 * packet is not padded, since the last segment of a message may be shorter. */
void fw_gso_pad(fw_packet_t *batch);

#endif
