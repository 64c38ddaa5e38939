# cython: language_level=3
"""Packs the commands of messages.py into the core's records, and unpacks records of the core into messages.

Both follow the tables of core/border.h. Importing this module compares the tables with messages.py: see schema.py.
"""

import enum
import socket
import typing

from . import messages, schema

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from .core cimport *

cdef dict KINDS = {
    FW_FIELD_NUMBER: "number",
    FW_FIELD_FRACTION: "fraction",
    FW_FIELD_SET: "set",
    FW_FIELD_FLAG: "flag",
    FW_FIELD_TEXT: "text",
    FW_FIELD_BYTES: "bytes",
    FW_FIELD_LIST: "list",
    FW_FIELD_OPTIONALS: "optionals",
    FW_FIELD_MAP: "map",
    FW_FIELD_RECORD: "record",
    FW_FIELD_ADDRESS: "address",
    FW_FIELD_PATH: "path",
}
cdef dict OBJECTS = {FW_OF_NOTHING: None, FW_OF_TRANSPORT: "transport", FW_OF_PRODUCER: "producer", FW_OF_CONSUMER: "consumer"}


cdef int store(uint8_t *at, uint16_t size, uint64_t value) except -1:
    if size < 8 and value >> 8 * size:
        raise OverflowError
    if size == 1:
        at[0] = <uint8_t>value
    elif size == 2:
        (<uint16_t *>at)[0] = <uint16_t>value
    elif size == 4:
        (<uint32_t *>at)[0] = <uint32_t>value
    else:
        (<uint64_t *>at)[0] = value
    return 0


cdef int store_number(const fw_field_t *field, uint8_t *at, object value) except -1:
    cdef uint64_t number
    if value is None and field.is_optional:
        return store(at, field.size, field.none)
    number = value
    if field.is_optional and number == field.none:
        raise OverflowError
    return store(at, field.size, number)


cdef uint64_t load(const uint8_t *at, uint16_t size) noexcept:
    cdef uint16_t two
    cdef uint32_t four
    cdef uint64_t eight
    if size == 1:
        return at[0]
    if size == 2:
        memcpy(&two, at, 2)
        return two
    if size == 4:
        memcpy(&four, at, 4)
        return four
    memcpy(&eight, at, 8)
    return eight


cdef int store_bytes(const fw_field_t *field, uint8_t *at, bytes data) except -1:
    if len(data) > field.room:
        raise OverflowError
    memcpy(at, <const char *>data, len(data))
    return 0


cdef int store_optionals(const fw_field_t *field, uint8_t *at, tuple values) except -1:
    cdef Py_ssize_t i
    if len(values) > field.room:
        raise OverflowError
    memset(at, <int>field.none, field.room)
    for i in range(len(values)):
        if values[i] is not None:
            number = <uint64_t>values[i]
            if number == field.none:
                raise OverflowError
            store(at + i, 1, number)
    return 0


cdef int store_map(const fw_field_t *field, uint8_t *at, object mapping) except -1:
    cdef uint64_t key
    for key, number in mapping.items():
        if key >= field.room or number == 0:
            raise OverflowError
        store(at + key, 1, number)
    return 0


cdef int store_address(fw_address_t *out, tuple address) except -1:
    host, number = address
    cdef bytes ip = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    memcpy(out.ip, <const char *>ip, len(ip))
    out.family = 6 if len(ip) == 16 else 4
    out.port = number
    return 0


cdef tuple load_address(const uint8_t *ip, uint8_t family, port):
    if family == 6:
        return socket.inet_ntop(socket.AF_INET6, ip[:16]), port
    return socket.inet_ntop(socket.AF_INET, ip[:4]), port


cdef object load_path(const uint8_t *at, object local_port):
    """The Path in an fw_path_t, None where it has none."""
    cdef fw_path_t path
    memcpy(&path, at, sizeof(path))
    if path.family == 0:
        return None
    return messages.Path(
        load_address(path.remote.ip, path.family, path.remote.port),
        load_address(path.local_ip, path.family, local_port(path.socket, 0 if path.stream else path.serial)),
        "tcp" if path.stream else "udp",
    )


cdef class Record:
    """A class of messages.py and the fields of its record in C, in the order of the class.

    A PART is replaced by its fields. `details` has for each field: the record of those nested in it, or for a number of an
    enum or bool the Python values by number.
    """

    cdef object cls
    cdef fw_field_t *fields
    cdef Py_ssize_t count
    cdef list names
    cdef list details

    def __init__(self, str name, leave_out=()):
        self.cls = getattr(messages, name)
        self.names = [attribute for attribute in schema.attributes(self.cls) if attribute not in leave_out]
        self.count = len(self.names)
        self.details = [None] * self.count
        self.fields = <fw_field_t *>calloc(self.count + 1, sizeof(fw_field_t))
        if self.fields == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.fields)

    cdef fill(self, const fw_table_t *table, uint32_t offset):
        cdef const fw_field_t *field
        cdef Py_ssize_t place
        cdef uint32_t i
        hints = schema.attributes(self.cls)
        for i in range(table.field_count):
            field = &table.fields[i]
            if field.kind == FW_FIELD_PART:
                self.fill(field.nested, offset + field.offset)
                continue
            place = self.names.index(field.name.decode())
            self.fields[place] = field[0]
            self.fields[place].offset += offset
            self.fields[place].count_offset += offset
            if field.kind == FW_FIELD_LIST or field.kind == FW_FIELD_RECORD:
                self.details[place] = make_record(field.nested)
            elif field.kind == FW_FIELD_NUMBER:
                self.details[place] = values_of(hints[self.names[place]])
            elif field.kind == FW_FIELD_SET:
                self.details[place] = list(typing.get_args(hints[self.names[place]])[0])

    cdef int pack(self, object message, uint8_t *out) except -1:
        """Writes a message into a record of zeros. Raises FieldError where a value does not fit."""
        cdef const fw_field_t *field
        cdef Py_ssize_t i
        cdef object value = None
        cdef str name = ""
        try:
            for i in range(self.count):
                field = &self.fields[i]
                name = <str>self.names[i]
                value = getattr(message, name)
                if field.kind == FW_FIELD_NUMBER:
                    store_number(field, out + field.offset, value)
                elif field.kind == FW_FIELD_FLAG:
                    if value:
                        out[field.offset] |= <uint8_t>field.none
                else:
                    pack_array(field, self.details[i], value, out)
        except (OverflowError, UnicodeError, OSError):  # OSError: not an IP address
            raise messages.FieldError(f"{self.cls.__name__}: {name} is out of range: {value!r}") from None
        return 0

    cdef object unpack(self, const uint8_t *record, object local_port, tuple rest):
        """The message in a record; `rest` are the values of its last, python_only fields."""
        cdef const fw_field_t *field
        cdef const uint8_t *at
        cdef Py_ssize_t i, j
        cdef list values = []
        cdef Record nested
        for i in range(self.count):
            field = &self.fields[i]
            at = record + field.offset
            if field.kind == FW_FIELD_NUMBER:
                values.append(self.number(i, load(at, field.size)))
            elif field.kind == FW_FIELD_FRACTION:
                values.append(at[0] / 256)
            elif field.kind == FW_FIELD_SET:
                bits = load(at, field.size)
                values.append(frozenset([member for member in self.details[i] if bits >> <int>member & 1]))
            elif field.kind == FW_FIELD_LIST:
                nested = self.details[i]
                values.append(tuple([nested.unpack(at + j * field.size, local_port, ()) for j in range(record[field.count_offset])]))
            elif field.kind == FW_FIELD_PATH:
                values.append(load_path(at, local_port))
            else:
                raise TypeError(f"{self.names[i]} goes to the core only")
        return self.cls(*values, *rest)

    cdef object number(self, Py_ssize_t i, uint64_t number):
        cdef const fw_field_t *field = &self.fields[i]
        if field.is_optional and number == field.none:
            return None
        values = self.details[i]
        if values is not None:
            return values[number]
        return <int64_t>number if field.is_signed else number


cdef int pack_array(const fw_field_t *field, object nested, object value, uint8_t *out) except -1:
    """Writes the value of any field that is not a number or a flag."""
    cdef uint8_t *at = out + field.offset
    cdef Py_ssize_t i = 0
    if field.kind == FW_FIELD_TEXT:
        data = (<str>value).encode()
        if field.is_optional and len(data) > field.room:
            return 0
        store_bytes(field, at, data)
        out[field.count_offset] = <uint8_t>len(data)
    elif field.kind == FW_FIELD_BYTES:
        store_bytes(field, at, value)
    elif field.kind == FW_FIELD_LIST:
        if len(value) > field.room:
            raise OverflowError
        for item in value:
            (<Record>nested).pack(item, at + i * field.size)
            i += 1
        out[field.count_offset] = <uint8_t>i
    elif field.kind == FW_FIELD_RECORD:
        (<Record>nested).pack(value, at)
    elif field.kind == FW_FIELD_MAP:
        store_map(field, at, value)
    elif field.kind == FW_FIELD_OPTIONALS:
        store_optionals(field, at, value)
    elif field.kind == FW_FIELD_ADDRESS:
        store_address(<fw_address_t *>at, value)
    else:
        raise TypeError(f"{field.name.decode()} comes from the core only")
    return 0


cdef object values_of(hint):
    """For an enum or bool: its values by number."""
    if hint is bool:
        return {0: False, 1: True}
    if isinstance(hint, type) and issubclass(hint, enum.IntEnum):
        return {int(item): item for item in hint}
    return None


cdef Record make_record(const fw_table_t *table):
    record = Record(table.name.decode())
    record.fill(table, 0)
    return record


cdef class CommandRecord:
    """A command: its kind, the attributes with the id of its object and with its body, and its fields; None for none."""

    cdef uint32_t kind
    cdef str object_name
    cdef str body
    cdef Record fields

    cdef fill(self, uint32_t kind):
        cdef const fw_command_table_t *table = &fw_command_tables[kind]
        self.kind = kind
        self.object_name = OBJECTS[table.object]
        self.body = text_or_none(table.body)
        if table.fields != NULL:
            self.fields = Record(table.name.decode(), (self.object_name,))
            self.fields.fill(table.fields, 0)

    cdef uint64_t object_id(self, command) except? 0:
        number = getattr(command, self.object_name)
        try:
            return number
        except OverflowError:
            raise messages.FieldError(f"{type(command).__name__}: {self.object_name} is out of range: {number!r}") from None


cdef str text_or_none(const char *text):
    return None if text == NULL else text.decode()


cdef list describe_record(const fw_table_t *table):
    cdef const fw_field_t *f
    cdef uint32_t i
    fields = []
    for i in range(table.field_count):
        f = &table.fields[i]
        if f.kind == FW_FIELD_PART:
            fields += describe_record(f.nested)
            continue
        nested = None if f.nested == NULL else text_or_none(f.nested.name)
        fields.append(schema.Field(f.name.decode(), KINDS[f.kind], f.size, f.room, bool(f.is_optional), nested))
    return fields


cdef collect(const fw_table_t *table, dict into):
    """Describes a record and all records in it, by the names of their classes."""
    cdef uint32_t i
    for i in range(table.field_count):
        if table.fields[i].nested != NULL:
            collect(table.fields[i].nested, into)
    if table.name != NULL:
        into[table.name.decode()] = tuple(describe_record(table))


def describe():
    """The core's tables in Python."""
    cdef const fw_command_table_t *command
    cdef int i
    records, commands, enums = {}, {}, {}
    i = 0
    while fw_record_tables[i] != NULL:
        collect(fw_record_tables[i], records)
        i += 1
    for i in range(FW_COMMAND_KINDS):
        command = &fw_command_tables[i]
        name = command.name.decode()
        fields = ()
        if command.fields != NULL:
            collect(command.fields, records)
            fields = records.pop(name)
        commands[name] = schema.CommandTable(OBJECTS[command.object], text_or_none(command.body), fields)
    i = 0
    while fw_enums[i].name != NULL:
        values = {fw_enums[i].values[j].name.decode(): fw_enums[i].values[j].value for j in range(fw_enums[i].value_count)}
        enums[fw_enums[i].name.decode()] = values
        i += 1
    return schema.Tables(records, commands, enums)


cdef dict make_records():
    cdef uint32_t i = 0
    records = {}
    while fw_record_tables[i] != NULL:
        records[fw_record_tables[i].name.decode()] = make_record(fw_record_tables[i])
        i += 1
    return records


cdef dict make_commands():
    cdef int kind
    cdef CommandRecord record
    commands = {}
    for kind in range(FW_COMMAND_KINDS):
        record = CommandRecord()
        record.fill(kind)
        commands[getattr(messages, fw_command_tables[kind].name.decode())] = record
    return commands


schema.check(describe(), vars(messages))

cdef dict RECORDS = make_records()
cdef dict COMMANDS = make_commands()
cdef Record CONFIG = RECORDS["CoreConfig"]
cdef Record RESULT = RECORDS["Result"]
cdef Record CHANGE = RECORDS["TransportChange"]
cdef Record TRANSPORT = RECORDS["TransportStatistics"]
cdef Record STREAM = RECORDS["StreamStatistics"]


def encode(command, uint32_t ticket):
    """The record of a command: (bytes of its struct, bytes of its body).

    Raises FieldError where a value does not fit, TypeError for an object that is not a command.
    """
    cdef fw_command_t out
    cdef CommandRecord record = COMMANDS.get(type(command))
    if record is None:
        raise TypeError(f"not a command: {command!r}")
    memset(&out, 0, sizeof(out))
    out.kind = record.kind
    out.ticket = ticket
    if record.object_name is not None:
        out.id = record.object_id(command)
    if record.fields is not None:
        record.fields.pack(command, <uint8_t *>&out.u)
    body = b"" if record.body is None else getattr(command, record.body)
    return (<const uint8_t *>&out)[:sizeof(out)], body


def encode_config(config):
    """The bytes of an fw_core_config_t. Raises FieldError where a value does not fit."""
    cdef fw_core_config_t out
    memset(&out, 0, sizeof(out))
    CONFIG.pack(config, <uint8_t *>&out)
    return (<const uint8_t *>&out)[:sizeof(out)]


def decode_result(const uint8_t[::1] record):
    """The Result in an fw_result_t, which an fw_statistics_t may follow."""
    statistics = None
    if record.shape[0] > <Py_ssize_t>sizeof(fw_result_t):
        statistics = decode_statistics(&record[sizeof(fw_result_t)])
    return RESULT.unpack(&record[0], None, (statistics,))


cdef object decode_statistics(const uint8_t *record):
    cdef fw_transport_statistics_t transport
    cdef uint64_t i
    memcpy(&transport, record, sizeof(transport))
    record += sizeof(transport)
    streams = tuple([
        STREAM.unpack(record + i * sizeof(fw_stream_statistics_t), None, ()) for i in range(transport.stream_count)
    ])
    return TRANSPORT.unpack(<const uint8_t *>&transport, None, (streams,))


def decode_change(const uint8_t[::1] record, local_port):
    """The TransportChange in an fw_transport_change_t; `local_port(socket, port)` is the port number of a worker's socket, or
    of its own port where that is not 0."""
    return CHANGE.unpack(&record[0], local_port, ())
