/* Runs a fuzz target without libFuzzer: replays the given files, then mutates them `-n` times with seed `-s`; the same seed gives the
 * same run. Each input has its own allocation of its exact size, so that a sanitizer detects a read of one byte past the end.
 *
 * Usage: replay [-n MUTATIONS] [-s SEED] FILE...
 */
#include "fuzz.h"

#define MAX_BYTES 4096
#define MAX_STEPS 8

typedef struct {
    uint8_t *data;
    size_t len;
} input_t;

static uint64_t state;

/* xorshift64* */
static uint64_t draw(uint64_t below) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return below ? (state * 0x2545F4914F6CDD1Du >> 16) % below : 0;
}

static void run(const uint8_t *data, size_t len) {
    uint8_t *exact = malloc(len ? len : 1);
    if (!exact) abort();
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(len ? exact : exact + 1, len); /* no byte of an empty input may be read either */
    free(exact);
}

static input_t load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    input_t input = {.data = malloc(MAX_BYTES)};
    if (!input.data) abort();
    input.len = fread(input.data, 1, MAX_BYTES, file);
    fclose(file);
    return input;
}

/* One change in place, within MAX_BYTES; `other` lends a piece. */
static size_t mutate(uint8_t *data, size_t len, const input_t *other) {
    static const uint8_t edges[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    size_t at = draw(len), n = 1 + draw(16);
    switch (len ? draw(6) : 4) {
    case 0:
        data[at] ^= (uint8_t)(1u << draw(8));
        return len;
    case 1:
        data[at] = (uint8_t)draw(256);
        return len;
    case 2:
        data[at] = edges[draw(sizeof edges)];
        return len;
    case 3: /* cut out a piece, often the whole end */
        if (n > len - at || draw(2)) n = len - at;
        memmove(data + at, data + at + n, len - at - n);
        return len - n;
    case 4: /* put in a piece */
        if (n > other->len) n = other->len;
        if (n > MAX_BYTES - len) n = MAX_BYTES - len;
        memmove(data + at + n, data + at, len - at);
        memcpy(data + at, other->data + draw(other->len - n + 1), n);
        return len + n;
    default: /* go on as another input does */
        n = at < other->len ? other->len - at : 0;
        memcpy(data + at, other->data + other->len - n, n);
        return at + n;
    }
}

int main(int argc, char **argv) {
    unsigned long mutations = 0;
    int arg = 1;
    state = 1;
    for (; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
        unsigned long value = strtoul(argv[arg + 1], NULL, 10);
        if (argv[arg][1] == 'n') mutations = value;
        if (argv[arg][1] == 's') state = value + 1;
    }
    size_t count = (size_t)(argc - arg);
    if (!count) {
        fprintf(stderr, "usage: %s [-n MUTATIONS] [-s SEED] FILE...\n", argv[0]);
        return 2;
    }
    input_t *inputs = calloc(count, sizeof *inputs);
    if (!inputs) abort();
    for (size_t i = 0; i < count; i++) {
        inputs[i] = load(argv[arg + (int)i]);
        run(inputs[i].data, inputs[i].len);
    }
    static uint8_t data[MAX_BYTES];
    for (unsigned long i = 0; i < mutations; i++) {
        const input_t *seed = &inputs[draw(count)];
        size_t len = seed->len;
        memcpy(data, seed->data, len);
        for (uint64_t steps = 1 + draw(MAX_STEPS); steps; steps--) len = mutate(data, len, &inputs[draw(count)]);
        run(data, len);
    }
    for (size_t i = 0; i < count; i++) free(inputs[i].data);
    free(inputs);
    return 0;
}
