/* A media section as it was negotiated: payload types, header extensions and feedback. */
#ifndef FW_STATE_MEDIA_H
#define FW_STATE_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#define FW_MID_BYTES 32
#define FW_FORMATS 16 /* payload types of one producer or consumer */
#define FW_NO_PT 0xff

typedef enum { FW_AUDIO, FW_VIDEO } fw_kind_t;
typedef enum { FW_OPUS, FW_RED, FW_VP8, FW_VP9, FW_H264, FW_H265, FW_AV1 } fw_codec_t;

/* RTP header extensions that the core knows. */
typedef enum {
    FW_EXT_MID,
    FW_EXT_RID,
    FW_EXT_REPAIRED_RID,
    FW_EXT_ABS_SEND_TIME,
    FW_EXT_TRANSPORT_CC,
    FW_EXT_AUDIO_LEVEL,
    FW_EXT_VIDEO_ORIENTATION,
    FW_EXT_PLAYOUT_DELAY,
    FW_EXT_VIDEO_CONTENT_TYPE,
    FW_EXT_VIDEO_TIMING,
    FW_EXT_COLOR_SPACE,
    FW_EXT_ABS_CAPTURE_TIME,
    FW_EXT_DEPENDENCY_DESCRIPTOR,
    FW_EXT_LAYERS_ALLOCATION,
    FW_EXT_TRANSMISSION_OFFSET,
    FW_EXT_CSRC_AUDIO_LEVEL,
    FW_EXTENSIONS,
} fw_extension_t;

enum { FW_FB_NACK = 1, FW_FB_PLI = 2, FW_FB_FIR = 4, FW_FB_TRANSPORT_CC = 8, FW_FB_REMB = 16 };

typedef struct {
    uint32_t clock_hz; /* 1 to 1 000 000 */
    uint8_t pt;
    uint8_t rtx_pt; /* FW_NO_PT without RTX */
    uint8_t codec;
    uint8_t feedback; /* FW_FB_* */
} fw_format_t;

typedef struct {
    uint8_t kind;
    uint8_t format_count;
    uint8_t mid_len;
    uint8_t reduced_size; /* RTCP feedback is sent without RR and SDES (RFC 5506) */
    char mid[FW_MID_BYTES];
    fw_format_t formats[FW_FORMATS];
    uint8_t ext_ids[FW_EXTENSIONS]; /* by fw_extension_t; 0 where not negotiated */
} fw_media_t;

/* Whether every count, payload type, codec and clock rate of a media description is within its range. */
bool fw_media_ok(const fw_media_t *m);

#endif
