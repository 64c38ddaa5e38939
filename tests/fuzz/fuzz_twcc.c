/* Transport-wide feedback: no message is read out of bounds; parsed feedback can be written and read back equal. */
#include "fuzz.h"
#include "wire/twcc.h"

static int64_t arrivals_us[FW_TWCC_MAX_PACKETS], again_us[FW_TWCC_MAX_PACKETS];

/* Arrivals written into `cap` bytes tell the same differences as before. */
static void check_rewritten(unsigned count, size_t cap) {
    static uint8_t out[4096];
    fw_twcc_t twcc;
    fw_rtcp_t p;
    fw_rtcp_writer_t w = fw_rtcp_writer(out, cap);
    unsigned written = fw_rtcp_put_twcc(&w, 1, 2, 3, 4, arrivals_us, count);
    CHECK(w.len <= cap && (written == 0) == (w.len == 0));
    if (!written) return;
    fw_reader_t r = fw_reader(out, w.len);
    CHECK(fw_rtcp_next(&r, &p) && fw_rtcp_twcc(&p, &twcc, again_us));
    CHECK(twcc.count == written && written <= count);
    int64_t shift_us = 0;
    bool started = false;
    for (unsigned i = 0; i < written; i++) {
        CHECK((arrivals_us[i] == FW_TWCC_LOST) == (again_us[i] == FW_TWCC_LOST));
        if (arrivals_us[i] == FW_TWCC_LOST) continue;
        if (!started) shift_us = arrivals_us[i] - again_us[i];
        started = true;
        CHECK(arrivals_us[i] - again_us[i] == shift_us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_twcc_t twcc;
    fw_rtcp_t p;
    for (fw_reader_t r = fw_reader(data, size); fw_rtcp_next(&r, &p);) {
        if (!fw_rtcp_twcc(&p, &twcc, arrivals_us)) continue;
        CHECK(twcc.count > 0 && twcc.count <= FW_TWCC_MAX_PACKETS);
        check_rewritten(twcc.count, 4096);
        check_rewritten(twcc.count, size % 128);
    }
    return 0;
}
