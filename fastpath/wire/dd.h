/* The dependency descriptor extension of AV1 (AV1 RTP specification appendix A.8): which layers a frame is of, and for
 * which decode targets it is needed. */
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

/* Decode target indications: what a frame is to a decode target (table A.1). */
typedef enum { FW_DTI_NOT_PRESENT, FW_DTI_DISCARDABLE, FW_DTI_SWITCH, FW_DTI_REQUIRED } fw_dti_t;

typedef struct {
    bool start_of_frame;
    bool end_of_frame;
    uint8_t template_id;    /* 0-63 */
    uint16_t frame_number;  /* bytes 1 and 2: what a switch of source rewrites */
    bool has_structure;     /* template_dependency_structure_present_flag */
} fw_dd_t;

typedef struct {
    uint64_t dtis; /* two bits for each decode target, the first one's lowest: see fw_dd_dti */
    uint8_t spatial;
    uint8_t temporal;
    bool refers; /* to any frame before */
    uint16_t fdiffs; /* a template's: bit n where to the frame n + 1 before */
} fw_dd_template_t;

typedef struct {
    uint8_t id_offset; /* the template id of templates[0] */
    uint8_t template_count;
    uint8_t target_count;
    uint8_t chain_count;
    uint8_t target_spatial[FW_DD_TARGETS]; /* the highest layer of a decode target's frames */
    uint8_t target_temporal[FW_DD_TARGETS];
    fw_size_t sizes[FW_DD_SPATIALS]; /* by spatial layer */
    fw_dd_template_t templates[FW_DD_TEMPLATES];
} fw_dd_structure_t;

/* What a descriptor says of its frame: the template, with what it has of its own put in. */
typedef struct {
    fw_dd_template_t own;
    bool has_active;
    uint32_t active; /* active_decode_targets_bitmask, a bit for each decode target, the first one's lowest; all where a structure comes without */
} fw_dd_frame_t;

static inline fw_dti_t fw_dd_dti(const fw_dd_template_t *t, unsigned target) { return (fw_dti_t)(t->dtis >> (2 * target) & 3); }

/* The mandatory fields. False where fewer than 3 bytes. */
bool fw_dd_parse(const uint8_t *data, size_t len, fw_dd_t *out);

/* The structure that a descriptor carries. False where it has none, or it is cut short or beyond the bounds above. */
bool fw_dd_structure(const uint8_t *data, size_t len, fw_dd_structure_t *out);

/* Whether a structure knows the template that a descriptor names. */
bool fw_dd_knows(const fw_dd_structure_t *structure, const fw_dd_t *dd);

/* Reads the rest of a descriptor by the structure that holds for it, its own where it carries one. False where its template
 * is not in that, or it is cut short. */
bool fw_dd_frame(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, fw_dd_frame_t *out);

/* Writes a descriptor anew so that its frame refers to the one right before it as well. Returns its bytes; 0 where it does
 * so already or to five others, carries a structure of its own, cannot be read, or needs more room. */
size_t fw_dd_tie(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, uint8_t *out, size_t room);

#endif
