#include "holdback.h"

#include <stdlib.h>

#include "../state/batch.h"
#include "fixups.h"
#include "store.h"

enum { LAST_WAIT_US = 200000 }; /* longer than the packets of one picture are apart at most rates */

static bool is_newest(const fw_encoding_t *e, const fw_packet_t *packet) {
    return e->highest_seq64 != 0 && fw_seq_extend(e->highest_seq64, packet->rtp.seq16) > e->highest_seq64;
}

bool fw_holdback_keep(fw_encoding_t *e, const fw_packet_t *packet) {
    if (e->last != NULL || !is_newest(e, packet) || !fw_fixups_awaits_next(e, packet)) return false;
    e->last = malloc(sizeof *e->last);
    if (e->last != NULL) *e->last = *packet;
    return e->last != NULL;
}

/* Stores the packet that was held back. Overwrites the pool's next slot. */
static void store_last(fw_core_t *core, fw_encoding_t *e) {
    fw_packet_t *last = e->last, *packet = fw_pool_peek(&core->pool);
    e->last = NULL;
    if (last->rtp.ssrc == e->ssrc && fw_batch_has_room(core)) {
        fw_outbox_protect(&core->outbox);
        *packet = *last;
        fw_store_received(core, e, packet, false);
    }
    free(last);
}

fw_packet_t *fw_holdback_release(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    if (e->last == NULL || (uint16_t)(packet->rtp.seq16 - e->last->rtp.seq16) >= 0x8000) return packet;
    fw_packet_t next = *packet;
    fw_fixups_marker(e, e->last, &next);
    store_last(core, e);
    if (!fw_batch_has_room(core)) return NULL;
    fw_outbox_protect(&core->outbox);
    packet = fw_pool_peek(&core->pool);
    *packet = next;
    return packet;
}

uint64_t fw_holdback_next_us(const fw_encoding_t *e) {
    return e->last == NULL ? UINT64_MAX : e->last->arrival_us + LAST_WAIT_US;
}

void fw_holdback_tick(fw_core_t *core, fw_encoding_t *e) {
    if (core->now_us < fw_holdback_next_us(e)) return;
    fw_fixups_marker(e, e->last, NULL);
    store_last(core, e);
}
