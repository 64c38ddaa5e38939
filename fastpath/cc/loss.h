/* The share of packets that a path loses, over two windows of at least 500 ms and 50 packets each. */
#ifndef FW_CC_LOSS_H
#define FW_CC_LOSS_H

#include <stdint.h>

#define FW_LOSS_WINDOW_US 500000
#define FW_LOSS_WINDOW_PACKETS 50

/* All zero to start with. */
typedef struct {
    uint64_t window_us; /* start of this window */
    uint32_t lost, received, older_lost, older_received;
} fw_loss_t;

/* Counts what one feedback reports: `recovered` packets had been counted as lost and have arrived since. */
void fw_loss_add(fw_loss_t *l, uint32_t lost, uint32_t recovered, uint32_t received, uint64_t now_us);

/* In thousandths; 0 until FW_LOSS_WINDOW_PACKETS have been counted. */
uint32_t fw_loss_permille(const fw_loss_t *l);

/* Starts anew, after the sender has reacted. */
void fw_loss_clear(fw_loss_t *l, uint64_t now_us);

#endif
