#include "arrivals.h"

#include "seqmap.h"

void fw_arrivals_init(fw_arrivals_t *a) {
    *a = (fw_arrivals_t){0};
    for (unsigned i = 0; i < FW_ARRIVALS; i++) a->arrival_us[i] = FW_TWCC_LOST;
}

void fw_arrivals_add(fw_arrivals_t *a, uint16_t seq16, uint32_t ssrc, uint64_t now_us) {
    /* The first number starts at 2^16, so that an earlier packet does not extend below zero. */
    uint64_t seq64 = a->started ? fw_seq_extend(a->highest, seq16) : 0x10000ULL + seq16;
    if (!a->started) {
        a->started = true;
        a->highest = a->next = seq64;
    }
    if (seq64 > a->highest) {
        uint64_t gap = seq64 - a->highest;
        for (uint64_t i = 1; i <= gap && i <= FW_ARRIVALS; i++) a->arrival_us[(seq64 - i + 1) % FW_ARRIVALS] = FW_TWCC_LOST;
        a->highest = seq64;
        if (seq64 - a->next >= FW_ARRIVALS) a->next = seq64 - FW_ARRIVALS + 1;
    } else if (a->highest - seq64 >= FW_ARRIVALS) {
        return;
    }
    a->arrival_us[seq64 % FW_ARRIVALS] = (int64_t)now_us;
    a->media_ssrc = ssrc;
    /* The packet was reported lost: feedback starts again at its number, and the sender corrects its record. */
    if (seq64 < a->next) a->next = seq64;
}

bool fw_arrivals_report(fw_arrivals_t *a, fw_rtcp_writer_t *w, uint32_t sender_ssrc) {
    if (!fw_arrivals_pending(a)) return false;
    int64_t times[FW_ARRIVALS];
    unsigned count = (unsigned)(a->highest - a->next + 1);
    for (unsigned i = 0; i < count; i++) times[i] = a->arrival_us[(a->next + i) % FW_ARRIVALS];
    unsigned written = fw_rtcp_put_twcc(w, sender_ssrc, a->media_ssrc, (uint16_t)a->next, a->feedback_count, times, count);
    if (written == 0) return false;
    a->feedback_count++;
    a->next += written;
    return true;
}
