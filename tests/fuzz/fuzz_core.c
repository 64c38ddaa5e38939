/* A whole core: no sequence of datagrams, commands, relayed records and times breaks its invariants.
 *
 * The cipher and the HMAC are stubs: protection appends a tag of zeros, and every MESSAGE-INTEGRITY is zeros, so that inputs get past
 * authentication. The stub cipher also checks that no SSRC and index protects two different packets.
 *
 * The input is a sequence of steps: one byte with the step's kind, two bytes with the length of its argument, then the argument.
 */
#include "core/core.h"
#include "core/dispatch.h"
#include "core/stats.h"
#include "fuzz.h"
#include "open_backend.h"
#include "wire/bytes.h"
#include "wire/crc32.h"
#include "wire/stun.h"

enum { STREAMS = 256, NONCES = 1 << 14, IDS = 24, PATHS = 4, REQUESTS = 8 };

typedef struct {
    uint64_t session;
    uint64_t highest;
    uint32_t ssrc;
} stream_t;

typedef struct {
    uint64_t run; /* which input; others' entries are free */
    uint64_t session;
    uint64_t index;
    uint64_t digest;
    uint32_t ssrc;
} nonce_t;

static stream_t streams[STREAMS];
static nonce_t nonces[NONCES];
static unsigned stream_count;
static uint32_t transactions;
static uint64_t run, now_us;
static fw_core_t *core;
static uint64_t ids[IDS];
static unsigned id_count;
static uint8_t requests[REQUESTS][FW_STUN_TRANSACTION_BYTES]; /* transactions of the latest requests that were sent, a ring */
static unsigned request_count;

static uint64_t digest(const uint8_t *data, size_t len) {
    uint64_t h = 14695981039346656037U;
    for (size_t i = 0; i < len; i++) h = (h ^ data[i]) * 1099511628211U;
    return h;
}

static uint64_t index_of(uint64_t session, uint32_t ssrc, uint16_t seq16) {
    for (unsigned i = 0; i < stream_count; i++) {
        if (streams[i].session != session || streams[i].ssrc != ssrc) continue;
        uint64_t index = fw_seq_extend(streams[i].highest, seq16);
        if (index > streams[i].highest) streams[i].highest = index;
        return index;
    }
    CHECK(stream_count < STREAMS);
    streams[stream_count++] = (stream_t){session, 0x10000U + seq16, ssrc};
    return 0x10000U + seq16;
}

static void check_nonce(uint64_t session, const uint8_t *packet, size_t len) {
    uint32_t ssrc = fw_load32(packet + 8);
    uint64_t index = index_of(session, ssrc, fw_load16(packet + 2));
    uint64_t now = digest(packet, len);
    uint64_t home = digest((const uint8_t *)&index, sizeof index) + ssrc;
    for (uint64_t tries = 0; tries < NONCES; tries++) {
        nonce_t *nonce = &nonces[(home + tries) % NONCES];
        if (nonce->run != run) {
            *nonce = (nonce_t){run, session, index, now, ssrc};
            return;
        }
        if (nonce->session != session || nonce->ssrc != ssrc || nonce->index != index) continue;
        CHECK(nonce->digest == now);
        return;
    }
}

/* Each context has another key: unlike an address, its number is never used again. */
static bool expand(fw_srtp_profile_t profile, const uint8_t *key, void *expanded) {
    static uint64_t contexts[2];
    (void)profile;
    (void)open_touch(key, OPEN_KEY_BYTES);
    contexts[0]++;
    memcpy(expanded, contexts, sizeof contexts);
    return true;
}

static bool is_rtp(const uint8_t *packet) { return packet[1] < 192 || packet[1] > 223; }

static bool gcm_seal(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    uint64_t context;
    size_t len = (size_t)m->prefix_len + m->len + m->suffix_len;
    (void)profile;
    memcpy(&context, key, sizeof context);
    if (m->len > 0) memmove(m->out + m->prefix_len, m->in, m->len);
    memset(m->tag, 0, FW_GCM_TAG_BYTES);
    if (context == 0) return true; /* a key that was lent: RTCP */
    const uint8_t *packet = m->out - m->header_len;
    fw_rtp_t rtp;
    CHECK(m->header == packet && is_rtp(packet));
    CHECK(fw_rtp_parse_header(packet, m->header_len + len, &rtp) && fw_rtp_parse_body(packet, m->header_len + len, &rtp));
    check_nonce(context, packet, m->header_len + len);
    return true;
}

/* Whatever its tag. */
static bool gcm_open(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    (void)open_gcm(profile, key, m);
    return true;
}

static void open_locks(void) {
    static fw_backend_t backend;
    backend = open_backend();
    backend.expand = expand;
    backend.gcm_seal = gcm_seal;
    backend.gcm_open = gcm_open;
    fw_backend_use(&backend);
}

static void on_send(void *context, const fw_udp_message_t *messages, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++) {
        CHECK(messages[i].len > 0 && messages[i].len <= FW_UDP_GSO_BYTES && messages[i].path.family != 0);
        (void)digest(messages[i].data, messages[i].len);
        if (messages[i].len < FW_STUN_HEADER_BYTES || fw_load16(messages[i].data) != FW_STUN_BINDING_REQUEST) continue;
        memcpy(requests[request_count++ % REQUESTS], messages[i].data + 8, FW_STUN_TRANSACTION_BYTES);
    }
}

static bool on_punt(void *context, uint64_t id, const uint8_t *data, size_t len) {
    (void)context;
    return (id ^ digest(data, len)) & 1;
}

static bool on_relay(void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body,
                    size_t len) {
    (void)context;
    return ((worker ^ kind ^ head->seq64 ^ digest(body, len)) & 1) != 0;
}

static void on_changed(void *context, const fw_transport_change_t *change) {
    (void)context;
    CHECK(change->transport != 0 && change->state <= FW_CLOSED);
}

static fw_path_t path_of(unsigned number) {
    fw_path_t path = {.remote = {.ip = {127, 0, 0, 1}, .port = (uint16_t)(1000 + number), .family = 4}, .family = 4};
    path.local_ip[0] = 127;
    return path;
}

static void receive(unsigned path, const uint8_t *data, size_t len) {
    uint8_t *exact = malloc(len ? len : 1);
    CHECK(exact != NULL);
    if (len > 0) memcpy(exact, data, len);
    fw_path_t from = path_of(path);
    fw_core_receive(core, &from, exact, len, now_us);
    free(exact);
}

/* A STUN message with these attributes, whose length, integrity and fingerprint are right. */
static void receive_stun(unsigned path, uint16_t type, const uint8_t *transaction, const uint8_t *attributes, size_t len) {
    uint8_t data[FW_STUN_HEADER_BYTES + 512 + 32] = {0, 0, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    fw_store16(data, type);
    memcpy(data + 8, transaction, FW_STUN_TRANSACTION_BYTES);
    len = len > 512 ? 512 : len & ~(size_t)3;
    if (len > 0) memcpy(data + FW_STUN_HEADER_BYTES, attributes, len);
    uint8_t *end = data + FW_STUN_HEADER_BYTES + len;
    fw_store16(end, 8);
    fw_store16(end + 2, FW_STUN_INTEGRITY_BYTES);
    fw_store16(data + 2, (uint16_t)(len + 32));
    fw_store16(end + 24, 0x8028);
    fw_store16(end + 26, 4);
    fw_store32(end + 28, fw_crc32(data, FW_STUN_HEADER_BYTES + len + 24) ^ 0x5354554e);
    receive(path, data, FW_STUN_HEADER_BYTES + len + 32);
}

/* A new check. */
static void check(unsigned path, const uint8_t *attributes, size_t len) {
    uint8_t transaction[FW_STUN_TRANSACTION_BYTES] = {0};
    fw_store32(transaction, ++transactions);
    receive_stun(path, FW_STUN_BINDING_REQUEST, transaction, attributes, len);
}

/* An answer to one of the latest requests. */
static void answer(unsigned path, const uint8_t *data, size_t len) {
    if (len < 2) return;
    uint16_t type = (data[1] & 1) != 0 ? FW_STUN_BINDING_ERROR : FW_STUN_BINDING_SUCCESS;
    receive_stun(path, type, requests[data[0] % REQUESTS], data + 2, len - 2);
}

/* A ClientHello with one of a few randoms. */
static void client_hello(unsigned path, const uint8_t *data, size_t len) {
    uint8_t hello[80] = {22, 0xfe, 0xfd};
    hello[12] = sizeof hello - 13;
    hello[13] = 1;
    hello[13 + 12 + 2] = len > 0 ? data[0] & 3 : 0;
    receive(path, hello, sizeof hello);
}

static uint64_t some_id(uint8_t number) { return id_count > 0 ? ids[number % id_count] : number; }

static uint64_t command(fw_command_t *c) {
    fw_result_t result = fw_core_command(core, c, (const uint8_t *)c, 40, now_us);
    CHECK(result.error <= FW_REFUSED);
    bool made = c->kind == FW_OPEN_TRANSPORT || c->kind == FW_ADD_PRODUCER || c->kind == FW_ADD_RELAYED_PRODUCER ||
                c->kind == FW_ADD_SOURCE || c->kind == FW_ADD_CONSUMER;
    if (result.error == FW_DONE && made && id_count < IDS) ids[id_count++] = result.id;
    return result.id;
}

/* A command whose bytes are the input's, about something that is there. */
static void any_command(const uint8_t *data, size_t len) {
    fw_command_t c = {0};
    uint8_t *body = (uint8_t *)&c.u;
    if (len < 3) return;
    c.kind = data[0] % (FW_COMMAND_KINDS + 1) /* one too many */;
    c.id = some_id(data[1]);
    memcpy(body, data + 3, len - 3 < sizeof c.u ? len - 3 : sizeof c.u);
    if (c.kind == FW_BIND_CONSUMER) c.u.bind_consumer.producer = some_id(data[2]);
    if (c.kind == FW_ADD_RELAY_TARGET) c.u.add_relay_target.copy_id = some_id(data[2]);
    command(&c);
}

static void any_record(const uint8_t *data, size_t len) {
    uint8_t packet[256];
    if (len < 8) return;
    fw_relay_head_t head = {
        .producer_id = some_id(data[1]),
        .arrival_us = now_us,
        .seq64 = 0x10000U + fw_load16(data + 2) % 4096, /* as its own worker numbers one SSRC */
        .timestamp = fw_load32(data + 4),
        .encoding = data[2] & 3,
        .encodings = data[3],
    };
    len = len - 8 < sizeof packet ? len - 8 : sizeof packet;
    memcpy(packet, data + 8, len);
    if (len >= 12) fw_store32(packet + 8, 0xcafe);
    fw_core_relayed(core, (fw_relay_kind_t)(data[0] % (FW_RELAY_PARAMETER_SETS + 1)), &head, packet, len, now_us);
}

static fw_media_t video(bool rtx) {
    fw_media_t m = {.kind = FW_VIDEO, .payload_types_count = 4, .mid_len = 1, .mid = "v", .reduced_size_rtcp = 1};
    static const uint8_t codecs[] = {FW_VP8, FW_H264, FW_VP9, FW_AV1};
    for (unsigned i = 0; i < m.payload_types_count; i++)
        m.payload_types[i] = (fw_format_t){
            .clock_rate_hz = 90000,
            .pt = (uint8_t)(96 + 2 * i),
            .rtx_pt = rtx ? (uint8_t)(97 + 2 * i) : FW_NO_PT,
            .codec = codecs[i],
            .feedback = FW_FB_NACK | FW_FB_PLI | FW_FB_FIR | FW_FB_TRANSPORT_CC,
        };
    for (unsigned kind = 0; kind < FW_EXTENSIONS; kind++) m.extensions[kind] = (uint8_t)(kind + 1);
    return m;
}

static fw_media_t audio(void) {
    fw_media_t m = {.kind = FW_AUDIO, .payload_types_count = 2, .mid_len = 1, .mid = "a"};
    m.payload_types[0] = (fw_format_t){48000, 111, FW_NO_PT, FW_OPUS, FW_FB_NACK};
    m.payload_types[1] = (fw_format_t){48000, 63, FW_NO_PT, FW_RED, FW_FB_NACK};
    for (unsigned kind = 0; kind <= FW_EXT_TRANSPORT_CC; kind++) m.extensions[kind] = (uint8_t)(kind + 1);
    return m;
}

/* Without the peer's credentials, a transport takes the keys that follow as the proof of its path. */
static uint64_t open_transport(unsigned number, bool peer_known, bool keyed) {
    fw_command_t c = {.kind = FW_OPEN_TRANSPORT};
    fw_open_transport_t *wanted = &c.u.open_transport;
    wanted->consent_us = wanted->connect_us = 30000000;
    wanted->local.ufrag_len = 4;
    wanted->local.pwd_len = 22;
    if (peer_known) wanted->peer.peer_ufrag_len = 4, wanted->peer.peer_pwd_len = 22;
    memcpy(wanted->peer.peer_ufrag, "peer", 4);
    memcpy(wanted->local.ufrag, "abc", 3);
    wanted->local.ufrag[3] = (char)('0' + number);
    uint64_t id = command(&c);
    uint8_t username[] = {0, 6, 0, 8, 'a', 'b', 'c', (uint8_t)('0' + number), ':', 'p', 'e', 'r'};
    check(number, username, sizeof username);
    fw_core_flush(core, now_us);
    if (peer_known) answer(number, (const uint8_t[]){(uint8_t)(request_count - 1), 0}, 2);
    fw_command_t keys = {.kind = FW_SET_KEYS, .id = id, .u.set_keys = {.profile = FW_SRTP_AEAD_AES_128_GCM}};
    if (keyed) command(&keys);
    return id;
}

static fw_producer_spec_t spec_of(fw_media_t media, uint8_t encodings) {
    fw_producer_spec_t spec = {.media = media, .encodings_count = encodings};
    for (unsigned i = 0; i < encodings && encodings > 1; i++) {
        spec.encodings[i].rid_len = 1;
        spec.encodings[i].rid[0] = (char)('0' + i);
    }
    return spec;
}

static uint64_t add_producer(uint64_t transport, fw_media_t media, uint8_t encodings) {
    fw_command_t c = {.kind = FW_ADD_PRODUCER, .id = transport};
    c.u.add_producer.spec = spec_of(media, encodings);
    return command(&c);
}

static uint64_t add_relayed_producer(fw_media_t media, uint8_t encodings, uint64_t home_id) {
    fw_command_t c = {.kind = FW_ADD_RELAYED_PRODUCER};
    c.u.add_relayed_producer = (fw_add_relayed_producer_t){.spec = spec_of(media, encodings), .home_id = home_id};
    return command(&c);
}

static uint64_t add_source(fw_media_t media) {
    fw_command_t c = {.kind = FW_ADD_SOURCE};
    c.u.add_source.spec = spec_of(media, 1);
    return command(&c);
}

static void watch(uint64_t transport, fw_media_t media, uint32_t ssrc, bool rtx, uint64_t producer) {
    fw_command_t c = {.kind = FW_ADD_CONSUMER, .id = transport};
    c.u.add_consumer.first_seq16 = 1;
    c.u.add_consumer.spec = (fw_consumer_spec_t){
        .media = media,
        .ssrc = ssrc,
        .rtx_ssrc = rtx ? ssrc + 100 : 0,
        .mixed_extensions = 1,
        .cname_len = 4,
    };
    fw_command_t bind = {.kind = FW_BIND_CONSUMER, .id = command(&c), .u.bind_consumer = {.producer = producer}};
    for (unsigned i = 0; i < FW_FORMATS; i++) bind.u.bind_consumer.formats[i] = i < media.payload_types_count ? (uint8_t)i : FW_NO_PT;
    command(&bind);
}

/* A transport that is checked by others checks them too. */
static void call(uint64_t transport, unsigned path) {
    fw_command_t c = {.kind = FW_CHECK_PATH, .id = transport};
    c.u.check_path = (fw_check_path_t){
        .remote = path_of(path).remote, .tie_breaker = 7, .credentials = {.ufrag_len = 4, .pwd_len = 22}};
    command(&c);
}

/* A publisher of two encodings and of sound, a viewer with RTX and one without that calls, a copy of another worker's
 * producer, a source of this process, and a transport that is not keyed yet. */
static void set_up(void) {
    uint64_t publisher = open_transport(0, true, true), first = open_transport(1, false, true);
    uint64_t second = open_transport(2, true, true);
    uint64_t camera = add_producer(publisher, video(true), 2);
    uint64_t sound = add_producer(publisher, audio(), 1);
    uint64_t copy = add_relayed_producer(video(false), 2, 7);
    uint64_t source = add_source(video(false));
    watch(first, video(true), 1, true, camera);
    watch(first, audio(), 2, false, sound);
    watch(second, video(false), 1, false, camera);
    watch(second, video(false), 2, false, copy);
    watch(second, video(false), 3, false, source);
    call(second, 2);
    (void)open_transport(3, true, false);
    for (unsigned i = 0; i < 3; i++) {
        fw_path_t path = path_of(i);
        CHECK(fw_core_knows(core, &path)); /* else none of what follows would get past the door */
    }
}

static void step(uint8_t what, const uint8_t *data, size_t len) {
    unsigned path = what >> 4 & (PATHS - 1);
    switch (what & 7) {
        case 0: receive(path, data, len); break;
        case 1: client_hello(path, data, len); break;
        case 2: answer(path, data, len); break;
        case 3: check(path, data, len); break;
        case 4: any_command(data, len); break;
        case 5: any_record(data, len); break;
        case 6: now_us += len >= 2 ? (uint64_t)fw_load16(data) * 1000 : 20000; break;
        default: fw_core_flush(core, now_us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fw_statistics_t statistics;
    fw_core_config_t config = {.pool_packets = 512, .max_transports = 8, .max_ssrcs = 16, .instant_join_us = 3000000,
                               .coalesce_us = 1000, .max_gso_segments = 8};
    fw_callbacks_t callbacks = {.send = on_send, .punt = on_punt, .relay = on_relay, .changed = on_changed};
    open_locks();
    run++;
    now_us = 1000000;
    stream_count = id_count = transactions = request_count = 0;
    core = fw_core_create(&config, &callbacks);
    CHECK(core != NULL);
    set_up();
    while (size >= 3) {
        size_t len = fw_load16(data + 1);
        if (len > size - 3) len = size - 3;
        step(data[0], data + 3, len);
        data += 3 + len;
        size -= 3 + len;
    }
    fw_core_flush(core, now_us);
    for (unsigned i = 0; i < id_count; i++) {
        size_t bytes;
        fw_command_t read = {.kind = FW_READ_STATISTICS, .id = ids[i]};
        (void)fw_statistics_read(core, &read, &statistics, &bytes);
        CHECK(bytes <= sizeof statistics);
    }
    fw_core_destroy(core);
    return 0;
}
