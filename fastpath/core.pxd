"""The C of net/, base/, state/ and core/ that Cython modules call. The headers document it."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "<stdbool.h>" nogil:
    ctypedef bint fw_bool "bool"


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
        pass

    enum:
        FW_UDP_COUNTER_COUNT

    const char *const *fw_udp_counter_names

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
        pass

    enum:
        FW_TCP_COUNTER_COUNT

    const char *const *fw_tcp_counter_names

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
        FW_READ_STATISTICS

    ctypedef struct fw_command_fields_t "union fw_command_fields":
        pass

    ctypedef struct fw_command_t:
        uint32_t kind
        uint32_t ticket
        uint64_t id
        fw_command_fields_t u

    ctypedef struct fw_result_t:
        pass


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
        uint64_t transport

    ctypedef struct fw_callbacks_t:
        void *context
        fw_outbox_send_t *send
        fw_bool (*punt)(void *context, uint64_t transport_id, const uint8_t *data, size_t len) noexcept nogil
        fw_bool (*relay)(void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len) noexcept nogil
        void (*changed)(void *context, const fw_transport_change_t *change) noexcept nogil

    ctypedef struct fw_core_config_t:
        uint32_t pool_packets
        uint32_t max_transports
        uint16_t max_gso_segments

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


cdef extern from "core/border.h" nogil:
    bint fw_command_is_answered(const fw_command_t *command)


cdef extern from "core/stats.h" nogil:
    ctypedef struct fw_transport_statistics_t:
        uint64_t stream_count

    ctypedef struct fw_stream_statistics_t:
        pass

    ctypedef struct fw_statistics_t:
        pass

    fw_result_t fw_statistics_read(
        const fw_core_t *core, const fw_command_t *command, fw_statistics_t *out, size_t *bytes
    )


cdef extern from "base/slots.h" nogil:
    uint32_t fw_slot_of(uint64_t id)


cdef inline dict named_counters(const void *block, const char *const *names, size_t count):
    """A block of counters by name."""
    return {names[i].decode(): (<const uint64_t *>block)[i] for i in range(count)}
