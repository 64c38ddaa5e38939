/* Compiles only if every number of crypto/ipsec_mb_abi.h equals that of the library's header. */
#include <intel-ipsec-mb.h>

#include <stddef.h>

#include "crypto/ipsec_mb_abi.h"

#define SAME(ours, theirs) _Static_assert((size_t)(ours) == (size_t)(theirs), #ours)
#define AT(ours, field) SAME(ours, offsetof(IMB_MGR, field))

SAME(FW_IMB_VERSION, IMB_VERSION_NUM);
SAME(FW_IMB_GCM_KEY_BYTES, sizeof(struct gcm_key_data));
SAME(FW_IMB_GCM_CONTEXT_BYTES, sizeof(struct gcm_context_data));
SAME(FW_IMB_AES128_KEY_BYTES, 11 * IMB_AES_BLOCK_SIZE);
SAME(FW_IMB_AESNI, IMB_FEATURE_AESNI);
SAME(FW_IMB_PCLMULQDQ, IMB_FEATURE_PCLMULQDQ);
SAME(FW_IMB_AESNI_EMULATED, IMB_FEATURE_AESNI_EMU);
SAME(FW_IMB_SELF_TESTED, IMB_FEATURE_SELF_TEST_PASS);
SAME(FW_IMB_CNTR, IMB_CIPHER_CNTR);
SAME(FW_IMB_ENCRYPT, IMB_DIR_ENCRYPT);
SAME(FW_IMB_HMAC_SHA_1, IMB_AUTH_HMAC_SHA_1);

AT(FW_IMB_FEATURES, features);
AT(FW_IMB_KEYEXP_128, keyexp_128);
AT(FW_IMB_GCM128_ENC, gcm128_enc);
AT(FW_IMB_GCM256_ENC, gcm256_enc);
AT(FW_IMB_GCM128_DEC, gcm128_dec);
AT(FW_IMB_GCM256_DEC, gcm256_dec);
AT(FW_IMB_GCM128_INIT, gcm128_init);
AT(FW_IMB_GCM256_INIT, gcm256_init);
AT(FW_IMB_GCM128_ENC_UPDATE, gcm128_enc_update);
AT(FW_IMB_GCM256_ENC_UPDATE, gcm256_enc_update);
AT(FW_IMB_GCM128_ENC_FINALIZE, gcm128_enc_finalize);
AT(FW_IMB_GCM256_ENC_FINALIZE, gcm256_enc_finalize);
AT(FW_IMB_GCM128_PRE, gcm128_pre);
AT(FW_IMB_GCM256_PRE, gcm256_pre);
AT(FW_IMB_CIPHER_BURST, submit_cipher_burst_nocheck);
AT(FW_IMB_HASH_BURST, submit_hash_burst_nocheck);

SAME(sizeof(fw_imb_job_t), sizeof(IMB_JOB));
#define FIELD(ours, theirs) SAME(offsetof(fw_imb_job_t, ours), offsetof(IMB_JOB, theirs))
FIELD(enc_keys, enc_keys);
FIELD(key_len, key_len_in_bytes);
FIELD(src, src);
FIELD(dst, dst);
FIELD(cipher_offset, cipher_start_src_offset_in_bytes);
FIELD(cipher_len, msg_len_to_cipher_in_bytes);
FIELD(hash_offset, hash_start_src_offset_in_bytes);
FIELD(hash_len, msg_len_to_hash_in_bytes);
FIELD(iv, iv);
FIELD(iv_len, iv_len_in_bytes);
FIELD(tag, auth_tag_output);
FIELD(tag_len, auth_tag_output_len_in_bytes);
FIELD(inner_pad, u.HMAC._hashed_auth_key_xor_ipad);
FIELD(outer_pad, u.HMAC._hashed_auth_key_xor_opad);
