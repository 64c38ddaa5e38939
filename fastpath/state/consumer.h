/* A consumer: one outgoing media stream to one viewer, its target and current layers, and its number mappings. */
#ifndef FW_STATE_CONSUMER_H
#define FW_STATE_CONSUMER_H

#include "../stream/nack_dedup.h"
#include "../stream/select.h"
#include "../stream/seqmap.h"
#include "../wire/rtcp.h"
#include "encoding.h"

#define FW_NO_PICTURE 0xffff /* no picture id: those have at most 15 bits */

#define FW_SENT_PLAIN 512 /* sent packets that can be retransmitted byte for byte where RTX is not negotiated */

#define FW_SENT_REPORTS 4 /* SRs remembered to compute the round-trip time */

/* Mapping of one epoch: the time in which a consumer is sent one encoding without a switch. Retransmissions reuse it. */
typedef struct {
    const fw_encoding_t *encoding; /* NULL once the encoding is freed */
    uint32_t number;               /* epoch number of fw_seqmap_t */
    uint32_t ts_offset;
    uint64_t squeezed_end;    /* fast start: the timestamps of packets with a lower seq64 ... */
    uint32_t squeezed_before; /* ... and an earlier timestamp are compressed: see fw_epoch_timestamp */
    uint16_t picture_id_offset;
    uint16_t frame_number_offset;
    uint8_t tl0_offset;
    uint8_t keyidx_offset;
    uint8_t sets_format;   /* of an epoch of parameter sets: their payload type, by the producer's formats, */
    bool is_sets;
    uint32_t sets_version; /* and fw_parameter_sets_t.version: others must not go out under the same number */
} fw_epoch_t;

/* Fast start sends cached packets at this multiple of the rate at which they arrived, and compresses their timestamps by the same
 * factor: with the original timestamps the viewer would play them in real time and stay behind. */
#define FW_FAST_START_SPEED 4

/* The RTP timestamp of a packet as sent in this epoch: with the epoch's offset, and in fast start with its distance to
 * squeezed_before divided by FW_FAST_START_SPEED. */
static inline uint32_t fw_epoch_timestamp(const fw_epoch_t *epoch, const fw_packet_t *packet) {
    uint32_t in = packet->rtp.timestamp;
    uint32_t before = epoch->squeezed_before - in;
    bool squeezed = packet->seq64 < epoch->squeezed_end && before < UINT32_C(0x80000000);
    return epoch->ts_offset + (squeezed ? epoch->squeezed_before - before / FW_FAST_START_SPEED : in);
}

/* Values written into a sent packet that the cache does not hold: with them a retransmission without RTX is byte-identical. */
typedef struct {
    uint64_t seq64; /* as sent; 0 for an empty entry */
    uint32_t abs_send_time;
    uint16_t transport_cc;
    uint8_t padding;
} fw_sent_plain_t;

/* Template of the header extensions that the server writes itself, in the one-byte form (RFC 8285 section 4.2) without padding.
 * abs-send-time and transport-cc are filled in per packet at their offsets (0: not negotiated). */
typedef struct {
    uint8_t bytes[4 + 4 + 3 + 17]; /* header, abs-send-time, transport-cc, MID */
    uint8_t len;
    uint8_t abs_send_time_at;
    uint8_t transport_cc_at;
} fw_own_extensions_t;

/* The fields that each packet needs come first: they are prefetched together. */
struct fw_consumer {
    fw_transport_t *transport;
    fw_producer_t *producer; /* NULL while not bound */
    fw_consumer_t *next_pending;
    fw_sent_plain_t *sent_plain; /* by seq64 modulo FW_SENT_PLAIN, where NACK is negotiated and RTX is not; else NULL */
    uint64_t packets;
    uint64_t octets;
    uint64_t sent_seq64; /* highest sent */
    uint32_t ssrc;
    uint32_t clock_hz; /* RTP clock rate of the newest packet sent */
    uint16_t last_picture_id; /* of the newest packet sent */
    uint16_t last_frame_number;
    uint8_t last_tl0;
    uint8_t last_keyidx;
    fw_select_t select;
    fw_layers_t limit; /* target: the highest layers to forward */
    uint16_t left_out_picture_id; /* of the newest picture dropped for its layer, or FW_NO_PICTURE */
    uint8_t preferred_encoding; /* index, or FW_HIGHEST */
    bool sets_due; /* parameter sets are to be sent before the packet that the consumer has just switched to */
    bool mixed_extensions;
    bool in_fast_start; /* is sent cached packets from the newest keyframe on: see select/fast_start_list.h */
    uint8_t formats[FW_FORMATS]; /* maps the producer's format index to this consumer's, or to FW_NO_PT */
    fw_own_extensions_t own;
    const fw_media_t *media; /* owned by the core's media set */
    fw_tsmap_t tsmap;
    fw_epoch_t epochs[FW_EPOCHS]; /* by number modulo FW_EPOCHS */
    fw_seqmap_t seqmap;
    uint64_t id;
    fw_consumer_t *next_on_transport;
    fw_consumer_t *next_fast_start;
    fw_consumer_t *previous_fast_start;
    uint64_t next_seq64;        /* fast start: the next packet of the encoding to read from the cache */
    uint64_t fast_start_end_us; /* when fast start reaches the live edge by plan */
    uint64_t fast_start_began_us;
    uint64_t fast_start_sync_us; /* arrival of the keyframe at which it began; 0: never begun from this producer */
    uint32_t fast_start_packets_per_s; /* see fw_fast_start_set_demand */
    bool fast_start_waits;             /* cannot begin yet, and a keyframe was requested */
    uint64_t start_seq64;       /* first packet of the current epoch, by the encoding's numbers */
    uint32_t follower_index;    /* in the producer's followers */
    uint32_t rtx_ssrc;
    uint64_t rtx_seq64;
    uint64_t rtx_packets;
    uint64_t rtx_octets;
    bool same_clock;       /* the producer's NTP clock is that of the producer before it */
    bool reported;         /* an SR has been sent since the last switch of encoding */
    bool first_report_due; /* an SR is due before the next regular one */
    uint8_t cname_len;
    char cname[FW_CNAME_BYTES];
    uint8_t sent_report_next;
    struct {
        uint32_t ntp_middle;
        uint64_t at_us;
    } sent_reports[FW_SENT_REPORTS];
    uint32_t rtt_us; /* round-trip time, 0 while unknown */
    fw_report_block_t remote; /* newest report block of the viewer */
    uint32_t nacks_received;
    uint32_t plis_received;
    fw_nack_dedup_t *nack_dedup; /* NULL before the first retransmission */
};

/* The mapping of that epoch; compare its `number`, since older epochs are overwritten. */
static inline fw_epoch_t *fw_consumer_epoch(fw_consumer_t *c, uint32_t number) { return &c->epochs[number % FW_EPOCHS]; }

#endif
