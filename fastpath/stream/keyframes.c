#include "keyframes.h"

void fw_keyframes_seen(fw_keyframes_t *k, uint8_t encoding) {
    uint8_t bit = (uint8_t)(1U << encoding);
    k->wanted &= (uint8_t)~bit;
    k->awaited &= (uint8_t)~bit;
}

uint64_t fw_keyframes_next_us(const fw_keyframes_t *k) {
    if ((k->wanted | k->awaited) == 0) return UINT64_MAX;
    if (k->asked_us == 0) return 0;
    return k->asked_us + (k->awaited != 0 ? FW_KEYFRAME_SPACING_US : k->spacing_us);
}

uint8_t fw_keyframes_due(fw_keyframes_t *k, uint64_t now_us) {
    if (fw_keyframes_next_us(k) > now_us) return 0;
    uint8_t encodings = k->wanted | k->awaited;
    k->awaited = encodings;
    k->wanted = 0;
    k->asked_us = now_us;
    k->spacing_us = FW_KEYFRAME_SPACING_US;
    return encodings;
}

void fw_keyframes_charge(fw_keyframes_t *k, uint32_t bytes, uint32_t bytes_per_s) {
    if (bytes_per_s == 0) return;
    /* The product is at most 2^32 * 2^22 and cannot overflow. */
    uint64_t paid_us = (uint64_t)bytes * (FW_KEYFRAME_SHARE * UINT64_C(1000000)) / bytes_per_s;
    if (paid_us > FW_KEYFRAME_DEAREST_US) paid_us = FW_KEYFRAME_DEAREST_US;
    if (paid_us > k->spacing_us) k->spacing_us = paid_us;
}
