/* The core of one worker, without sockets, clock or threads: commands and datagrams in, datagrams and changes out.
 *
 * A worker's round is: fw_core_command for each command, fw_core_receive for each datagram, fw_core_hand for each record
 * of another worker, then fw_core_flush. `now_us` never goes back.
 */
#ifndef FW_FORWARD_CORE_H
#define FW_FORWARD_CORE_H

#include "state.h"

/* Statistics of one transport, and of what is on it; names follow the W3C's WebRTC statistics. */
typedef struct {
    uint64_t id;
    uint32_t state;
    uint32_t rtt_us; /* to the viewer, 0 while unknown */
    uint64_t remb_bps;
    uint32_t stream_count;
    uint32_t reserved;
} fw_transport_stats_t;

typedef struct {
    uint64_t id;   /* of the producer or consumer */
    uint64_t packets;
    uint64_t bytes; /* of payload for what is sent, of packets for what is received */
    uint64_t repaired_packets; /* retransmissions sent or received */
    int64_t lost;   /* packets: as received here, or as the viewer reports */
    uint64_t frames;           /* of received video: those that a decoder could have shown, see stream/frames.h */
    uint64_t frozen_us;
    uint64_t still_us;         /* since the last of them */
    uint64_t longest_still_us; /* between two of them, or since the last */
    int64_t capture_delay_us;  /* from abs-capture-time, counted from 1900, to the worker's clock; 0 where unknown */
    uint32_t ssrc;
    uint32_t jitter_ticks;
    uint32_t clock_hz;
    uint32_t rtt_us;
    uint32_t nacks;
    uint32_t plis;
    uint32_t keyframes;
    uint32_t freezes;
    uint32_t recovered; /* of the packets that are `lost`: retransmission has brought them */
    uint16_t width;
    uint16_t height;
    uint8_t outbound; /* 1 for a consumer */
    uint8_t kind;
    uint8_t encoding; /* of a producer; of a consumer, the one that flows, or 0xff */
    uint8_t fraction_lost; /* 1/256, of the viewer's last report */
    uint8_t codec;
    uint8_t target; /* of a consumer, the encoding that it is to get, or 0xff */
    uint8_t spatial; /* of a consumer, the highest layers that flow, FW_LAYERS_ALL where none is left out; of a producer, */
    uint8_t temporal; /* those that there are, FW_NO_LAYER where packets name none */
    uint8_t target_spatial; /* of a consumer, the highest that are to flow */
    uint8_t target_temporal;
    fw_size_t sizes[FW_SPATIALS]; /* of a producer's spatial layers, where the stream tells them */
} fw_stream_stats_t;

#define FW_STATS_STREAMS 256
#define FW_NO_LAYER 0xff

/* NULL where memory is short, or no backend of crypto/ was chosen. */
fw_core_t *fw_core_create(const fw_core_config_t *config, const fw_sinks_t *sinks);
void fw_core_destroy(fw_core_t *core);

/* Carries out a command; `body` is the datagram of FW_SEND_DATAGRAM, or the packet of FW_FEED_PACKET. */
fw_result_t fw_core_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t body_len,
                            uint64_t now_us);

/* FW_READ_STATS: fills `out`, and at most FW_STATS_STREAMS of `streams`. False where the id is stale. */
bool fw_core_stats(const fw_core_t *core, uint64_t transport_id, fw_transport_stats_t *out, fw_stream_stats_t *streams);

/* A datagram from a socket; its bytes may be changed. */
void fw_core_receive(fw_core_t *core, const fw_path_t *path, uint8_t *data, size_t len, uint64_t now_us);

/* Datagrams that came together, in order: less than to take each in alone. */
void fw_core_receive_all(fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count, uint64_t now_us);

/* Whether a transport has validated this path and has not forgotten it since. */
bool fw_core_knows(const fw_core_t *core, const fw_path_t *path);

/* A record of another worker. */
void fw_core_hand(fw_core_t *core, fw_hand_kind_t kind, const fw_hand_t *head, const uint8_t *body, size_t len,
                  uint64_t now_us);

/* Ends a round: forwards what has come, does what is due, sends all. With `coalesce_us`, media waits for more to go with,
 * as long as forwarding the last batch took: few viewers wait for nothing, and for many a larger batch is cheaper. */
void fw_core_flush(fw_core_t *core, uint64_t now_us);

/* Tells how long the round that forwarded media took. */
static inline void fw_core_spent(fw_core_t *core, uint64_t us) { core->spent_us = us; }

/* When fw_core_flush is to be called though nothing has come; UINT64_MAX for never. */
uint64_t fw_core_next_us(const fw_core_t *core);

#endif
