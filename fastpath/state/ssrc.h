/* Which encoding an inbound SSRC of a transport belongs to.
 *
 * SSRCs that authenticated but belong to no encoding are kept too: each costs decryption state, and counts for max_ssrcs.
 */
#ifndef FW_STATE_SSRC_H
#define FW_STATE_SSRC_H

#include "../state/core.h"

/* The value of such an SSRC in fw_transport_t.inbound. */
extern fw_encoding_t fw_unknown_ssrc;
#define FW_UNKNOWN_SSRC (&fw_unknown_ssrc)

/* Remembers an SSRC that authenticated and belongs to no encoding. Without memory it is not remembered. */
void fw_ssrc_note_unknown(fw_transport_t *t, uint32_t ssrc);

typedef enum {
    FW_SSRC_REFUSED,   /* another encoding has the SSRC, max_ssrcs is reached, or memory is short */
    FW_SSRC_LEARNT,
    FW_SSRC_RESTARTED, /* the encoding had another media SSRC before: the caller calls fw_restart_encoding */
} fw_ssrc_result_t;

/* Gives an encoding the SSRC of its media, or of its retransmissions where `rtx`. */
fw_ssrc_result_t fw_ssrc_learn(const fw_core_t *core, fw_encoding_t *e, uint32_t ssrc, bool rtx);

/* Forgets both SSRCs of an encoding that is about to be freed. */
void fw_ssrc_forget(fw_transport_t *t, const fw_encoding_t *e);

#endif
