/* The packet pool of a worker: a ring of slots in the order of arrival.
 *
 * A packet keeps its slot until `count` newer packets were received. So packets are neither freed nor reference-counted, memory is
 * bounded by the pool's size, and looking up a packet whose slot was reused returns NULL.
 */
#ifndef FW_BASE_POOL_H
#define FW_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire/dd.h"
#include "../wire/frame.h"
#include "../wire/rtp.h"

#define FW_PACKET_BYTES 1504 /* of one RTP packet */
#define FW_PACKET_EXTENSIONS 12

typedef struct {
    uint16_t offset; /* into fw_packet_t.data, possibly past the packet's `len` */
    uint8_t kind;    /* fw_extension_t */
    uint8_t len;
} fw_packet_ext_t;

typedef struct fw_packet fw_packet_t;
struct fw_packet {
    uint64_t number; /* serial number in the pool, from 0 */
    uint64_t seq64;
    uint64_t arrival_us;
    const void *encoding; /* its fw_encoding_t */
    fw_packet_t *next;    /* next packet of the same producer in the batch */
    fw_rtp_t rtp;
    fw_frame_t frame;
    fw_dd_t dd;
    uint16_t len;
    uint8_t format; /* index into the producer's formats */
    uint8_t ext_count;
    bool has_dd;
    bool sync_point; /* a decoder can start here */
    bool lacks_parameter_sets; /* H.264, H.265: a sync point whose picture came without them */
    bool run_goes_on; /* see egress/gso_pad.h */
    uint8_t padding;
    fw_packet_ext_t ext[FW_PACKET_EXTENSIONS]; /* header extensions to forward */
    uint8_t data[FW_PACKET_BYTES];
};

/* The forwarded header extension of that kind, or NULL. */
static inline const fw_packet_ext_t *fw_packet_extension(const fw_packet_t *packet, uint8_t kind) {
    for (unsigned i = 0; i < packet->ext_count; i++)
        if (packet->ext[i].kind == kind) return &packet->ext[i];
    return NULL;
}

typedef struct {
    fw_packet_t *slots;
    uint64_t next;  /* number of the next packet */
    uint64_t count; /* slots, a power of two */
} fw_pool_t;

/* `packets` is rounded up to a power of two. Pages are first touched as packets are received. False where memory is short. */
bool fw_pool_init(fw_pool_t *p, uint32_t packets);
void fw_pool_free(fw_pool_t *p);

/* The slot of the next packet. fw_pool_take numbers it and advances to the next slot. */
static inline fw_packet_t *fw_pool_peek(const fw_pool_t *p) { return &p->slots[p->next & (p->count - 1)]; }
static inline void fw_pool_take(fw_pool_t *p) { fw_pool_peek(p)->number = p->next; p->next++; }

/* The packet with that number, or NULL where its slot was reused or is the next to be reused. */
static inline fw_packet_t *fw_pool_get(const fw_pool_t *p, uint64_t number) {
    if (number >= p->next || p->next - number >= p->count) return NULL;
    return &p->slots[number & (p->count - 1)];
}

#endif
