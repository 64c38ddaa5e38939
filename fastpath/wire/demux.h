/* Classifies a datagram by its first two bytes (RFC 7983 section 7, RFC 5761 section 4). */
#ifndef FW_WIRE_DEMUX_H
#define FW_WIRE_DEMUX_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    FW_DATAGRAM_UNKNOWN,
    FW_DATAGRAM_STUN,
    FW_DATAGRAM_DTLS,
    FW_DATAGRAM_RTP,
    FW_DATAGRAM_RTCP,
} fw_datagram_t;

static inline fw_datagram_t fw_demux(const uint8_t *data, size_t len) {
    if (len < 2) return FW_DATAGRAM_UNKNOWN;
    if (data[0] <= 3) return FW_DATAGRAM_STUN;
    if (data[0] >= 20 && data[0] <= 63) return FW_DATAGRAM_DTLS;
    if (data[0] < 128 || data[0] > 191) return FW_DATAGRAM_UNKNOWN;
    return data[1] >= 192 && data[1] <= 223 ? FW_DATAGRAM_RTCP : FW_DATAGRAM_RTP;
}

#endif
