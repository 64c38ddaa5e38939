/* Parameter sets of H.264 and H.265: after any input they form one well-formed aggregation packet within its size bound. */
#include "fuzz.h"
#include "stream/parameter_sets.h"

static void check_aggregate(const fw_parameter_sets_t *s, size_t header) {
    size_t at = header;
    CHECK(s->len <= sizeof s->payload);
    while (s->len > 0 && at < s->len) {
        CHECK(at + 2 <= s->len);
        size_t size = (size_t)s->payload[at] << 8 | s->payload[at + 1];
        CHECK(size > header);
        at += 2 + size;
    }
    CHECK(s->len == 0 || at == s->len);
}

/* The first byte chooses the codec; then payloads, each behind a byte with its length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fw_parameter_sets_t s;
    memset(&s, 0, sizeof s);
    if (size == 0) return 0;
    fw_sets_codec_t codec = data[0] & 1 ? FW_SETS_H265 : FW_SETS_H264;
    size_t header = codec == FW_SETS_H264 ? 1 : 2;
    for (size_t at = 1; at < size;) {
        size_t len = data[at++];
        if (len > size - at) len = size - at;
        uint32_t version = s.version;
        bool changed = fw_parameter_sets_take(&s, codec, data + at, len);
        CHECK(changed == (s.version != version));
        check_aggregate(&s, header);
        CHECK(!fw_parameter_sets_take(&s, codec, data + at, len) || s.version > version);
        check_aggregate(&s, header);
        if (s.len > 0) (void)fw_parameter_sets_complete(&s, codec);
        at += len;
    }
    return 0;
}
