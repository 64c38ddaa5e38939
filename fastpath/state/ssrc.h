/* Maps the inbound SSRCs of a transport to encodings.
 *
 * SSRCs that authenticated but belong to no encoding are kept too: each has decryption state, and counts towards max_ssrcs.
 */
#ifndef FW_STATE_SSRC_H
#define FW_STATE_SSRC_H

#include "../state/core.h"

/* Value in fw_transport_t.inbound of an SSRC that belongs to no encoding. */
extern fw_encoding_t fw_unknown_ssrc;
#define FW_UNKNOWN_SSRC (&fw_unknown_ssrc)

/* Adds an SSRC that authenticated and belongs to no encoding. Has no effect where memory is short. */
void fw_ssrc_note_unknown(fw_transport_t *t, uint32_t ssrc);

typedef enum {
    FW_SSRC_REFUSED,   /* another encoding has the SSRC, max_ssrcs is reached, or memory is short */
    FW_SSRC_LEARNT,
    FW_SSRC_RESTARTED, /* the encoding had another media SSRC before: the caller calls fw_restart_encoding */
} fw_ssrc_result_t;

/* Sets the media SSRC of an encoding, or its RTX SSRC where `rtx`. */
fw_ssrc_result_t fw_ssrc_learn(const fw_core_t *core, fw_encoding_t *e, uint32_t ssrc, bool rtx);

/* Removes both SSRCs of an encoding, before it is freed. */
void fw_ssrc_forget(fw_transport_t *t, const fw_encoding_t *e);

#endif
