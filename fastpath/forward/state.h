/* All that a core keeps: transports, the producers and consumers on them, and the tables that find them.
 *
 * One core belongs to one worker's thread. Time comes in as `now_us`, microseconds of one monotonic clock, from 1.
 */
#ifndef FW_FORWARD_STATE_H
#define FW_FORWARD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../crypto/hmac.h"
#include "../crypto/srtp.h"
#include "../net/path.h"
#include "../stream/arrivals.h"
#include "../stream/cache.h"
#include "../stream/described.h"
#include "../stream/frames.h"
#include "../stream/keyframes.h"
#include "../stream/nack.h"
#include "../stream/nals.h"
#include "../stream/pace.h"
#include "../stream/repeats.h"
#include "../stream/select.h"
#include "../stream/seqmap.h"
#include "../stream/stats.h"
#include "../stream/tops.h"
#include "../stream/tsmap.h"
#include "../wire/stun.h"
#include "command.h"
#include "counters.h"
#include "map.h"
#include "medias.h"
#include "outbox.h"
#include "pool.h"
#include "slots.h"
#include "timers.h"

#define FW_SETTLE_US 30000    /* a peer takes so long to use the keys that our last DTLS flight gives it */
#define FW_KNOWN_PATHS 4      /* validated addresses of one transport */
#define FW_KNOWN_CHECKS 16    /* connectivity checks that are known when they come again */
#define FW_NO_PICTURE 0xffff  /* ids have 15 bits */
#define FW_SENT_PLAIN 512     /* packets that can be repeated byte for byte where RTX is not negotiated */
#define FW_SENT_REPORTS 4     /* SRs remembered for the round trip time */
#define FW_MAX_TARGETS 64

typedef struct fw_core fw_core_t;
typedef struct fw_transport fw_transport_t;
typedef struct fw_producer fw_producer_t;
typedef struct fw_consumer fw_consumer_t;
typedef struct fw_check fw_check_t;

typedef enum { FW_NEW, FW_CHECKED, FW_KEYED, FW_CLOSED } fw_transport_state_t;
typedef enum { FW_CLOSE_NONE, FW_CLOSE_REQUESTED, FW_CLOSE_NEVER_CONNECTED, FW_CLOSE_CONSENT_LOST } fw_close_reason_t;

/* The first packet of a stream is numbered one turn up, so that those just before it stay above zero. */
#define FW_FIRST_TURN 0x10000U

/* One encoding (RID) of a producer, as it comes in. */
typedef struct {
    fw_producer_t *producer;
    uint64_t highest_seq64; /* 0 before the first packet of the SSRC in use */
    uint64_t turns_seq64;   /* added to that packet's 16 bits */
    fw_pace_t pace;
    uint64_t rtx_highest_seq64;
    uint64_t entry_seq64; /* first packet of the newest keyframe, 0 for none */
    uint64_t entry_us;    /* its arrival */
    uint32_t entry_timestamp;
    uint32_t entry_bytes; /* of the whole keyframe, as far as it has come */
    fw_clock_point_t sr; /* the newest sender report */
    fw_receive_stats_t stats;
    fw_receive_stats_t rtx_stats;
    fw_frames_t frames; /* of video */
    int64_t capture_delay_us; /* from the newest frame's abs-capture-time, since 1900, to its arrival; 0 for none */
    fw_nack_t nack;
    fw_cache_t cache;
    uint32_t ssrc;     /* 0 while not known */
    uint32_t rtx_ssrc;
    uint32_t rate_bytes; /* received in the current second, and in the one before */
    uint32_t rate_before;
    uint32_t nacks_sent;
    uint32_t recovered; /* retransmissions that filled a gap */
    uint32_t keyframes;
    uint16_t width; /* of the last keyframe, 0 where unknown */
    uint16_t height;
    fw_size_t sizes[FW_SPATIALS]; /* of its spatial layers, where the stream tells them */
    fw_tops_t tops; /* the highest layers that come, or that its descriptor says are active */
    bool alone;     /* its spatial layers do not refer to each other */
    bool by_descriptor; /* nothing but dependency descriptors tells a viewer of its spatial layers */
    uint8_t index;
    uint8_t rid_len;
    char rid[FW_RID_BYTES];
    fw_described_t described; /* of a stream with dependency descriptors */
    fw_nals_t nals;           /* of H.264 without */
    fw_packet_t *last;        /* VP9: a copy of the newest, which is not taken in before it is known whether it ends its picture */
} fw_encoding_t;

/* Whether that number, less than the cache's size below the highest, has come. */
static inline bool fw_encoding_seen(const fw_encoding_t *e, uint64_t seq64) {
    return fw_cache_is(&e->cache, seq64, FW_CACHE_CAME);
}

/* Whether that number came with nothing to forward. */
static inline bool fw_encoding_came_empty(const fw_encoding_t *e, uint64_t seq64) {
    return fw_encoding_seen(e, seq64) && fw_cache_get(&e->cache, seq64) == FW_CACHE_NONE;
}

/* Whether there is nothing to forward under that number, less than the cache's size below the highest, nor hope for it. */
static inline bool fw_encoding_is_hole(const fw_encoding_t *e, uint64_t seq64) {
    return fw_encoding_came_empty(e, seq64) || (seq64 <= e->nack.given_up && !fw_encoding_seen(e, seq64));
}

typedef struct {
    uint64_t copy_id;
    uint32_t worker;
} fw_target_t;

/* A consumer bound to a producer, and its transport: both are fetched from memory well before they are used. */
typedef struct {
    fw_consumer_t *consumer;
    fw_transport_t *transport;
} fw_follower_t;

struct fw_producer {
    uint64_t id;
    fw_transport_t *transport; /* NULL for the copy of another worker's producer */
    fw_producer_t *next_on_transport;
    fw_follower_t *followers;
    uint32_t follower_count;
    uint32_t follower_capacity;
    uint64_t home_id; /* of a copy */
    uint32_t home_worker;
    fw_media_t media;
    uint8_t ext_kinds[256];  /* by id: fw_extension_t, or FW_EXTENSIONS */
    uint8_t pt_formats[128]; /* by payload type: format, | 0x80 for its RTX, or FW_NO_PT */
    fw_encoding_t *encodings[FW_ENCODINGS];
    uint8_t encoding_count;
    int8_t best; /* the highest live encoding, FW_ENCODING_NONE before the first packet */
    uint8_t live; /* encodings that send, a bit each */
    uint64_t ranked_us;
    fw_keyframes_t keyframes;
    uint32_t pli_count;
    uint8_t fir_seq;
    uint8_t target_count;
    fw_target_t targets[FW_MAX_TARGETS];
    fw_packet_t *batch_first; /* of the batch that is being taken in */
    fw_packet_t *batch_last;
    fw_producer_t *next_touched;
};

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
#define FW_CATCHUP_SPEED 4

static inline uint32_t fw_epoch_timestamp(const fw_epoch_t *epoch, const fw_packet_t *packet) {
    uint32_t in = packet->rtp.timestamp;
    uint32_t before = epoch->squeezed_before - in;
    bool squeezed = packet->seq64 < epoch->squeezed_end && before < UINT32_C(0x80000000);
    return epoch->ts_offset + (squeezed ? epoch->squeezed_before - before / FW_CATCHUP_SPEED : in);
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
    uint8_t wish; /* the encoding chosen for it, or FW_HIGHEST */
    bool mixed_extensions;
    bool catching_up; /* is to be sent what the cache has since the newest keyframe, or is being sent it: see catchup.h */
    uint8_t formats[FW_FORMATS]; /* by the producer's format: this consumer's, or FW_NO_PT */
    fw_own_extensions_t own;
    const fw_media_t *media; /* shared: see medias.h */
    fw_tsmap_t tsmap;
    fw_epoch_t epochs[FW_EPOCHS]; /* by number modulo FW_EPOCHS */
    fw_seqmap_t seqmap;
    uint64_t id;
    fw_consumer_t *next_on_transport;
    fw_consumer_t *next_catching_up;
    fw_consumer_t *previous_catching_up;
    uint64_t next_seq64;   /* while it catches up: what it has passed ends here, */
    uint64_t caught_up_us; /* and this is when it will have caught up */
    uint64_t start_seq64;  /* where it began with the source that flows */
    uint32_t place; /* among the producer's followers */
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
    fw_repeats_t *repeats; /* NULL before the first repair */
};

typedef struct {
    fw_key_t ufrag;
    fw_hmac_t hmac; /* keyed with the password */
    bool set;
} fw_credentials_t;

/* The same order: what each packet needs, then the rest. */
struct fw_transport {
    fw_timer_t timer; /* first, so that a timer is its transport */
    fw_consumer_t *pending; /* consumers with packets in this batch */
    fw_srtp_t *srtp;
    fw_transport_state_t state;
    uint16_t transport_cc; /* the next number */
    uint8_t srtp_overhead; /* fw_srtp_overhead() */
    fw_path_t path;        /* in use; family 0 for none */
    uint64_t path_heard_us; /* when anything authenticated came over `path` */
    uint64_t id;
    fw_close_reason_t reason;
    uint32_t rtcp_ssrc;
    fw_credentials_t credentials; /* local */
    fw_credentials_t *previous;   /* those before an ICE restart, until the new ones are used; else NULL */
    fw_check_t *check;            /* NULL where it only answers, as an ICE-lite server does */
    fw_path_t *known;             /* validated addresses, the newest first */
    uint8_t known_count;          /* at most FW_KNOWN_PATHS */
    uint32_t checks[FW_KNOWN_CHECKS]; /* digests of the transactions of the latest checks, a ring */
    uint8_t next_check;
    bool dirty;
    bool first_reports_due;
    uint64_t opened_us;
    uint64_t consent_us; /* the last authenticated check */
    uint64_t consent_timeout_us;
    uint64_t connect_timeout_us;
    uint64_t publish_bps; /* the cap for a publisher without transport-cc */
    uint64_t report_us; /* when the next SR and RR go out */
    uint64_t start_us;    /* when viewers without a picture are given one: soon after the keys, then UINT64_MAX */
    uint64_t feedback_us; /* when TWCC feedback goes out, UINT64_MAX where none is due */
    fw_map_t inbound;  /* SSRC → fw_encoding_t, the RTX SSRCs and FW_STRANGER too */
    fw_map_t outbound; /* SSRC → fw_consumer_t, the RTX SSRCs too */
    fw_producer_t *producers;
    fw_consumer_t *consumers;
    fw_arrivals_t *arrivals; /* NULL where no producer negotiated transport-cc */
    uint64_t remb_bps;       /* what the peer said it can take, 0 for nothing */
    fw_transport_t *next_dirty;
    fw_transport_t *next_report;
};

/* A record that one worker hands to another: a packet in the clear, one that came before the other had a copy, a sender
 * report, or a wish for a keyframe. */
typedef enum { FW_HAND_PACKET, FW_HAND_HISTORY, FW_HAND_REPORT, FW_HAND_KEYFRAME } fw_hand_kind_t;

typedef struct {
    uint64_t producer_id; /* on the receiving worker */
    uint64_t arrival_us;
    uint64_t seq64;
    uint64_t given_up;  /* FW_HAND_PACKET: see fw_nack_t */
    uint64_t ntp;       /* FW_HAND_REPORT */
    uint32_t timestamp; /* FW_HAND_REPORT */
    uint8_t encoding;
    uint8_t encodings; /* FW_HAND_KEYFRAME: a bit each */
    uint8_t reserved[2];
} fw_hand_t;

/* What the world must know of a transport, as one plain value. */
typedef struct {
    uint64_t id;
    uint32_t state;
    uint32_t reason;
    fw_path_t path;
} fw_transport_change_t;

/* How a core reaches the world. None of these may call back into the core. */
typedef struct {
    void *context;
    fw_outbox_sink_t *send;
    /* A datagram for Python; false where it had no room. */
    bool (*punt)(void *context, uint64_t transport_id, const uint8_t *data, size_t len);
    /* A record for another worker; false where it had no room. */
    bool (*hand)(void *context, uint32_t worker, fw_hand_kind_t kind, const fw_hand_t *head, const uint8_t *body,
                 size_t len);
    void (*changed)(void *context, const fw_transport_change_t *change);
} fw_sinks_t;

typedef struct {
    uint32_t pool_packets;     /* at least 1024 */
    uint32_t max_transports;
    uint32_t max_ssrcs;        /* of one transport, inbound */
    uint32_t instant_join_us;  /* a newcomer starts at a keyframe no older than this, 0: never */
    uint32_t coalesce_us;      /* the longest that media waits for more to go with, 0: it does not */
    uint16_t max_gso_segments; /* 1: no GSO */
    uint64_t hash_seed;
} fw_core_config_t;

/* Those that catch up, in the order of their turns. */
typedef struct {
    fw_consumer_t *first;
    fw_consumer_t *last;
    uint32_t count;
    uint64_t due_us; /* when the next have their turn, UINT64_MAX where all wait for more to come */
} fw_catchups_t;

struct fw_core {
    fw_core_config_t config;
    fw_sinks_t sinks;
    fw_counters_t counters;
    uint64_t now_us;
    fw_crypto_t *crypto;
    fw_pool_t pool;
    fw_outbox_t outbox;
    fw_timers_t timers;
    fw_medias_t medias;
    fw_slots_t transports;
    fw_slots_t producers;
    fw_slots_t consumers;
    fw_map_t by_ufrag; /* fw_transport_t */
    fw_map_t by_path;  /* remote address, socket and TCP connection → fw_transport_t */
    fw_map_t by_check; /* STUN transaction of ours that waits for its answer → fw_transport_t */
    fw_producer_t *touched; /* producers with packets in this batch */
    uint64_t batch_us;      /* when its first packet came, 0 where there is none, */
    uint64_t batch_number;  /* and the number of that in the pool */
    uint64_t spent_us;      /* what the last batch took */
    fw_catchups_t catchups;
    fw_transport_t **flush; /* transports with packets in this batch; room for as many as there are */
    uint32_t flush_count;
    uint32_t flush_capacity;
    fw_transport_t *reports; /* transports with a first SR due */
    fw_transport_t *dirty;
};

static inline bool fw_transport_ready(const fw_transport_t *t) { return t->state == FW_KEYED && t->path.family != 0; }

#endif
