/* What comes in as media: decrypted, assigned to its encoding, put in order by its number, counted, and admitted. */
#ifndef FW_FORWARD_INGRESS_H
#define FW_FORWARD_INGRESS_H

#include "state.h"

/* An SRTP packet of a transport. */
void fw_ingress_rtp(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const uint8_t *data, size_t len);

/* When fw_ingress_tick has something to do for the encoding, or UINT64_MAX. */
uint64_t fw_ingress_next_us(const fw_encoding_t *e);

/* Takes in what has waited for the next packet long enough. */
void fw_ingress_tick(fw_core_t *core, fw_encoding_t *e);

/* A packet in the clear that another worker has handed over; one of the history is kept for newcomers, and goes to nobody
 * now. */
void fw_ingress_hand(fw_core_t *core, const fw_hand_t *head, const uint8_t *data, size_t len, bool history);

/* A packet in the clear from a source of this process. Refused where the producer is fed by somebody else. */
fw_error_t fw_ingress_feed(fw_core_t *core, fw_producer_t *p, const uint8_t *data, size_t len);

#endif
