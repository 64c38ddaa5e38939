/* STUN: parsed attributes lie within the datagram; every parsed datagram can be answered; a written request reads back equal. */
#include "fuzz.h"
#include "wire/stun.h"

static void check_answer(const uint8_t *answer, size_t len, const uint8_t *transaction) {
    fw_stun_t stun;
    CHECK(len <= FW_STUN_RESPONSE_MAX_BYTES);
    CHECK(fw_stun_parse(answer, len, &stun) == FW_STUN_OK);
    CHECK(stun.integrity == answer + stun.covered_len + 4);
    CHECK(memcmp(stun.transaction, transaction, 12) == 0);
}

static void check_request(const uint8_t *data, size_t size) {
    uint8_t request[FW_STUN_REQUEST_OVERHEAD_BYTES + 516] = {0};
    uint8_t transaction[FW_STUN_TRANSACTION_BYTES] = {0};
    fw_stun_t stun;
    fw_stun_check_t check = {.username = (const char *)data,
                             .username_len = size < 512 ? size : 512,
                             .tie_breaker = UINT64_MAX - size,
                             .controlling = (size & 1) != 0};
    size_t len = fw_stun_finish(request, fw_stun_begin_request(request, transaction, &check));
    CHECK(len <= FW_STUN_REQUEST_OVERHEAD_BYTES + ((check.username_len + 3) & ~(size_t)3));
    CHECK(fw_stun_parse(request, len, &stun) == FW_STUN_OK);
    CHECK(stun.type == FW_STUN_BINDING_REQUEST && stun.unknown_type == 0);
    CHECK(stun.username_len == check.username_len && memcmp(stun.username, data, check.username_len) == 0);
    CHECK(stun.tie_breaker == check.tie_breaker && stun.use_candidate == check.controlling);
    CHECK(stun.controlling == check.controlling && stun.controlled == !check.controlling);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_stun_t stun;
    check_request(data, size);
    if (fw_stun_parse(data, size, &stun) == FW_STUN_MALFORMED) return 0;
    CHECK(stun.error_code == 0 || (stun.error_code >= 300 && stun.error_code <= 699));
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
