#include "keyframe.h"

#include "../state/marks.h"

void fw_keyframe_want(fw_core_t *core, fw_producer_t *p, uint8_t encodings) {
    if (p->home_worker == FW_NO_WORKER) return; /* fed by Python, which takes no requests */
    if (p->transport == NULL) {
        fw_relay_head_t head = {.producer_id = p->home_id, .encodings = encodings};
        if (!core->callbacks.relay(core->callbacks.context, p->home_worker, FW_RELAY_KEYFRAME, &head, NULL, 0))
            core->counters.drop_relay_full++;
        return;
    }
    for (unsigned i = 0; i < p->encoding_count; i++)
        /* An encoding that has not begun will begin with a keyframe. */
        if (p->encodings[i]->ssrc == 0 || p->encodings[i]->highest_seq64 == 0) encodings &= (uint8_t)~(1U << i);
    fw_keyframes_want(&p->keyframes, encodings);
    fw_mark_due(core, p->transport);
}

void fw_keyframe_lacks(fw_core_t *core, fw_producer_t *p, uint8_t encoding) {
    uint8_t bit = (uint8_t)(1U << encoding);
    if (p->transport == NULL || ((p->keyframes.wanted | p->keyframes.awaited) & bit) != 0) return;
    fw_keyframe_want(core, p, bit);
}
