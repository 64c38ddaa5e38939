/* Records the arrival time of each packet of a transport by transport-wide sequence number, and writes TWCC feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01) from it. */
#ifndef FW_STREAM_ARRIVALS_H
#define FW_STREAM_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/twcc.h"

#define FW_ARRIVALS 1024

typedef struct {
    int64_t arrival_us[FW_ARRIVALS]; /* by number modulo FW_ARRIVALS; FW_TWCC_LOST: not received */
    uint64_t next;                   /* the first number that no feedback has covered */
    uint64_t highest;
    uint32_t media_ssrc; /* of the newest packet; the media SSRC of feedback */
    uint8_t feedback_count;
    bool started;
} fw_arrivals_t;

void fw_arrivals_init(fw_arrivals_t *a);

/* Records a packet. A number that feedback has covered already is reported again, with the numbers after it. A number
 * FW_ARRIVALS or more below the highest is ignored. */
void fw_arrivals_add(fw_arrivals_t *a, uint16_t seq16, uint32_t ssrc, uint64_t now_us);

/* True if some number has not been covered by feedback. */
static inline bool fw_arrivals_pending(const fw_arrivals_t *a) { return a->started && a->next <= a->highest; }

/* Appends one feedback message on as many packets as fit; call it until nothing is pending. Returns false if nothing is
 * pending or nothing fits. */
bool fw_arrivals_report(fw_arrivals_t *a, fw_rtcp_writer_t *w, uint32_t sender_ssrc);

#endif
