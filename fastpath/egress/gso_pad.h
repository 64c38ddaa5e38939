/* Near-equal packets drawn to one size with RTP padding (RFC 3550 section 5.1), so that they leave in one GSO message.
 *
 * Encoders cut a frame into packets that differ by a few bytes, and a message ends with the first shorter one.
 */
#ifndef FW_EGRESS_GSO_PAD_H
#define FW_EGRESS_GSO_PAD_H

#include "../base/pool.h"

/* What padding may add to a packet: a 64th of it. */
#define FW_GSO_PAD_PART 64

/* Sets `padding` and `run_goes_on` of the packets of a batch, which are linked by `next`. Runs are of one encoding; the
 * last packet of one needs no padding, since a message may end with a shorter one. */
void fw_gso_pad(fw_packet_t *batch);

#endif
