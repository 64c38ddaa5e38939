#include "holdback.h"

#include <stdlib.h>

#include "../state/batch.h"
#include "fixups.h"
#include "store.h"

enum { HOLD_US = 200000 }; /* longest hold; exceeds the gap between packets of one picture at most bit rates */

static bool is_newest(const fw_encoding_t *e, const fw_packet_t *packet) {
    return e->highest_seq64 != 0 && fw_seq_extend(e->highest_seq64, packet->rtp.seq16) > e->highest_seq64;
}

bool fw_holdback_keep(fw_encoding_t *e, const fw_packet_t *packet) {
    if (e->held_back != NULL || !is_newest(e, packet) || !fw_fixups_awaits_next(e, packet)) return false;
    e->held_back = malloc(sizeof *e->held_back);
    if (e->held_back != NULL) *e->held_back = *packet;
    return e->held_back != NULL;
}

/* Stores the packet that was held back, or drops it where the SSRC has changed or the batch is full. Overwrites the pool's next slot.
 * */
static void store_held_back(fw_core_t *core, fw_encoding_t *e) {
    fw_packet_t *held_back = e->held_back, *packet = fw_pool_peek(&core->pool);
    e->held_back = NULL;
    if (held_back->rtp.ssrc == e->ssrc && fw_batch_has_room(core)) {
        fw_outbox_protect(&core->outbox);
        *packet = *held_back;
        fw_store_received(core, e, packet, false);
    }
    free(held_back);
}

fw_packet_t *fw_holdback_release(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    if (e->held_back == NULL || (uint16_t)(packet->rtp.seq16 - e->held_back->rtp.seq16) >= 0x8000) return packet;
    fw_packet_t next = *packet;
    fw_fixups_marker(e, e->held_back, &next);
    store_held_back(core, e);
    if (!fw_batch_has_room(core)) return NULL;
    fw_outbox_protect(&core->outbox);
    packet = fw_pool_peek(&core->pool);
    *packet = next;
    return packet;
}

uint64_t fw_holdback_next_us(const fw_encoding_t *e) {
    return e->held_back == NULL ? UINT64_MAX : e->held_back->arrival_us + HOLD_US;
}

void fw_holdback_tick(fw_core_t *core, fw_encoding_t *e) {
    if (core->now_us < fw_holdback_next_us(e)) return;
    fw_fixups_marker(e, e->held_back, NULL);
    store_held_back(core, e);
}
