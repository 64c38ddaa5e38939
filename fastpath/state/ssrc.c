#include "ssrc.h"

fw_encoding_t fw_unknown_ssrc;

void fw_ssrc_note_unknown(fw_transport_t *t, uint32_t ssrc) {
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    (void)fw_map_put(&t->inbound, &key, FW_UNKNOWN_SSRC);
}

fw_ssrc_result_t fw_ssrc_learn(const fw_core_t *core, fw_encoding_t *e, uint32_t ssrc, bool rtx) {
    fw_transport_t *t = e->producer->transport;
    uint32_t *known = rtx ? &e->rtx_ssrc : &e->ssrc;
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    if (t != NULL) {
        const fw_encoding_t *owner = fw_map_get(&t->inbound, &key);
        if (owner != NULL && owner != FW_UNKNOWN_SSRC) return FW_SSRC_REFUSED;
        if (owner == NULL && t->inbound.count >= core->config.max_ssrcs) return FW_SSRC_REFUSED;
        if (!fw_map_put(&t->inbound, &key, e)) return FW_SSRC_REFUSED;
        if (*known != 0) {
            fw_key_t old = fw_key(known, sizeof *known);
            /* The old SSRC still has decryption state, so it still counts towards max_ssrcs. */
            if (!fw_map_put(&t->inbound, &old, FW_UNKNOWN_SSRC)) fw_map_remove(&t->inbound, &old);
        }
    }
    bool restarted = *known != 0;
    *known = ssrc;
    if (!restarted) return FW_SSRC_LEARNT;
    if (!rtx) return FW_SSRC_RESTARTED;
    e->rtx_highest_seq64 = 0;
    e->rtx_stats = (fw_receive_stats_t){0};
    return FW_SSRC_LEARNT;
}

static void forget_ssrc(fw_transport_t *t, uint32_t ssrc) {
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    fw_map_remove(&t->inbound, &key);
}

void fw_ssrc_forget(fw_transport_t *t, const fw_encoding_t *e) {
    if (e->ssrc != 0) forget_ssrc(t, e->ssrc);
    if (e->rtx_ssrc != 0) forget_ssrc(t, e->rtx_ssrc);
}
