"""Declares the C of crypto/ for Cython. The headers document it."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "crypto/library.h" nogil:
    bint fw_libcrypto_load(const char *path, const char **missing)


cdef extern from "crypto/backend.h" nogil:
    ctypedef enum fw_srtp_profile_t:
        FW_SRTP_AES128_CM_SHA1_80
        FW_SRTP_AEAD_AES_128_GCM
        FW_SRTP_AEAD_AES_256_GCM

    ctypedef struct fw_gcm_t:
        const uint8_t *header
        const uint8_t *plaintext "in"
        uint8_t *out
        uint8_t *tag
        uint32_t header_len
        uint32_t len
        uint8_t *iv

    ctypedef struct fw_backend_t:
        const char *name
        const void *(*lend)(void *own, fw_srtp_profile_t profile, const uint8_t *key) noexcept
        bint (*gcm_seal)(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *message) noexcept
        bint (*keystream)(
            void *own, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len
        ) noexcept

    ctypedef struct fw_crypto_t:
        const fw_backend_t *backend
        void *own


cdef extern from "crypto/choose.h" nogil:
    fw_crypto_t *fw_crypto_create()
    void fw_crypto_destroy(fw_crypto_t *crypto)

    ctypedef struct fw_choice_t:
        const fw_backend_t *backend
        const char *version
        const char *why

    fw_choice_t fw_backend_choose(const char *name)
    const fw_choice_t *fw_backend_chosen()


cdef extern from "crypto/hmac.h" nogil:
    enum:
        FW_HMAC_BYTES

    ctypedef struct fw_hmac_t:
        pass

    bint fw_hmac_init(fw_hmac_t *hmac, const uint8_t *key, size_t len)
    bint fw_hmac_compute(
        const fw_hmac_t *hmac, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len, uint8_t *out
    )
    bint fw_tag_equal(const uint8_t *a, const uint8_t *b, size_t len)


cdef extern from "crypto/srtp.h" nogil:
    enum:
        FW_SRTP_MAX_KEY_BYTES
        FW_SRTP_MAX_OVERHEAD_BYTES

    ctypedef struct fw_srtp_t:
        pass

    ctypedef struct fw_srtp_job_t:
        fw_srtp_t *srtp
        uint8_t *out
        const uint8_t *body
        uint64_t index
        uint16_t header_len
        uint16_t prefix_len
        uint16_t body_len
        uint8_t padding
        uint8_t overhead
        uint16_t out_len

    ctypedef enum fw_srtp_status_t:
        FW_SRTP_OK
        FW_SRTP_REPLAYED
        FW_SRTP_FORGED
        FW_SRTP_FAILED

    fw_srtp_t *fw_srtp_create(
        fw_crypto_t *crypto, fw_srtp_profile_t profile, const uint8_t *local_key, const uint8_t *remote_key
    )
    void fw_srtp_destroy(fw_srtp_t *srtp)
    size_t fw_srtp_overhead(const fw_srtp_t *srtp)
    size_t fw_srtp_memory_bytes(const fw_srtp_t *srtp)
    void fw_srtp_protect(fw_srtp_job_t *jobs, size_t count)
    fw_srtp_status_t fw_srtp_unprotect(fw_srtp_t *srtp, uint8_t *packet, size_t *len)
    fw_srtp_status_t fw_srtp_unprotect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t *len)
    size_t fw_srtp_protect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t len)


cdef inline int load_crypto(str path) except -1:
    """Finds libcrypto in the shared object at `path`, or the system's; once in each extension."""
    cdef const char *missing = NULL
    data = path.encode()
    if not fw_libcrypto_load(data, &missing):
        raise ImportError(f"{missing.decode()} is in neither {path} nor libcrypto.so.3: reinstall pylibsrtp")
    return 0


cdef inline int use_backend(str name) except -1:
    """Makes a backend that was found to serve the one of this extension, too: each has the C libraries to itself."""
    cdef const fw_choice_t *chosen = fw_backend_chosen()
    wanted = name.encode()
    if chosen.backend != NULL and chosen.backend.name == <bytes>wanted:
        return 0
    cdef fw_choice_t choice = fw_backend_choose(wanted)
    if choice.backend == NULL:
        raise RuntimeError(f"{name}: {choice.why.decode()}")
    return 0
