/* Parses and rewrites the dependency descriptor header extension (AV1 RTP specification appendix A.8): a frame's layers, and the
 * decode targets that need the frame. */
#ifndef FW_WIRE_DD_H
#define FW_WIRE_DD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define FW_DD_TEMPLATES 64
#define FW_DD_TARGETS 32
#define FW_DD_SPATIALS 4
#define FW_DD_TEMPORALS 8

/* Decode target indication: the relation of a frame to a decode target (table A.1). */
typedef enum { FW_DTI_NOT_PRESENT, FW_DTI_DISCARDABLE, FW_DTI_SWITCH, FW_DTI_REQUIRED } fw_dti_t;

typedef struct {
    bool start_of_frame;
    bool end_of_frame;
    uint8_t template_id;    /* 0-63 */
    uint16_t frame_number;  /* bytes 1 and 2; rewritten when a consumer switches encoding */
    bool has_structure;     /* template_dependency_structure_present_flag */
} fw_dd_t;

typedef struct {
    uint64_t dtis; /* 2 bits for each decode target, target 0 in the lowest: see fw_dd_dti */
    uint8_t spatial;
    uint8_t temporal;
    bool refers; /* the frame depends on an earlier frame */
    uint16_t fdiffs; /* of a template: bit n is set where the template lists FDIFF n + 1 */
} fw_dd_template_t;

typedef struct {
    uint8_t id_offset; /* the template id of templates[0] */
    uint8_t template_count;
    uint8_t target_count;
    uint8_t chain_count;
    uint8_t target_spatial[FW_DD_TARGETS]; /* highest layer among the frames of each decode target */
    uint8_t target_temporal[FW_DD_TARGETS];
    fw_size_t sizes[FW_DD_SPATIALS]; /* render size of each spatial layer in pixels, 0 where the structure has none */
    fw_dd_template_t templates[FW_DD_TEMPLATES];
} fw_dd_structure_t;

/* The properties of one frame: those of its template, overridden by the custom fields of its descriptor. */
typedef struct {
    fw_dd_template_t own;
    bool has_active;
    uint32_t active; /* active_decode_targets_bitmask, target 0 in the lowest bit; all ones for a structure without a bitmask */
} fw_dd_frame_t;

static inline fw_dti_t fw_dd_dti(const fw_dd_template_t *t, unsigned target) { return (fw_dti_t)(t->dtis >> (2 * target) & 3); }

/* Reads the mandatory fields and the structure flag. False where `len` is under 3. */
bool fw_dd_parse(const uint8_t *data, size_t len, fw_dd_t *out);

/* Reads the template dependency structure of a descriptor. False where it has none, or the structure is truncated or exceeds the
 * bounds above. */
bool fw_dd_structure(const uint8_t *data, size_t len, fw_dd_structure_t *out);

/* Returns whether the structure has the template that the descriptor names. */
bool fw_dd_knows(const fw_dd_structure_t *structure, const fw_dd_t *dd);

/* Reads a whole descriptor with the structure in force, which is its own where it carries one. False where the structure does not have
 * its template, or the descriptor is truncated. */
bool fw_dd_frame(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, fw_dd_frame_t *out);

/* Writes to `out` a copy of the descriptor with one more frame dependency: the previous frame (FDIFF 1). Returns its length in bytes.
 * Returns 0 where the frame already depends on the previous one or on five others, or the descriptor carries a structure, is
 * malformed, or needs more than `room` bytes. */
size_t fw_dd_tie(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, uint8_t *out, size_t room);

#endif
