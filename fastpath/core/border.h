/* The tables of all that C and Python share: commands, records and enums (see base/record.h). */
#ifndef FW_CORE_BORDER_H
#define FW_CORE_BORDER_H

#include "../state/command.h"

typedef struct {
    const char *name;   /* of the class in messages.py */
    const char *body;   /* the attribute whose bytes follow the command; NULL for none */
    fw_command_object_t object;
    const fw_table_t *fields; /* NULL for none */
} fw_command_table_t;

/* By fw_command_kind_t. */
extern const fw_command_table_t fw_command_tables[FW_COMMAND_KINDS];

/* Results, events, statistics and configuration; NULL behind the last. */
extern const fw_table_t *const fw_record_tables[];

/* One without a name behind the last. */
extern const fw_enum_t fw_enums[];

/* Whether a command has a result: those with a body have none. */
static inline bool fw_command_is_answered(const fw_command_t *command) {
    return command->kind < FW_COMMAND_KINDS && fw_command_tables[command->kind].body == NULL;
}

#endif
