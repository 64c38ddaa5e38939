/* Reads and writes STUN messages: see stun.h. */
#include "stun.h"

#include "bytes.h"
#include "crc32.h"

#define MAGIC_COOKIE 0x2112A442u
#define FINGERPRINT_XOR 0x5354554Eu
#define USERNAME_MAX_BYTES 512 /* RFC 8489 section 14.3 allows 508 bytes, before padding */

enum {
    MAPPED_ADDRESS = 0x0001,
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000A,
    REALM = 0x0014,
    NONCE = 0x0015,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    COMPREHENSION_OPTIONAL = 0x8000, /* an unknown type from this value on is ignored */
    FINGERPRINT = 0x8028,
    ICE_CONTROLLED = 0x8029,
    ICE_CONTROLLING = 0x802A,
};

static bool header_ok(const uint8_t *data, size_t len) {
    if (len < FW_STUN_HEADER_BYTES || data[0] > 3) return false;
    size_t body = fw_load16(data + 2);
    return body % 4 == 0 && body + FW_STUN_HEADER_BYTES == len && fw_load32(data + 4) == MAGIC_COOKIE;
}

/* Reads one attribute, at most up to MESSAGE-INTEGRITY, into `out`. False where its size or value is invalid. */
static bool read_attribute(fw_stun_t *out, uint16_t type, const uint8_t *value, size_t len) {
    switch (type) {
    case USERNAME:
        if (len > USERNAME_MAX_BYTES) return false;
        if (!out->username) {
            out->username = value;
            out->username_len = len;
        }
        return true;
    case MESSAGE_INTEGRITY:
        out->integrity = value;
        return len == FW_STUN_INTEGRITY_BYTES;
    case PRIORITY:
        return len == 4;
    case USE_CANDIDATE:
        out->use_candidate = true;
        return len == 0;
    case ICE_CONTROLLED:
    case ICE_CONTROLLING:
        if (len != 8) return false;
        out->controlled |= type == ICE_CONTROLLED;
        out->controlling |= type == ICE_CONTROLLING;
        out->tie_breaker = fw_load64(value);
        return true;
    case ERROR_CODE:
        if (len < 4 || (value[2] & 7) < 3 || (value[2] & 7) > 6 || value[3] > 99) return false;
        out->error_code = (uint16_t)((value[2] & 7) * 100 + value[3]);
        return true;
    case MAPPED_ADDRESS:
    case XOR_MAPPED_ADDRESS:
    case UNKNOWN_ATTRIBUTES:
    case REALM:
    case NONCE:
        return true;
    default:
        if (type < COMPREHENSION_OPTIONAL && !out->unknown_type) out->unknown_type = type;
        return true;
    }
}

static uint32_t fingerprint(const uint8_t *data, size_t len) { return fw_crc32(data, len) ^ FINGERPRINT_XOR; }

fw_stun_status_t fw_stun_parse(const uint8_t *data, size_t len, fw_stun_t *out) {
    *out = (fw_stun_t){0};
    if (!header_ok(data, len)) return FW_STUN_MALFORMED;
    out->type = fw_load16(data);
    out->transaction = data + 8;
    out->covered_len = len;

    fw_reader_t r = fw_reader(data + FW_STUN_HEADER_BYTES, len - FW_STUN_HEADER_BYTES);
    const uint8_t *last_fingerprint = NULL;
    while (fw_left(&r)) {
        size_t offset = len - fw_left(&r);
        uint16_t type = fw_take16(&r);
        size_t size = fw_take16(&r);
        const uint8_t *value = fw_take(&r, (size + 3) & ~(size_t)3);
        if (!value) return FW_STUN_MALFORMED;
        if (type == FINGERPRINT) {
            if (size != 4) return FW_STUN_MALFORMED;
            if (!fw_left(&r)) last_fingerprint = value;
        } else if (!out->integrity) {
            if (!read_attribute(out, type, value, size)) return FW_STUN_MALFORMED;
            if (out->integrity) out->covered_len = offset;
        }
    }
    if (!last_fingerprint) return FW_STUN_NO_FINGERPRINT;
    return fw_load32(last_fingerprint) == fingerprint(data, len - 8) ? FW_STUN_OK : FW_STUN_BAD_FINGERPRINT;
}

void fw_stun_covered_header(const uint8_t *data, const fw_stun_t *stun, uint8_t *patched) {
    memcpy(patched, data, FW_STUN_HEADER_BYTES);
    fw_store16(patched + 2, (uint16_t)(stun->covered_len + 4 + FW_STUN_INTEGRITY_BYTES - FW_STUN_HEADER_BYTES));
}

static void put_header(uint8_t *out, uint16_t type, const uint8_t *transaction) {
    fw_store16(out, type);
    fw_store32(out + 4, MAGIC_COOKIE);
    memcpy(out + 8, transaction, 12);
}

/* Writes the header of MESSAGE-INTEGRITY at `n`, and the message length that the HMAC covers. */
static size_t open_integrity(uint8_t *out, size_t n) {
    fw_store16(out + n, MESSAGE_INTEGRITY);
    fw_store16(out + n + 2, FW_STUN_INTEGRITY_BYTES);
    fw_store16(out + 2, (uint16_t)(n + 4 + FW_STUN_INTEGRITY_BYTES - FW_STUN_HEADER_BYTES));
    return n;
}

static size_t put_attribute(uint8_t *out, size_t n, uint16_t type, const void *value, size_t len) {
    size_t padded = (len + 3) & ~(size_t)3;
    fw_store16(out + n, type);
    fw_store16(out + n + 2, (uint16_t)len);
    memset(out + n + 4, 0, padded);
    if (len > 0) memcpy(out + n + 4, value, len);
    return n + 4 + padded;
}

size_t fw_stun_begin_request(uint8_t *out, const uint8_t *transaction, const fw_stun_check_t *check) {
    uint8_t value[8];
    put_header(out, FW_STUN_BINDING_REQUEST, transaction);
    size_t n = put_attribute(out, FW_STUN_HEADER_BYTES, USERNAME, check->username, check->username_len);
    fw_store32(value, check->priority);
    n = put_attribute(out, n, PRIORITY, value, 4);
    fw_store64(value, check->tie_breaker);
    n = put_attribute(out, n, check->controlling ? ICE_CONTROLLING : ICE_CONTROLLED, value, 8);
    if (check->controlling) n = put_attribute(out, n, USE_CANDIDATE, NULL, 0);
    return open_integrity(out, n);
}

size_t fw_stun_begin_success(uint8_t *out, const uint8_t *transaction, bool ipv6, const uint8_t *ip, uint16_t port) {
    put_header(out, FW_STUN_BINDING_SUCCESS, transaction);
    size_t ip_len = ipv6 ? 16 : 4;
    uint8_t *attribute = out + FW_STUN_HEADER_BYTES;
    fw_store16(attribute, XOR_MAPPED_ADDRESS);
    fw_store16(attribute + 2, (uint16_t)(4 + ip_len));
    attribute[4] = 0;
    attribute[5] = ipv6 ? 2 : 1;
    fw_store16(attribute + 6, (uint16_t)(port ^ (MAGIC_COOKIE >> 16)));
    /* The address is XORed with the magic cookie and the transaction id, which are adjacent in the header. */
    for (size_t i = 0; i < ip_len; i++) attribute[8 + i] = ip[i] ^ out[4 + i];
    return open_integrity(out, FW_STUN_HEADER_BYTES + 8 + ip_len);
}

size_t fw_stun_begin_error(uint8_t *out, const uint8_t *transaction, uint16_t code, uint16_t unknown_type) {
    put_header(out, FW_STUN_BINDING_ERROR, transaction);
    uint8_t *attribute = out + FW_STUN_HEADER_BYTES;
    fw_store16(attribute, ERROR_CODE);
    fw_store16(attribute + 2, 4);
    fw_store16(attribute + 4, 0);
    attribute[6] = (uint8_t)(code / 100);
    attribute[7] = (uint8_t)(code % 100);
    size_t n = FW_STUN_HEADER_BYTES + 8;
    if (unknown_type) {
        fw_store16(out + n, UNKNOWN_ATTRIBUTES);
        fw_store16(out + n + 2, 2);
        fw_store16(out + n + 4, unknown_type);
        fw_store16(out + n + 6, 0);
        n += 8;
    }
    return open_integrity(out, n);
}

size_t fw_stun_finish(uint8_t *out, size_t n) {
    size_t at = n + 4 + FW_STUN_INTEGRITY_BYTES;
    fw_store16(out + 2, (uint16_t)(at + 8 - FW_STUN_HEADER_BYTES));
    fw_store16(out + at, FINGERPRINT);
    fw_store16(out + at + 2, 4);
    fw_store32(out + at + 4, fingerprint(out, at));
    return at + 8;
}
