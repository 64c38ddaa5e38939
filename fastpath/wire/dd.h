/* The mandatory fields of the AV1 dependency descriptor extension (AV1 RTP specification appendix A.8.2). */
#ifndef FW_WIRE_DD_H
#define FW_WIRE_DD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool start_of_frame;
    bool end_of_frame;
    uint8_t template_id;    /* 0-63 */
    uint16_t frame_number;  /* bytes 1 and 2: what a switch of source rewrites */
    bool has_structure;     /* template_dependency_structure_present_flag: a keyframe */
} fw_dd_t;

/* False where fewer than 3 bytes. */
bool fw_dd_parse(const uint8_t *data, size_t len, fw_dd_t *out);

#endif
