#include "load.h"

enum { WINDOW_US = 50000, UNKNOWN_PACKET_NS = 1000, TELLING_PACKETS = 32, RESERVE_PERMILLE = 100 };

static void end_window(fw_load_t *l, uint64_t now_us) {
    uint64_t length_us = now_us - l->window_us;
    uint64_t busy = l->window_us == 0 ? 0 : l->window_ns / length_us;
    if (busy > 1000) busy = 1000;
    /* Old windows weigh less the longer this one was. */
    uint64_t weight = length_us / WINDOW_US < 4 ? length_us / WINDOW_US : 4;
    l->busy_permille = (uint32_t)((l->busy_permille * (4 - weight) + busy * weight) / 4);
    l->window_us = now_us;
    l->window_ns = 0;
}

uint64_t fw_load_note(fw_load_t *l, uint64_t now_us, uint64_t round_us, uint64_t live, uint64_t paced) {
    uint64_t packets = live + paced;
    uint64_t paced_us = packets == 0 ? 0 : round_us * paced / packets;
    /* The fixed cost of a round would distort the figure where few packets were sent. */
    if (packets >= TELLING_PACKETS) {
        uint64_t sample = round_us * 1000 / packets;
        if (sample > 100000) sample = 100000;
        l->packet_ns = (uint32_t)(((uint64_t)fw_load_packet_ns(l) * 7 + sample) / 8);
    }
    l->window_ns += (round_us - paced_us) * 1000;
    if (now_us + round_us >= l->window_us + WINDOW_US) end_window(l, now_us + round_us);
    return round_us - paced_us;
}

uint32_t fw_load_packet_ns(const fw_load_t *l) { return l->packet_ns == 0 ? UNKNOWN_PACKET_NS : l->packet_ns; }

uint32_t fw_load_spare_permille(const fw_load_t *l) {
    return l->busy_permille >= 1000 - 2 * RESERVE_PERMILLE ? RESERVE_PERMILLE : 1000 - RESERVE_PERMILLE - l->busy_permille;
}

uint64_t fw_load_spare_packets_per_s(const fw_load_t *l) {
    return (uint64_t)fw_load_spare_permille(l) * 1000000 / fw_load_packet_ns(l);
}
