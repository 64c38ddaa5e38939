"""All the C that the worker and its kin may call; the headers say what it means."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from .wire cimport FW_SPATIALS, fw_size_t


cdef extern from "<stdbool.h>" nogil:
    ctypedef bint fw_bool "bool"


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



cdef extern from "net/path.h" nogil:
    ctypedef struct fw_address_t:
        uint8_t ip[16]
        uint16_t port
        uint8_t family

    ctypedef struct fw_path_t:
        fw_address_t remote
        uint8_t local_ip[16]
        uint8_t socket
        uint8_t family
        uint16_t stream
        uint32_t interface
        uint32_t serial


cdef extern from "net/udp.h" nogil:
    enum:
        FW_UDP_SOCKETS

    ctypedef struct fw_udp_counters_t:
        uint64_t packets_in
        uint64_t bytes_in
        uint64_t messages_in
        uint64_t syscalls_in
        uint64_t gro_coalesced
        uint64_t truncated
        uint64_t receive_errors
        uint64_t receive_overflow
        uint64_t packets_out
        uint64_t bytes_out
        uint64_t messages_out
        uint64_t syscalls_out
        uint64_t send_would_block
        uint64_t send_refused
        uint64_t gso_oversize
        uint64_t fragmented
        uint64_t gso_refused

    ctypedef struct fw_udp_options_t:
        uint32_t rcvbuf_bytes
        uint32_t sndbuf_bytes
        bint gro
        bint gso

    ctypedef struct fw_udp_caps_t:
        uint32_t rcvbuf_bytes
        uint32_t sndbuf_bytes
        uint16_t gso_max_segments
        bint gro
        bint gso

    ctypedef struct fw_udp_batch_t:
        pass

    ctypedef struct fw_udp_sender_t:
        pass

    ctypedef struct fw_udp_datagram_t:
        uint8_t *data
        size_t len
        fw_path_t path

    ctypedef struct fw_udp_message_t:
        fw_path_t path
        const uint8_t *data
        uint32_t len
        uint16_t segment

    int fw_udp_setup(int fd, const fw_udp_options_t *options, fw_udp_caps_t *caps)
    fw_udp_batch_t *fw_udp_batch_create(size_t messages, uint32_t sockets, fw_udp_counters_t *counters)
    void fw_udp_batch_destroy(fw_udp_batch_t *batch)
    int fw_udp_receive(int fd, uint32_t socket_index, fw_udp_batch_t *batch)
    bint fw_udp_next(fw_udp_batch_t *batch, fw_udp_datagram_t *out)
    fw_udp_sender_t *fw_udp_sender_create(const fw_udp_caps_t *caps, size_t sockets, fw_udp_counters_t *counters)
    void fw_udp_sender_destroy(fw_udp_sender_t *sender)
    size_t fw_udp_send(const int *fds, size_t fd_count, fw_udp_sender_t *sender, const fw_udp_message_t *messages, size_t n)


cdef extern from "net/ports.h" nogil:
    ctypedef struct fw_ports_t:
        pass

    fw_ports_t *fw_ports_create(const int *fds, uint32_t count, fw_udp_counters_t *counters)
    void fw_ports_destroy(fw_ports_t *ports)
    int fw_ports_fd(const fw_ports_t *ports)
    void fw_ports_receive(
        fw_ports_t *ports,
        void (*take)(void *context, const fw_path_t *path, uint8_t *data, size_t len) noexcept nogil,
        void *context,
    )
    void fw_ports_send(fw_ports_t *ports, const fw_udp_message_t *messages, size_t n)


cdef extern from "net/histogram.h" nogil:
    enum:
        FW_HISTOGRAM_BUCKETS

    ctypedef struct fw_histogram_t:
        uint64_t counts[FW_HISTOGRAM_BUCKETS]
        uint64_t sum

    void fw_histogram_add(fw_histogram_t *h, uint64_t value, uint64_t times)
    uint64_t fw_histogram_bound(unsigned bucket)


cdef extern from "net/tcp.h" nogil:
    ctypedef struct fw_tcp_counters_t:
        uint64_t accepted
        uint64_t refused
        uint64_t accept_pauses
        uint64_t closed
        uint64_t closed_unused
        uint64_t closed_evicted
        uint64_t closed_stranger
        uint64_t closed_oversize
        uint64_t frames_in
        uint64_t bytes_in
        uint64_t frames_out
        uint64_t bytes_out
        uint64_t drop_slow_reader
        uint64_t drop_gone

    ctypedef struct fw_tcp_limits_t:
        uint16_t connections
        uint16_t per_address
        uint32_t queue_bytes
        uint64_t lease_us
        uint64_t hash_seed

    ctypedef struct fw_tcp_owner_t:
        void *context
        void (*receive)(void *context, const fw_path_t *path, uint8_t *data, size_t len) noexcept nogil
        fw_bool (*in_use)(void *context, const fw_path_t *path) noexcept nogil

    ctypedef struct fw_tcp_t:
        pass

    fw_tcp_t *fw_tcp_create(const fw_tcp_limits_t *limits, const fw_tcp_owner_t *owner, fw_tcp_counters_t *counters)
    void fw_tcp_shut(fw_tcp_t *tcp)
    void fw_tcp_destroy(fw_tcp_t *tcp)
    int fw_tcp_listen(fw_tcp_t *tcp, int fd, uint8_t socket_index)
    int fw_tcp_fd(const fw_tcp_t *tcp)
    void fw_tcp_poll(fw_tcp_t *tcp, uint64_t now_us)
    void fw_tcp_tick(fw_tcp_t *tcp, uint64_t now_us)
    uint64_t fw_tcp_next_us(const fw_tcp_t *tcp)
    void fw_tcp_send(fw_tcp_t *tcp, const fw_udp_message_t *messages, size_t n)


cdef extern from "net/ring.h" nogil:
    ctypedef struct fw_ring_t:
        pass

    ctypedef struct fw_record_t:
        const uint8_t *data
        uint32_t len
        uint32_t tag

    fw_ring_t *fw_ring_create(size_t capacity_bytes)
    void fw_ring_destroy(fw_ring_t *ring)
    bint fw_ring_push(fw_ring_t *ring, uint32_t tag, const void *head, uint32_t head_len, const void *body, uint32_t body_len)
    bint fw_ring_peek(fw_ring_t *ring, fw_record_t *out)
    void fw_ring_pop(fw_ring_t *ring)
    uint64_t fw_ring_used_bytes(const fw_ring_t *ring)


cdef extern from "net/latest_cells.h" nogil:
    ctypedef struct fw_latest_cells_t:
        pass

    fw_latest_cells_t *fw_latest_cells_create(uint32_t slots, uint32_t cell_bytes)
    void fw_latest_cells_destroy(fw_latest_cells_t *marks)
    void fw_latest_cells_set(fw_latest_cells_t *marks, uint32_t slot, const void *cell)
    bint fw_latest_cells_next(fw_latest_cells_t *marks, uint32_t *slot, void *cell)


cdef extern from "net/wake.h" nogil:
    enum:
        FW_WAIT_FDS

    ctypedef struct fw_waker_t:
        int fd

    int fw_wake_create()
    void fw_wake_signal(int fd)
    void fw_wake_clear(int fd)
    int fw_waker_open(fw_waker_t *waker)
    void fw_waker_close(fw_waker_t *waker)
    bint fw_waker_signal(fw_waker_t *waker)
    void fw_waker_arm(fw_waker_t *waker)
    void fw_waker_disarm(fw_waker_t *waker, bint readable)
    int fw_wait(const int *fds, size_t n, uint64_t timeout_us, uint64_t *ready_mask)
    uint64_t fw_clock_us()


cdef extern from "base/counters.h" nogil:
    ctypedef struct fw_counters_t:
        uint64_t rtp_out

    enum:
        FW_COUNTER_COUNT

    const char *const *fw_counter_names


cdef extern from "state/command.h" nogil:
    enum:
        FW_UFRAG_BYTES
        FW_PWD_BYTES
        FW_MID_BYTES
        FW_RID_BYTES
        FW_CNAME_BYTES
        FW_FORMATS
        FW_ENCODINGS
        FW_NO_PT
        FW_HIGHEST
        FW_NO_WORKER
        FW_EXTENSIONS
        FW_FB_NACK
        FW_FB_PLI
        FW_FB_FIR
        FW_FB_TRANSPORT_CC
        FW_FB_REMB

    ctypedef enum fw_command_kind_t:
        FW_OPEN_TRANSPORT
        FW_RESTART_ICE
        FW_SET_KEYS
        FW_SET_CONSENT
        FW_CHECK_PATH
        FW_SEND_DATAGRAM
        FW_CLOSE_TRANSPORT
        FW_ADD_PRODUCER
        FW_REMOVE_PRODUCER
        FW_FEED_PACKET
        FW_FEED_REPORT
        FW_ADD_RELAY_TARGET
        FW_REMOVE_RELAY_TARGET
        FW_ADD_CONSUMER
        FW_BIND_CONSUMER
        FW_SET_LAYERS
        FW_REMOVE_CONSUMER
        FW_READ_STATS

    ctypedef struct fw_format_t:
        uint32_t clock_hz
        uint8_t pt
        uint8_t rtx_pt
        uint8_t codec
        uint8_t feedback

    ctypedef struct fw_media_t:
        uint8_t kind
        uint8_t format_count
        uint8_t mid_len
        uint8_t reduced_size
        char mid[32]
        fw_format_t formats[16]
        uint8_t ext_ids[16]

    ctypedef struct fw_encoding_spec_t:
        uint32_t ssrc
        uint32_t rtx_ssrc
        uint8_t rid_len
        char rid[16]

    ctypedef struct fw_command_ice_t "struct fw_command_ice":
        uint64_t consent_us
        uint64_t connect_us
        uint64_t publish_bps
        uint32_t sctp_records_per_s
        uint32_t sctp_bytes_per_s
        uint32_t rtcp_ssrc
        uint16_t first_transport_cc
        uint8_t ufrag_len, pwd_len
        char ufrag[32]
        char pwd[64]
        uint8_t peer_ufrag_len, peer_pwd_len
        char peer_ufrag[32]
        char peer_pwd[64]

    ctypedef struct fw_command_check_t "struct fw_command_check":
        fw_path_t path
        uint64_t tie_breaker
        uint8_t ufrag_len
        uint8_t pwd_len
        char ufrag[32]
        char pwd[64]

    ctypedef struct fw_command_report_t "struct fw_command_report":
        uint64_t ntp
        uint32_t timestamp

    ctypedef struct fw_command_keys_t "struct fw_command_keys":
        uint32_t profile
        uint8_t local[46]
        uint8_t remote[46]

    ctypedef struct fw_command_consent_t "struct fw_command_consent":
        uint64_t consent_us

    ctypedef struct fw_command_producer_t "struct fw_command_producer":
        fw_media_t media
        uint64_t home_id
        uint32_t home_worker
        uint32_t encoding_count
        fw_encoding_spec_t encodings[4]

    ctypedef struct fw_command_relay_target_t "struct fw_command_relay_target":
        uint64_t copy_id
        uint32_t worker

    ctypedef struct fw_command_consumer_t "struct fw_command_consumer":
        fw_media_t media
        uint32_t ssrc
        uint32_t rtx_ssrc
        uint32_t first_timestamp
        uint16_t first_seq16
        uint16_t first_rtx_seq16
        uint8_t mixed_extensions
        uint8_t cname_len
        char cname[32]

    ctypedef struct fw_command_bind_t "struct fw_command_bind":
        uint64_t producer_id
        uint8_t formats[16]
        uint8_t same_clock

    ctypedef struct fw_command_layers_t "struct fw_command_layers":
        uint8_t encoding
        uint8_t spatial
        uint8_t temporal

    ctypedef union fw_command_body_t "union fw_command_body":
        fw_command_ice_t ice
        fw_command_check_t check
        fw_command_report_t report
        fw_command_keys_t keys
        fw_command_consent_t consent
        fw_command_producer_t producer
        fw_command_relay_target_t relay_target
        fw_command_consumer_t consumer
        fw_command_bind_t bind
        fw_command_layers_t layers

    ctypedef struct fw_command_t:
        uint32_t kind
        uint32_t ticket
        uint64_t id
        fw_command_body_t u

    ctypedef struct fw_result_t:
        uint64_t id
        uint32_t ticket
        uint32_t error


cdef extern from "base/outbox.h" nogil:
    ctypedef void fw_outbox_send_t(void *context, const fw_udp_message_t *messages, size_t count) noexcept nogil


cdef extern from "core/core.h" nogil:
    ctypedef struct fw_core_t:
        fw_counters_t counters
        uint64_t batch_us

    ctypedef enum fw_relay_kind_t:
        FW_RELAY_PACKET
        FW_RELAY_HISTORY
        FW_RELAY_REPORT
        FW_RELAY_KEYFRAME

    ctypedef struct fw_relay_head_t:
        pass

    ctypedef struct fw_transport_change_t:
        uint64_t id
        uint32_t state
        uint32_t reason
        uint32_t kinds_with_media
        fw_path_t path

    ctypedef struct fw_callbacks_t:
        void *context
        fw_outbox_send_t *send
        fw_bool (*punt)(void *context, uint64_t transport_id, const uint8_t *data, size_t len) noexcept nogil
        fw_bool (*relay)(void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len) noexcept nogil
        void (*changed)(void *context, const fw_transport_change_t *change) noexcept nogil

    ctypedef struct fw_core_config_t:
        uint32_t pool_packets
        uint32_t max_transports
        uint32_t max_ssrcs
        uint32_t instant_join_us
        uint32_t coalesce_us
        uint16_t max_gso_segments
        uint64_t ntp_at_zero
        uint64_t hash_seed
        uint8_t secret[16]

    ctypedef struct fw_deadline_t:
        uint64_t due_us
        int reason

    fw_core_t *fw_core_create(const fw_core_config_t *config, const fw_callbacks_t *callbacks)
    void fw_core_destroy(fw_core_t *core)
    void fw_core_receive(fw_core_t *core, const fw_path_t *path, uint8_t *data, size_t len, uint64_t now_us)
    bint fw_core_knows(const fw_core_t *core, const fw_path_t *path)
    void fw_core_receive_all(fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count, uint64_t now_us)
    void fw_core_relayed(fw_core_t *core, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len, uint64_t now_us)
    void fw_core_note_round(fw_core_t *core, uint64_t us)
    void fw_core_flush(fw_core_t *core, uint64_t now_us)
    fw_deadline_t fw_core_next(const fw_core_t *core)


cdef extern from "core/dispatch.h" nogil:
    fw_result_t fw_core_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t body_len, uint64_t now_us)


cdef extern from "core/stats.h" nogil:
    ctypedef struct fw_transport_stats_t:
        uint64_t id
        uint32_t state
        uint32_t rtt_us
        uint64_t remb_bps
        uint32_t stream_count

    ctypedef struct fw_stream_stats_t:
        uint64_t id
        uint64_t packets
        uint64_t bytes
        uint64_t repaired_packets
        int64_t lost
        uint64_t frames
        uint64_t frozen_us
        uint64_t still_us
        uint64_t longest_still_us
        int64_t capture_delay_us
        uint32_t ssrc
        uint32_t jitter_ticks
        uint32_t clock_hz
        uint32_t rtt_us
        uint32_t nacks
        uint32_t plis
        uint32_t keyframes
        uint32_t freezes
        uint32_t recovered
        uint16_t width
        uint16_t height
        uint8_t outbound
        uint8_t kind
        uint8_t encoding
        uint8_t fraction_lost
        uint8_t codec
        uint8_t target
        uint8_t spatial
        uint8_t temporal
        uint8_t target_spatial
        uint8_t target_temporal
        fw_size_t sizes[FW_SPATIALS]

    enum:
        FW_STATS_STREAMS
        FW_NO_LAYER

    bint fw_core_stats(const fw_core_t *core, uint64_t transport_id, fw_transport_stats_t *out, fw_stream_stats_t *streams)


cdef extern from "base/slots.h" nogil:
    uint32_t fw_slot_of(uint64_t id)


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
