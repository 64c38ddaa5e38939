/* A media section as it was negotiated: payload types, header extensions and feedback. */
#ifndef FW_STATE_MEDIA_H
#define FW_STATE_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/record.h"

#define FW_MID_BYTES 32
#define FW_FORMATS 16 /* payload types of one producer or consumer */
#define FW_NO_PT 0xff

#define FW_KINDS(X) \
    X(AUDIO)        \
    X(VIDEO)
typedef enum { FW_KINDS(FW_ENUM) } fw_kind_t;

/* RED is redundant audio (RFC 2198). */
#define FW_CODECS(X) \
    X(OPUS)          \
    X(RED)           \
    X(VP8)           \
    X(VP9)           \
    X(H264)          \
    X(H265)          \
    X(AV1)
#define FW_CODEC_ONE(...) +1
enum { FW_CODEC_COUNT = 0 FW_CODECS(FW_CODEC_ONE) };
#undef FW_CODEC_ONE
typedef enum { FW_CODECS(FW_ENUM) } fw_codec_t;

/* RTP header extensions that the core knows. */
#define FW_EXTENSION_NAMES(X) \
    X(MID)                    \
    X(RID)                    \
    X(REPAIRED_RID)           \
    X(ABS_SEND_TIME)          \
    X(TRANSPORT_CC)           \
    X(AUDIO_LEVEL)            \
    X(VIDEO_ORIENTATION)      \
    X(PLAYOUT_DELAY)          \
    X(VIDEO_CONTENT_TYPE)     \
    X(VIDEO_TIMING)           \
    X(COLOR_SPACE)            \
    X(ABS_CAPTURE_TIME)       \
    X(DEPENDENCY_DESCRIPTOR)  \
    X(LAYERS_ALLOCATION)      \
    X(TRANSMISSION_OFFSET)    \
    X(CSRC_AUDIO_LEVEL)
#define FW_EXTENSION_ENUM(name) FW_EXT_##name,
typedef enum { FW_EXTENSION_NAMES(FW_EXTENSION_ENUM) FW_EXTENSIONS } fw_extension_t;

enum { FW_FB_NACK = 1, FW_FB_PLI = 2, FW_FB_FIR = 4, FW_FB_TRANSPORT_CC = 8, FW_FB_REMB = 16 };

/* One payload type, and the feedback that was negotiated for it. */
#define FW_FORMAT_FIELDS(X, S)                                           \
    X(S, NUMBER, uint32_t, clock_rate_hz) /* 1 to 1 000 000 */           \
    X(S, NUMBER, uint8_t, pt)                                            \
    X(S, OPTIONAL, uint8_t, rtx_pt, FW_NO_PT) /* FW_NO_PT without RTX */ \
    X(S, NUMBER, uint8_t, codec)              /* fw_codec_t */           \
    X(S, HIDDEN, uint8_t, feedback)           /* FW_FB_* */              \
    X(S, FLAG, uint8_t, nack, feedback, FW_FB_NACK)                      \
    X(S, FLAG, uint8_t, pli, feedback, FW_FB_PLI)                        \
    X(S, FLAG, uint8_t, fir, feedback, FW_FB_FIR)                        \
    X(S, FLAG, uint8_t, transport_cc, feedback, FW_FB_TRANSPORT_CC)      \
    X(S, FLAG, uint8_t, remb, feedback, FW_FB_REMB)
FW_STRUCT(fw_format_t, FW_FORMAT_FIELDS);

#define FW_MEDIA_FIELDS(X, S)                                                                           \
    X(S, NUMBER, uint8_t, kind)              /* fw_kind_t */                                            \
    X(S, NUMBER, uint8_t, reduced_size_rtcp) /* RTCP feedback is sent without RR and SDES (RFC 5506) */ \
    X(S, TEXT, mid, FW_MID_BYTES)                                                                       \
    X(S, LIST, fw_format_t, payload_types, FW_FORMATS)                                                  \
    X(S, MAP, extensions, FW_EXTENSIONS) /* ids by fw_extension_t; 0 where not negotiated */
FW_STRUCT(fw_media_t, FW_MEDIA_FIELDS);

/* Whether every count, payload type, codec and clock rate of a media description is within its range. */
bool fw_media_ok(const fw_media_t *m);

#endif
