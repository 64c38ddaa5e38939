#include "border.h"

#include "stats.h"

/* Nested records stand before the records that contain them. */
FW_TABLE(fw_size_t, "Size", FW_SIZE_FIELDS)
FW_TABLE(fw_format_t, "PayloadType", FW_FORMAT_FIELDS)
FW_TABLE(fw_media_t, NULL, FW_MEDIA_FIELDS)
FW_TABLE(fw_encoding_spec_t, "Encoding", FW_ENCODING_SPEC_FIELDS)
FW_TABLE(fw_producer_spec_t, "ProducerSpec", FW_PRODUCER_SPEC_FIELDS)
FW_TABLE(fw_consumer_spec_t, "ConsumerSpec", FW_CONSUMER_SPEC_FIELDS)
FW_TABLE(fw_ice_credentials_t, NULL, FW_ICE_CREDENTIALS_FIELDS)
FW_TABLE(fw_peer_ice_credentials_t, NULL, FW_PEER_ICE_CREDENTIALS_FIELDS)

FW_TABLE(fw_core_config_t, "CoreConfig", FW_CORE_CONFIG_FIELDS)
FW_TABLE(fw_result_t, "Result", FW_RESULT_FIELDS)
FW_TABLE(fw_transport_change_t, "TransportChange", FW_TRANSPORT_CHANGE_FIELDS)
FW_TABLE(fw_transport_statistics_t, "TransportStatistics", FW_TRANSPORT_STATISTICS_FIELDS)
FW_TABLE(fw_stream_statistics_t, "StreamStatistics", FW_STREAM_STATISTICS_FIELDS)

const fw_table_t *const fw_record_tables[] = {
    &fw_core_config_t_table,
    &fw_result_t_table,
    &fw_transport_change_t_table,
    &fw_transport_statistics_t_table,
    &fw_stream_statistics_t_table,
    NULL,
};

#define NOTHING(kind, class_name, object, body)
#define COMMAND_TABLE(kind, name, class_name, object) FW_TABLE(fw_##name##_t, #class_name, FW_##kind##_FIELDS)
FW_COMMANDS(COMMAND_TABLE, NOTHING)

#define WITH_FIELDS(kind, name, class_name, object) {#class_name, NULL, object, &fw_##name##_t_table},
#define BARE(kind, class_name, object, body) {#class_name, body, object, NULL},
const fw_command_table_t fw_command_tables[FW_COMMAND_KINDS] = {FW_COMMANDS(WITH_FIELDS, BARE)};

#define VALUE(name) {#name, FW_##name},
#define EXTENSION(name) {#name, FW_EXT_##name},
#define CLOSE_REASON(name) {#name, FW_CLOSE_##name},
#define PROFILE(name, number) {#name, number},
static const fw_enum_value_t kinds[] = {FW_KINDS(VALUE)};
static const fw_enum_value_t codecs[] = {FW_CODECS(VALUE)};
static const fw_enum_value_t extensions[] = {FW_EXTENSION_NAMES(EXTENSION)};
static const fw_enum_value_t profiles[] = {FW_SRTP_PROFILES(PROFILE)};
static const fw_enum_value_t states[] = {FW_TRANSPORT_STATES(VALUE)};
static const fw_enum_value_t reasons[] = {FW_CLOSE_REASONS(CLOSE_REASON)};
static const fw_enum_value_t errors[] = {FW_ERRORS(VALUE)};

#define COUNT(values) sizeof values / sizeof *values
const fw_enum_t fw_enums[] = {
    {"Kind", kinds, COUNT(kinds)},
    {"Codec", codecs, COUNT(codecs)},
    {"Extension", extensions, COUNT(extensions)},
    {"SrtpProfile", profiles, COUNT(profiles)},
    {"TransportState", states, COUNT(states)},
    {"CloseReason", reasons, COUNT(reasons)},
    {"ErrorCode", errors, COUNT(errors)},
    {NULL, NULL, 0},
};
