/* Hostile feedback for the congestion controller: bounded state, an estimate within its range, and no more credit than
 * was sent. The input is a sequence of steps: one byte with the step's kind, then its arguments. */
#include "cc/estimator.h"
#include "fuzz.h"
#include "wire/bytes.h"

#define MOST_STEPS 400

static int64_t arrivals_us[FW_TWCC_MAX_PACKETS];

static void check(const fw_cc_t *cc, uint64_t now_us) {
    CHECK(cc->estimate_bps >= FW_CC_LEAST_BPS && cc->estimate_bps <= FW_CC_MOST_BPS);
    CHECK(cc->history.size >= FW_HISTORY_LEAST && cc->history.size <= FW_HISTORY_MOST);
    CHECK(fw_cc_loss_permille(cc) <= 1000);
    CHECK(fw_cc_probe_bytes(cc, now_us) <= FW_PROBE_MOST_BYTES);
}

static void send(fw_cc_t *cc, fw_reader_t *r, uint16_t *seq16, uint64_t now_us) {
    unsigned count = fw_take8(r) % 64;
    uint32_t bytes = fw_take16(r);
    *seq16 = (uint16_t)(*seq16 + (bytes & 1 ? fw_take8(r) : 0));
    for (unsigned i = 0; i < count; i++) fw_cc_sent(cc, (*seq16)++, bytes, (fw_cc_kind_t)(i % 3), now_us + i * 100);
}

static void feed(fw_cc_t *cc, fw_reader_t *r, uint64_t now_us) {
    static uint8_t message[256];
    fw_rtcp_t p;
    fw_twcc_t twcc;
    size_t len = 8 + fw_take8(r) % 60 * 4u;
    const uint8_t *body = fw_take(r, len - 4);
    if (!body) return;
    message[0] = 0x80 | FW_RTPFB_TWCC;
    message[1] = FW_RTCP_RTPFB;
    fw_store16(message + 2, (uint16_t)(len / 4 - 1));
    memcpy(message + 4, body, len - 4);
    for (fw_reader_t in = fw_reader(message, len); fw_rtcp_next(&in, &p);) {
        if (fw_rtcp_twcc(&p, &twcc, arrivals_us)) fw_cc_feedback(cc, &twcc, arrivals_us, now_us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_cc_t cc;
    uint64_t now_us = 1000000;
    uint16_t seq16 = 65500;
    CHECK(fw_cc_init(&cc, now_us));
    fw_reader_t r = fw_reader(data, size);
    for (unsigned step = 0; step < MOST_STEPS && r.ok && fw_left(&r) > 0; step++) {
        uint8_t what = fw_take8(&r);
        now_us += (uint64_t)(what >> 3) << (what & 7);
        switch (what % 7) {
        case 0:
        case 1: send(&cc, &r, &seq16, now_us); break;
        case 2:
        case 3: feed(&cc, &r, now_us); break;
        case 4:
            now_us += (uint64_t)fw_take16(&r) * 1000;
            fw_cc_tick(&cc, now_us);
            break;
        case 5: fw_cc_set_needs(&cc, fw_take32(&r)); break;
        case 6:
            fw_cc_repair(&cc, fw_take16(&r), now_us);
            fw_bucket_spend(fw_cc_pacer(&cc, now_us), 1500);
            if (fw_cc_next_us(&cc) == 0) fw_cc_restart(&cc, now_us);
            break;
        }
        now_us += 6400; /* the last packets of a send are in the past */
        check(&cc, now_us);
    }
    fw_cc_free(&cc);
    return 0;
}
