/* Records: plain structs that C and Python share. One list of its fields makes the struct and the table of a record.
 *
 *     #define FW_SIZE_FIELDS(X, S)      \
 *         X(S, NUMBER, uint16_t, width) \
 *         X(S, NUMBER, uint16_t, height)
 *     FW_STRUCT(fw_size_t, FW_SIZE_FIELDS);
 *
 * fastpath/border.pyx packs and unpacks by the tables, and compares them with the classes of fastpath/messages.py. A field has
 * the same name on both sides, so each new one takes a line here and a line there. The kinds of field:
 *
 *     NUMBER    type, name          an integer; int, bool or an enum in Python
 *     OPTIONAL  type, name, none    an integer; `none` stands for None
 *     SET       type, name          bit i for the enum value i, to Python only; frozenset of the enum
 *     FRACTION  type, name          256ths (RFC 3550 section 6.4.1); float
 *     FLAG      type, name, member, mask   one bit of the HIDDEN field `member`; bool
 *     TEXT      name, room          `name_len` bytes of UTF-8; str
 *     SHORT_TEXT name, room         as TEXT, but a longer one counts as none
 *     BYTES     name, room          bytes, zeros behind them; the reader knows their number
 *     LIST      type, name, room    `name_count` records of that type; a tuple of their class
 *     OPTIONALS name, room, none    octets, `none` from the end of a shorter tuple on; a tuple of int or None
 *     MAP       name, room          octets by enum value, 0 for a missing one; a mapping of the enum to 1-255
 *     RECORD    type, name          a record; its class
 *     PART      type, name          a record whose fields are attributes of the same Python object
 *     ADDRESS   type, name          fw_address_t; a tuple (IP, port)
 *     PATH      type, name          fw_path_t, to Python only; Path or None
 *     HIDDEN    type, name          not for Python
 */
#ifndef FW_BASE_RECORD_H
#define FW_BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    FW_FIELD_NUMBER,
    FW_FIELD_FRACTION,
    FW_FIELD_SET,
    FW_FIELD_FLAG,
    FW_FIELD_TEXT,
    FW_FIELD_BYTES,
    FW_FIELD_LIST,
    FW_FIELD_OPTIONALS,
    FW_FIELD_MAP,
    FW_FIELD_RECORD,
    FW_FIELD_PART,
    FW_FIELD_ADDRESS,
    FW_FIELD_PATH,
} fw_field_kind_t;

typedef struct fw_table fw_table_t;

typedef struct {
    const char *name;
    const fw_table_t *nested; /* of LIST, RECORD and PART */
    uint64_t none;             /* of optional numbers and OPTIONALS; the mask of FLAG */
    uint32_t offset;
    uint32_t count_offset;     /* of the uint8_t that counts the elements of TEXT and LIST */
    uint16_t size;             /* bytes of an element */
    uint16_t room;             /* elements, at most 255 */
    fw_field_kind_t kind;
    bool is_signed;
    bool is_optional;
} fw_field_t;

struct fw_table {
    const char *name; /* of the class in messages.py; NULL for one that is a PART only */
    const fw_field_t *fields;
    uint32_t field_count;
    uint32_t size; /* bytes of the struct */
};

/* The struct of a list. */
#define FW_STRUCT(type, FIELDS) \
    typedef struct {            \
        FIELDS(FW_MEMBER, type) \
    } type

#define FW_MEMBER(S, kind, ...) FW_MEMBER_##kind(__VA_ARGS__)
#define FW_MEMBER_NUMBER(type, name) type name;
#define FW_MEMBER_OPTIONAL(type, name, none) type name;
#define FW_MEMBER_FRACTION(type, name) type name;
#define FW_MEMBER_SET(type, name) type name;
#define FW_MEMBER_SHORT_TEXT(name, room) FW_MEMBER_TEXT(name, room)
#define FW_MEMBER_FLAG(type, name, member, mask)
#define FW_MEMBER_TEXT(name, room) \
    uint8_t name##_len;            \
    char name[room];
#define FW_MEMBER_BYTES(name, room) uint8_t name[room];
#define FW_MEMBER_LIST(type, name, room) \
    uint8_t name##_count;                \
    type name[room];
#define FW_MEMBER_OPTIONALS(name, room, none) uint8_t name[room];
#define FW_MEMBER_MAP(name, room) uint8_t name[room];
#define FW_MEMBER_RECORD(type, name) type name;
#define FW_MEMBER_PART(type, name) type name;
#define FW_MEMBER_ADDRESS(type, name) type name;
#define FW_MEMBER_PATH(type, name) type name;
#define FW_MEMBER_HIDDEN(type, name) type name;

/* The table of a list, called type_record. Those of the records in it come first. */
#define FW_TABLE(type, class_name, FIELDS)                            \
    static const fw_field_t type##_fields[] = {FIELDS(FW_ROW, type)}; \
    static const fw_table_t type##_table = {                          \
        .name = class_name,                                           \
        .fields = type##_fields,                                      \
        .field_count = sizeof type##_fields / sizeof *type##_fields,  \
        .size = sizeof(type),                                         \
    };

#define FW_ROW(S, kind, ...) FW_ROW_##kind(S, __VA_ARGS__)
#define FW_ROW_OF(S, what, member, ...) {.name = #member, .kind = what, .offset = offsetof(S, member), __VA_ARGS__},
#define FW_ROW_NUMBER(S, type, member) \
    FW_ROW_OF(S, FW_FIELD_NUMBER, member, .size = sizeof(type), .is_signed = (type)-1 < (type)1)
#define FW_ROW_OPTIONAL(S, type, member, value)                                                                       \
    FW_ROW_OF(S, FW_FIELD_NUMBER, member, .size = sizeof(type), .is_signed = (type)-1 < (type)1, .is_optional = true, \
              .none = value)
#define FW_ROW_SET(S, type, member) FW_ROW_OF(S, FW_FIELD_SET, member, .size = sizeof(type))
#define FW_ROW_FRACTION(S, type, member) FW_ROW_OF(S, FW_FIELD_FRACTION, member, .size = sizeof(type))
#define FW_ROW_FLAG(S, type, flag, member, mask) \
    {.name = #flag, .kind = FW_FIELD_FLAG, .offset = offsetof(S, member), .size = sizeof(type), .none = mask},
#define FW_ROW_TEXT(S, member, most) \
    FW_ROW_OF(S, FW_FIELD_TEXT, member, .count_offset = offsetof(S, member##_len), .size = 1, .room = most)
#define FW_ROW_SHORT_TEXT(S, member, most) \
    FW_ROW_OF(S, FW_FIELD_TEXT, member, .count_offset = offsetof(S, member##_len), .size = 1, .room = most, .is_optional = true)
#define FW_ROW_BYTES(S, member, most) FW_ROW_OF(S, FW_FIELD_BYTES, member, .size = 1, .room = most)
#define FW_ROW_LIST(S, type, member, most)                                                                 \
    FW_ROW_OF(S, FW_FIELD_LIST, member, .count_offset = offsetof(S, member##_count), .size = sizeof(type), \
              .room = most, .nested = &type##_table)
#define FW_ROW_OPTIONALS(S, member, most, value) \
    FW_ROW_OF(S, FW_FIELD_OPTIONALS, member, .size = 1, .room = most, .none = value)
#define FW_ROW_MAP(S, member, most) FW_ROW_OF(S, FW_FIELD_MAP, member, .size = 1, .room = most)
#define FW_ROW_RECORD(S, type, member) FW_ROW_OF(S, FW_FIELD_RECORD, member, .size = sizeof(type), .nested = &type##_table)
#define FW_ROW_PART(S, type, member) FW_ROW_OF(S, FW_FIELD_PART, member, .size = sizeof(type), .nested = &type##_table)
#define FW_ROW_ADDRESS(S, type, member) FW_ROW_OF(S, FW_FIELD_ADDRESS, member, .size = sizeof(type))
#define FW_ROW_PATH(S, type, member) FW_ROW_OF(S, FW_FIELD_PATH, member, .size = sizeof(type))
#define FW_ROW_HIDDEN(S, type, member)

/* An enum that Python has too is a list of X(name) or X(name, value); C puts a prefix before each name. */
#define FW_ENUM(name) FW_##name,

typedef struct {
    const char *name;
    int64_t value;
} fw_enum_value_t;

typedef struct {
    const char *name; /* of the class in messages.py */
    const fw_enum_value_t *values;
    uint32_t value_count;
} fw_enum_t;

#endif
