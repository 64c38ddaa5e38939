/* STUN: what is read lies within the datagram, and every datagram that is read can be answered. */
#include "fuzz.h"
#include "wire/stun.h"

static void check_answer(const uint8_t *answer, size_t len, const uint8_t *transaction) {
    fw_stun_t stun;
    CHECK(len <= FW_STUN_RESPONSE_MAX_BYTES);
    CHECK(fw_stun_parse(answer, len, &stun) == FW_STUN_OK);
    CHECK(stun.integrity == answer + stun.covered_len + 4);
    CHECK(memcmp(stun.transaction, transaction, 12) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_stun_t stun;
    if (fw_stun_parse(data, size, &stun) == FW_STUN_MALFORMED) return 0;
    CHECK(fuzz_within(stun.transaction, 12, data, size));
    CHECK(!stun.username || fuzz_within(stun.username, stun.username_len, data, size));
    CHECK(stun.covered_len <= size);
    if (stun.integrity) {
        uint8_t patched[FW_STUN_HEADER_BYTES];
        CHECK(fuzz_within(stun.integrity, FW_STUN_INTEGRITY_BYTES, data, size));
        fw_stun_covered_header(data, &stun, patched);
    }

    uint8_t answer[FW_STUN_RESPONSE_MAX_BYTES] = {0};
    size_t n = fw_stun_begin_success(answer, stun.transaction, size & 4, data, (uint16_t)size);
    check_answer(answer, fw_stun_finish(answer, n), stun.transaction);
    n = fw_stun_begin_error(answer, stun.transaction, stun.unknown_type ? 420 : 400, stun.unknown_type);
    check_answer(answer, fw_stun_finish(answer, n), stun.transaction);
    return 0;
}
