/* Framing in TCP (RFC 4571): each frame arrives whole and once for any segmentation; an unknown peer's frames arrive only if STUN. */
#include <sys/socket.h>

#include "fuzz.h"
#include "net/tcp_table.h"

#define MOST_PIECES 16
#define MOST_PIECE (FW_TCP_INPUT_BYTES - FW_TCP_FRAME_BYTES - 2) /* read whole at once, whatever is held */

static const uint8_t *left; /* of the input: what must be delivered next is in here */
static const uint8_t *end;
static bool used;

/* The next frame that is not empty, as it should be delivered. */
static const uint8_t *expect(size_t *len) {
    while (end - left >= 2) {
        const uint8_t *frame = left + 2;
        *len = (size_t)left[0] << 8 | left[1];
        CHECK(*len <= FW_TCP_FRAME_BYTES && *len <= (size_t)(end - frame));
        left = frame + *len;
        if (*len > 0) return frame;
    }
    abort();
}

static void receive(void *context, const fw_path_t *path, uint8_t *data, size_t len) {
    size_t expected_len;
    const uint8_t *expected = expect(&expected_len);
    CHECK(context == NULL && path->stream == 1);
    CHECK(len == expected_len && memcmp(data, expected, len) == 0);
    CHECK(used || (len >= 20 && data[0] == 0 && data[1] == 1));
    memset(data, 0xa5, len);
}

static bool in_use(void *context, const fw_path_t *path) {
    (void)context;
    (void)path;
    return used;
}

static fw_tcp_t *tcp;
static fw_tcp_connection_t *connection; /* one for all inputs */
static int peer;

static void connect_once(void) {
    static fw_tcp_counters_t counters;
    int pair[2];
    fw_path_t path = {.family = 4};
    fw_tcp_limits_t limits = {.connections = 1, .per_address = 1, .queue_bytes = 1 << 17, .lease_us = 1};
    fw_tcp_owner_t owner = {.receive = receive, .in_use = in_use};
    if (connection != NULL) return;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    tcp = fw_tcp_create(&limits, &owner, &counters);
    CHECK(tcp != NULL);
    connection = fw_tcp_add(tcp, pair[0], &path, 1);
    CHECK(connection != NULL);
    peer = pair[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    connect_once();
    used = connection->proven = data[0] & 1;
    connection->held = 0;
    left = data + 1;
    end = data + size;
    size_t piece = 1 + (size_t)(data[0] >> 1) * 8 + size / MOST_PIECES;
    bool open = true;
    for (const uint8_t *at = left; open && at < end; at += piece) {
        if (piece > (size_t)(end - at)) piece = (size_t)(end - at);
        if (piece > MOST_PIECE) piece = MOST_PIECE;
        CHECK(send(peer, at, piece, 0) == (ssize_t)piece);
        open = fw_tcp_read(tcp, connection);
        CHECK(!open || connection->held < 2 + FW_TCP_FRAME_BYTES);
    }
    return 0;
}
