# cython: language_level=3
"""Python bindings of SRTP contexts and ciphers, which tests compare with the RFCs and with libsrtp."""

import pylibsrtp._binding

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ..core cimport *
from ..crypto cimport *

load_crypto(pylibsrtp._binding.__file__)


cdef extern from "crypto/session_keys.h" nogil:
    ctypedef struct fw_session_keys_t:
        uint8_t *salt
        uint8_t *cipher

    ctypedef enum fw_labels_t:
        FW_LABELS_RTP
        FW_LABELS_RTCP

    bint fw_session_keys_derive(
        fw_session_keys_t *keys, fw_hmac_t *auth, fw_crypto_t *crypto, fw_srtp_profile_t profile, fw_labels_t labels,
        const uint8_t *master
    )


STATUSES = {FW_SRTP_OK: "ok", FW_SRTP_REPLAYED: "replayed", FW_SRTP_FORGED: "forged", FW_SRTP_FAILED: "failed"}


def hmac_sha1(bytes key, bytes data):
    cdef fw_hmac_t hmac
    cdef uint8_t[FW_HMAC_BYTES] out
    cdef size_t half = len(data) // 2
    cdef const uint8_t *start = data
    if not fw_hmac_init(&hmac, key, len(key)) or not fw_hmac_compute(
        &hmac, start, half, start + half, len(data) - half, out
    ):
        raise RuntimeError("the library failed")
    return out[:FW_HMAC_BYTES]


cdef class Ciphers:
    """One initialised crypto backend."""

    cdef fw_crypto_t *crypto

    def __init__(self, str backend):
        use_backend(backend)
        self.crypto = fw_crypto_create()
        if self.crypto == NULL:
            raise MemoryError

    def __dealloc__(self):
        fw_crypto_destroy(self.crypto)

    def keystream(self, bytes key, bytes iv, size_t size):
        cdef uint8_t[32] out
        if size > sizeof(out) or len(iv) != 16 or len(key) not in (16, 32):
            raise ValueError("a key of 16 or 32 bytes, an IV of 16, and at most 32 bytes of keystream")
        if not self.crypto.backend.keystream(self.crypto.own, key, len(key), iv, out, size):
            raise RuntimeError("the library failed")
        return out[:size]

    def derive(self, int profile, bint rtcp, bytes master):
        cdef fw_session_keys_t keys
        cdef fw_hmac_t auth
        if len(master) != (44 if profile == FW_SRTP_AEAD_AES_256_GCM else 30 if profile == FW_SRTP_AES128_CM_SHA1_80 else 28):
            raise ValueError("not as long as the profile's")
        labels = FW_LABELS_RTCP if rtcp else FW_LABELS_RTP
        if not fw_session_keys_derive(&keys, &auth, self.crypto, <fw_srtp_profile_t>profile, labels, master):
            raise RuntimeError("the library failed")
        return keys.cipher[:32], keys.salt[:16]

    def seal(self, int profile, bytes key, bytes iv, bytes header, bytes plaintext):
        """AES-GCM without SRTP key derivation. Returns ciphertext and tag."""
        cdef fw_gcm_t message
        cdef uint8_t[2048] out
        cdef const void *lent = self.crypto.backend.lend(self.crypto.own, <fw_srtp_profile_t>profile, key)
        if lent == NULL or len(iv) != 12 or len(plaintext) > 1500:
            raise ValueError("an IV of 12 bytes, and at most 1500 of plaintext")
        memset(&message, 0, sizeof(message))
        message.header, message.header_len = header, len(header)
        message.plaintext, message.len = plaintext, len(plaintext)
        message.out, message.tag = out, out + len(plaintext)
        memcpy(message.iv, <const uint8_t *>iv, 12)
        if not self.crypto.backend.gcm_seal(<fw_srtp_profile_t>profile, lent, &message):
            raise RuntimeError("the library failed")
        return out[:len(plaintext) + 16]


cdef class Srtp:
    """A context for both directions. `protect` takes any number of (context, header, prefix, body, padding, index)."""

    cdef Ciphers ciphers
    cdef fw_srtp_t *srtp

    def __init__(self, Ciphers ciphers, int profile, bytes local_key, bytes remote_key):
        self.ciphers = ciphers
        self.srtp = fw_srtp_create(ciphers.crypto, <fw_srtp_profile_t>profile, local_key.ljust(46), remote_key.ljust(46))
        if self.srtp == NULL:
            raise ValueError("there is no such profile")

    def __dealloc__(self):
        fw_srtp_destroy(self.srtp)

    @property
    def memory_bytes(self):
        return fw_srtp_memory_bytes(self.srtp)

    cdef open(self, bytes packet, bint rtcp):
        cdef size_t size = len(packet)
        cdef uint8_t *copy = <uint8_t *>malloc(size or 1)
        if copy == NULL:
            raise MemoryError
        try:
            memcpy(copy, <const uint8_t *>packet, size)
            if rtcp:
                status = fw_srtp_unprotect_rtcp(self.srtp, copy, &size)
            else:
                status = fw_srtp_unprotect(self.srtp, copy, &size)
            return STATUSES[status], copy[:size] if status == FW_SRTP_OK else b""
        finally:
            free(copy)

    def unprotect(self, bytes packet):
        return self.open(packet, False)

    def unprotect_rtcp(self, bytes packet):
        return self.open(packet, True)

    def protect_rtcp(self, bytes packet):
        cdef uint8_t[2048] out
        cdef size_t size = len(packet)
        if size > 1500:
            raise ValueError("a compound is at most 1500 bytes")
        memcpy(out, <const uint8_t *>packet, size)
        size = fw_srtp_protect_rtcp(self.srtp, out, size)
        return out[:size] or None


def protect(jobs):
    cdef size_t count = len(jobs), i
    cdef fw_srtp_job_t *made = <fw_srtp_job_t *>malloc((count or 1) * sizeof(fw_srtp_job_t))
    cdef uint8_t *out = <uint8_t *>malloc((count or 1) * 2048)
    cdef Srtp srtp
    cdef bytes header, prefix, body
    if made == NULL or out == NULL:
        free(made)
        free(out)
        raise MemoryError
    try:
        memset(made, 0, count * sizeof(fw_srtp_job_t))
        for i in range(count):
            srtp, header, prefix, body, padding, index = jobs[i]
            if len(header) + len(prefix) + len(body) + padding > 1900:
                raise ValueError("a packet is at most 1900 bytes")
            made[i].srtp, made[i].overhead = srtp.srtp, fw_srtp_overhead(srtp.srtp)
            made[i].out = out + 2048 * i
            memcpy(made[i].out, <const uint8_t *>header, len(header))
            memcpy(made[i].out + len(header), <const uint8_t *>prefix, len(prefix))
            made[i].body = body
            made[i].header_len, made[i].prefix_len, made[i].body_len = len(header), len(prefix), len(body)
            made[i].padding, made[i].index = padding, index
        fw_srtp_protect(made, count)
        return [made[i].out[:made[i].out_len] or None for i in range(count)]
    finally:
        free(made)
        free(out)
