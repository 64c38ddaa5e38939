#include "keyframes.h"

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

void fw_keyframes_seen(fw_keyframes_t *k, uint8_t encoding) {
    uint8_t bit = (uint8_t)(1U << encoding);
    k->wanted &= (uint8_t)~bit;
    k->awaited &= (uint8_t)~bit;
}

uint64_t fw_keyframes_next_us(const fw_keyframes_t *k) {
    if ((k->wanted | k->awaited) == 0) return UINT64_MAX;
    uint64_t next = 0;
    if (k->asked_us[0] != 0) next = k->asked_us[0] + (k->wanted != 0 ? k->spacing_us : FW_KEYFRAME_RETRY_US);
    uint64_t oldest = k->asked_us[FW_KEYFRAME_PER_WINDOW - 1];
    return oldest != 0 ? later(next, oldest + FW_KEYFRAME_WINDOW_US) : next;
}

uint8_t fw_keyframes_due(fw_keyframes_t *k, uint64_t now_us) {
    if (fw_keyframes_next_us(k) > now_us) return 0;
    uint8_t encodings = k->wanted | k->awaited;
    k->awaited = encodings;
    k->wanted = 0;
    for (int i = FW_KEYFRAME_PER_WINDOW - 1; i > 0; i--) k->asked_us[i] = k->asked_us[i - 1];
    k->asked_us[0] = now_us;
    k->spacing_us = FW_KEYFRAME_RETRY_US;
    return encodings;
}

void fw_keyframes_charge(fw_keyframes_t *k, uint32_t bytes, uint32_t bytes_per_s) {
    if (bytes == 0 || bytes_per_s == 0) return;
    /* At most 2^32 * 2^22, so nothing overflows. */
    uint64_t paid_us = (uint64_t)bytes * (FW_KEYFRAME_SHARE * UINT64_C(1000000)) / bytes_per_s;
    if (paid_us < FW_KEYFRAME_SPACING_US) paid_us = FW_KEYFRAME_SPACING_US;
    if (paid_us < FW_KEYFRAME_RETRY_US) k->spacing_us = paid_us;
}
