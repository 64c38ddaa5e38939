"""Declares the tables of core/border.h for Cython. base/record.h documents them."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "core/border.h" nogil:
    ctypedef enum fw_field_kind_t:
        FW_FIELD_NUMBER
        FW_FIELD_FRACTION
        FW_FIELD_SET
        FW_FIELD_FLAG
        FW_FIELD_TEXT
        FW_FIELD_BYTES
        FW_FIELD_LIST
        FW_FIELD_OPTIONALS
        FW_FIELD_MAP
        FW_FIELD_RECORD
        FW_FIELD_PART
        FW_FIELD_ADDRESS
        FW_FIELD_PATH

    ctypedef struct fw_field_t

    ctypedef struct fw_table_t:
        const char *name
        const fw_field_t *fields
        uint32_t field_count
        uint32_t size

    ctypedef struct fw_field_t:
        const char *name
        const fw_table_t *nested
        uint64_t none
        uint32_t offset
        uint32_t count_offset
        uint16_t size
        uint16_t room
        fw_field_kind_t kind
        bint is_signed
        bint is_optional

    ctypedef struct fw_enum_value_t:
        const char *name
        int64_t value

    ctypedef struct fw_enum_t:
        const char *name
        const fw_enum_value_t *values
        uint32_t value_count

    ctypedef enum fw_command_object_t:
        FW_OF_NOTHING
        FW_OF_TRANSPORT
        FW_OF_PRODUCER
        FW_OF_CONSUMER

    ctypedef struct fw_command_table_t:
        const char *name
        const char *body
        fw_command_object_t object
        const fw_table_t *fields

    enum:
        FW_COMMAND_KINDS

    const fw_command_table_t *fw_command_tables
    const fw_table_t **fw_record_tables
    const fw_enum_t *fw_enums
