#include "gso_pad.h"

static uint16_t size(const fw_packet_t *packet) { return (uint16_t)(packet->rtp.header_len + packet->rtp.payload_len); }

/* Whether one run can hold packets of these sizes. */
static bool near(uint16_t smallest, uint16_t largest) { return largest - smallest <= smallest / FW_GSO_PAD_PART; }

static fw_packet_t *equalise_run(fw_packet_t *first) {
    uint16_t smallest = size(first), largest = smallest;
    fw_packet_t *last = first;
    for (fw_packet_t *p = first->next; p != NULL && p->encoding == first->encoding && p->rtp.payload_len > 0; p = p->next) {
        uint16_t s = size(p);
        uint16_t low = s < smallest ? s : smallest, high = s > largest ? s : largest;
        if (!near(low, high)) break;
        smallest = low;
        largest = high;
        last = p;
    }
    for (fw_packet_t *p = first; p != last; p = p->next) {
        p->padding = (uint8_t)(largest - size(p));
        p->run_goes_on = true;
    }
    last->padding = 0;
    last->run_goes_on = false;
    return last->next;
}

void fw_gso_pad(fw_packet_t *batch) {
    while (batch != NULL) batch = equalise_run(batch);
}
