#include "loss.h"

void fw_loss_add(fw_loss_t *l, uint32_t lost, uint32_t recovered, uint32_t received, uint64_t now_us) {
    l->lost = l->lost + lost > recovered ? l->lost + lost - recovered : 0;
    l->received += received;
    if (l->lost + l->received >= FW_LOSS_WINDOW_PACKETS && now_us - l->window_us >= FW_LOSS_WINDOW_US) {
        l->older_lost = l->lost;
        l->older_received = l->received;
        l->lost = l->received = 0;
        l->window_us = now_us;
    }
}

uint32_t fw_loss_permille(const fw_loss_t *l) {
    uint32_t lost = l->lost + l->older_lost, all = lost + l->received + l->older_received;
    return all < FW_LOSS_WINDOW_PACKETS ? 0 : (uint32_t)((uint64_t)lost * 1000 / all);
}

void fw_loss_clear(fw_loss_t *l, uint64_t now_us) { *l = (fw_loss_t){.window_us = now_us}; }
