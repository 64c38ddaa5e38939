/* Media that goes out of the server to one viewer: what it wants, what flows, and how numbers are mapped. */
#ifndef FW_STATE_CONSUMER_H
#define FW_STATE_CONSUMER_H

#include "../stream/nack_dedup.h"
#include "../stream/select.h"
#include "../stream/seqmap.h"
#include "../wire/rtcp.h"
#include "encoding.h"

#define FW_NO_PICTURE 0xffff  /* ids have 15 bits */

#define FW_SENT_PLAIN 512     /* packets that can be repeated byte for byte where RTX is not negotiated */

#define FW_SENT_REPORTS 4     /* SRs remembered for the round trip time */

/* How one run of one source was mapped: repairs of its packets use it again. */
typedef struct {
    const fw_encoding_t *encoding; /* NULL once it is gone */
    uint32_t number;               /* fw_seqmap_t's epoch */
    uint32_t ts_offset;
    uint64_t squeezed_end;    /* packets before this one ... */
    uint32_t squeezed_before; /* ... stamped before that are drawn near to it: see fw_epoch_timestamp */
    uint16_t picture_id_offset;
    uint16_t frame_number_offset;
    uint8_t tl0_offset;
    uint8_t keyidx_offset;
} fw_epoch_t;

/* A viewer that catches up is sent what has been so many times as fast as it came. Its timestamps run as fast: else the
 * viewer would play it in real time, and stay behind. */
#define FW_FAST_START_SPEED 4

static inline uint32_t fw_epoch_timestamp(const fw_epoch_t *epoch, const fw_packet_t *packet) {
    uint32_t in = packet->rtp.timestamp;
    uint32_t before = epoch->squeezed_before - in;
    bool squeezed = packet->seq64 < epoch->squeezed_end && before < UINT32_C(0x80000000);
    return epoch->ts_offset + (squeezed ? epoch->squeezed_before - before / FW_FAST_START_SPEED : in);
}

/* What was the sender's own in a packet sent without RTX: enough to send the very same bytes again. */
typedef struct {
    uint64_t seq64; /* the consumer's; 0 for none */
    uint32_t abs_send_time;
    uint16_t transport_cc;
    uint8_t padding;
} fw_sent_plain_t;

/* The header extensions that are the viewer's own, in the one-byte form and not padded yet, as they stand in most of its
 * packets; abs-send-time and transport-cc are filled in where they have a place (0 for none). */
typedef struct {
    uint8_t bytes[4 + 4 + 3 + 17]; /* head, abs-send-time, transport-cc, MID */
    uint8_t len;
    uint8_t abs_send_time_at;
    uint8_t transport_cc_at;
} fw_own_extensions_t;

/* What each packet needs comes first: it is fetched together, ahead of its use. */
struct fw_consumer {
    fw_transport_t *transport;
    fw_producer_t *producer; /* NULL while it follows nobody */
    fw_consumer_t *next_pending;
    fw_sent_plain_t *sent_plain; /* FW_SENT_PLAIN entries where NACK is negotiated and RTX is not, else NULL */
    uint64_t packets;
    uint64_t octets;
    uint64_t sent_seq64; /* the highest that went out */
    uint32_t ssrc;
    uint32_t clock_hz; /* of what was sent last */
    uint16_t last_picture_id; /* of the newest packet sent */
    uint16_t last_frame_number;
    uint8_t last_tl0;
    uint8_t last_keyidx;
    fw_select_t select;
    fw_layers_t limit; /* the highest layers that are wanted */
    uint16_t left_out_picture_id; /* of the newest picture left out for its layer, or FW_NO_PICTURE */
    uint8_t preferred_encoding; /* the encoding chosen for it, or FW_HIGHEST */
    bool mixed_extensions;
    bool in_fast_start; /* is to be sent what the cache has since the newest keyframe, or is being sent it: see select/fast_start_list.h */
    uint8_t formats[FW_FORMATS]; /* by the producer's format: this consumer's, or FW_NO_PT */
    fw_own_extensions_t own;
    const fw_media_t *media; /* shared: see media_set.h */
    fw_tsmap_t tsmap;
    fw_epoch_t epochs[FW_EPOCHS]; /* by number modulo FW_EPOCHS */
    fw_seqmap_t seqmap;
    uint64_t id;
    fw_consumer_t *next_on_transport;
    fw_consumer_t *next_fast_start;
    fw_consumer_t *previous_fast_start;
    uint64_t next_seq64;   /* while it catches up: what it has passed ends here, */
    uint64_t fast_start_end_us; /* and this is when it will have caught up */
    uint64_t start_seq64;  /* where it began with the source that flows */
    uint32_t follower_index; /* in the producer's followers */
    uint32_t rtx_ssrc;
    uint64_t rtx_seq64;
    uint64_t rtx_packets;
    uint64_t rtx_octets;
    bool same_clock;
    bool reported; /* an SR has been sent since the last switch of source */
    bool first_report_due;
    uint8_t cname_len;
    char cname[FW_CNAME_BYTES];
    uint8_t sent_report_next;
    struct {
        uint32_t ntp_middle;
        uint64_t at_us;
    } sent_reports[FW_SENT_REPORTS];
    uint32_t rtt_us; /* 0 while unknown */
    fw_report_block_t remote; /* the viewer's last report */
    uint32_t nacks_received;
    uint32_t plis_received;
    uint64_t repairs_since_us; /* start of the interval in which `repairs` were sent */
    uint16_t repairs;
    fw_nack_dedup_t *nack_dedup; /* NULL before the first repair */
};

/* How the run of a source with that number was mapped. */
static inline fw_epoch_t *fw_consumer_epoch(fw_consumer_t *c, uint32_t number) { return &c->epochs[number % FW_EPOCHS]; }

#endif
