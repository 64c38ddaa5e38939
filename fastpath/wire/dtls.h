/* Reads the clear fields of DTLS records that identify a handshake (RFC 6347 section 4). Decrypts nothing. */
#ifndef FW_WIRE_DTLS_H
#define FW_WIRE_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

#define FW_DTLS_RANDOM_BYTES 32

/* Returns the 32-byte random of a ClientHello whose first fragment begins the datagram; NULL where the datagram begins otherwise. */
static inline const uint8_t *fw_dtls_client_random(const uint8_t *data, size_t len) {
    enum { RECORD_BYTES = 13, HEADER_BYTES = 12, VERSION_BYTES = 2, HANDSHAKE = 22, CLIENT_HELLO = 1 };
    const uint8_t *message = data + RECORD_BYTES;
    if (len < RECORD_BYTES + HEADER_BYTES + VERSION_BYTES + FW_DTLS_RANDOM_BYTES) return NULL;
    if (data[0] != HANDSHAKE || data[1] != 0xfe || fw_load16(data + 3) != 0 || message[0] != CLIENT_HELLO) return NULL;
    bool first_fragment = (message[6] | message[7] | message[8]) == 0;
    return first_fragment ? message + HEADER_BYTES + VERSION_BYTES : NULL;
}

/* Returns whether the first record belongs to a handshake: a handshake message, ChangeCipherSpec, or an alert of epoch 0
 * (unencrypted). */
static inline bool fw_dtls_is_handshake(const uint8_t *data, size_t len) {
    enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22 };
    if (len < 5) return false;
    return data[0] == CHANGE_CIPHER_SPEC || data[0] == HANDSHAKE || (data[0] == ALERT && fw_load16(data + 3) == 0);
}

#endif
