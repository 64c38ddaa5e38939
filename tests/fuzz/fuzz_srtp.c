/* Inbound SRTP and SRTCP under every profile: no packet is read beyond its end, a packet that is not OK changes no state, and no
 * packet is OK twice.
 *
 * The cipher is a stub: a packet that ends in zeros is authentic. The first byte selects the profile, and RTP or RTCP.
 */
#include "crypto/srtp.h"
#include "fuzz.h"
#include "open_backend.h"

typedef fw_srtp_status_t unprotect_t(fw_srtp_t *srtp, uint8_t *packet, size_t *len);

/* A copy as long as the packet, so that a sanitizer sees what reads beyond it. */
static fw_srtp_status_t give(unprotect_t *unprotect, fw_srtp_t *srtp, const uint8_t *data, size_t len) {
    uint8_t *packet = malloc(len > 0 ? len : 1);
    CHECK(packet != NULL);
    if (len > 0) memcpy(packet, data, len);
    size_t left = len;
    size_t before = fw_srtp_memory_bytes(srtp);
    fw_srtp_status_t status = unprotect(srtp, packet, &left);
    CHECK(status == FW_SRTP_OK ? left < len : left == len && fw_srtp_memory_bytes(srtp) == before);
    free(packet);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const fw_srtp_profile_t profiles[] = {FW_SRTP_AEAD_AES_128_GCM, FW_SRTP_AEAD_AES_256_GCM, FW_SRTP_AES128_CM_SHA1_80};
    static const uint8_t key[FW_SRTP_MAX_KEY_BYTES];
    if (size == 0) return 0;
    static fw_backend_t backend;
    backend = open_backend();
    fw_backend_use(&backend);
    fw_crypto_t *crypto = fw_crypto_create();
    fw_srtp_t *srtp = crypto == NULL ? NULL : fw_srtp_create(crypto, profiles[data[0] % 3], key, key);
    CHECK(srtp != NULL);
    unprotect_t *unprotect = (data[0] & 0x80) != 0 ? fw_srtp_unprotect_rtcp : fw_srtp_unprotect;
    for (size_t at = 1; at < size;) {
        size_t len = data[at];
        if (len == 0 || len > size - at) len = size - at;
        if (give(unprotect, srtp, data + at, len) == FW_SRTP_OK)
            CHECK(give(unprotect, srtp, data + at, len) == FW_SRTP_REPLAYED);
        at += len;
    }
    fw_srtp_destroy(srtp);
    fw_crypto_destroy(crypto);
    return 0;
}
