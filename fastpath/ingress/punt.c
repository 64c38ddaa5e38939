#include "punt.h"

enum {
    HEADER_BYTES = 13, /* DTLS record header (RFC 6347 section 4.1): type, version, epoch, sequence number, length */
    APPLICATION_DATA = 23,
    SCTP_RECORD_BYTES = 28, /* shortest record with SCTP: a 12-byte SCTP header and a 16-byte tag (RFC 5288, RFC 7905) */
    DATAGRAM_BYTES = 1500,
};

typedef struct {
    uint32_t records; /* number of records; 0 for an incomplete record or over FW_DTLS_RECORDS */
    bool sctp;        /* every record may carry SCTP */
} contents_t;

static contents_t inspect(const uint8_t *data, size_t len) {
    contents_t found = {.sctp = true};
    size_t at = 0;
    while (at < len) {
        if (len - at < HEADER_BYTES || ++found.records > FW_DTLS_RECORDS) return (contents_t){0};
        size_t body = (size_t)data[at + 11] << 8 | data[at + 12];
        if (body > len - at - HEADER_BYTES) return (contents_t){0};
        if (data[at] != APPLICATION_DATA || body < SCTP_RECORD_BYTES) found.sctp = false;
        at += HEADER_BYTES + body;
    }
    return found;
}

static uint32_t burst_of(uint32_t rate, uint32_t least) { return rate / 2 > least ? rate / 2 : least; }

static bool sctp_allows(fw_punt_budget_t *b, uint32_t records, uint32_t bytes, uint64_t now_us) {
    uint32_t record_burst = burst_of(b->sctp_records_per_s, FW_DTLS_RECORDS);
    uint32_t byte_burst = burst_of(b->sctp_bytes_per_s, DATAGRAM_BYTES);
    return fw_token_bucket_take(&b->sctp_records, b->sctp_records_per_s, record_burst, records, now_us) &&
           fw_token_bucket_take(&b->sctp_bytes, b->sctp_bytes_per_s, byte_burst, bytes, now_us);
}

static bool dtls_allows(fw_transport_t *t, uint64_t now_us) {
    bool keyed = t->state == FW_KEYED;
    return fw_token_bucket_take(keyed ? &t->punts.keyed : &t->punts.handshake,
                                keyed ? FW_KEYED_DATAGRAMS_PER_S : FW_HANDSHAKE_DATAGRAMS_PER_S,
                                keyed ? FW_KEYED_BURST_DATAGRAMS : FW_HANDSHAKE_BURST_DATAGRAMS, 1, now_us);
}

void fw_punt(fw_core_t *core, fw_transport_t *t, const uint8_t *data, size_t len) {
    fw_counters_t *counters = &core->counters;
    counters->dtls_in++;
    contents_t contents = inspect(data, len);
    if (contents.records == 0) {
        counters->drop_dtls_malformed++;
    } else if (contents.sctp && t->punts.sctp_records_per_s != 0) {
        if (!sctp_allows(&t->punts, contents.records, (uint32_t)len, core->now_us)) counters->drop_sctp_budget++;
        else if (!core->callbacks.punt(core->callbacks.context, t->id, data, len)) counters->drop_punt_full++;
    } else if (!dtls_allows(t, core->now_us)) {
        counters->drop_dtls_budget++;
    } else if (!core->callbacks.punt(core->callbacks.context, t->id, data, len)) {
        counters->drop_punt_full++;
    }
}
