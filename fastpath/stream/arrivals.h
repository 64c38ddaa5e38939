/* When the packets of a transport arrived, by transport-wide sequence number: what TWCC feedback is made of. */
#ifndef FW_STREAM_ARRIVALS_H
#define FW_STREAM_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/twcc.h"

#define FW_ARRIVALS 1024

typedef struct {
    int64_t arrival_us[FW_ARRIVALS]; /* by number modulo FW_ARRIVALS; FW_TWCC_LOST where it has not come */
    uint64_t next;                   /* the first number that no feedback has covered */
    uint64_t highest;
    uint32_t media_ssrc; /* of the newest packet: feedback names it */
    uint8_t feedback_count;
    bool started;
} fw_arrivals_t;

void fw_arrivals_init(fw_arrivals_t *a);

/* Counts in a packet. Numbers that feedback has covered already are reported again only where nothing newer waits. */
void fw_arrivals_add(fw_arrivals_t *a, uint16_t seq16, uint32_t ssrc, uint64_t now_us);

/* Whether there is anything to report. */
static inline bool fw_arrivals_pending(const fw_arrivals_t *a) { return a->started && a->next <= a->highest; }

/* Appends feedback on as many packets as fit; call until nothing is pending. False where nothing fitted. */
bool fw_arrivals_report(fw_arrivals_t *a, fw_rtcp_writer_t *w, uint32_t sender_ssrc);

#endif
