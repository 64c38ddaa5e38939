/* A producer's encodings seen as sources: which is the highest that lives, and keyframes asked of them. */
#ifndef FW_FORWARD_SOURCES_H
#define FW_FORWARD_SOURCES_H

#include "state.h"

/* After a packet: finds the highest live encoding anew, up to ten times a second, and points the consumers at it. */
void fw_producer_rank(fw_core_t *core, fw_producer_t *p);

/* Points a consumer at the encoding that it wants, or else the best, and, if it has to wait for an entry, finds a young keyframe in the cache or asks for a new one. */
void fw_consumer_aim(fw_core_t *core, fw_consumer_t *c);

/* The viewer cannot go on without a keyframe: it is sent the newest again, where that is young, and else one is asked for. */
void fw_consumer_refresh(fw_core_t *core, fw_consumer_t *c);

/* The highest layers that a consumer may have of an encoding: those it wants, but one spatial layer where it was not agreed
 * to tell them apart by dependency descriptors; of layers that do not refer to each other one that is there. */
fw_layers_t fw_consumer_limit(const fw_consumer_t *c, const fw_encoding_t *e);

/* Whether layers that it may have are there but not taken, and are taken up at a keyframe alone: spatial ones, and those of
 * H.264 with prefix NAL units; or a spatial layer flows that is too high, and others do not refer to it. */
bool fw_consumer_lacks_layers(const fw_consumer_t *c);

/* Someone needs a keyframe of these encodings (a bit each): asked at home, under the spacing of stream/keyframes.h. */
void fw_producer_want_keyframe(fw_core_t *core, fw_producer_t *p, uint8_t encodings);

/* Media has come of an encoding of which no keyframe has: asks for one unless that was done. */
void fw_producer_lacks_keyframe(fw_core_t *core, fw_producer_t *p, uint8_t encoding);

/* The encoding goes on under another SSRC, with other numbers and another clock: its consumers switch to that as they
 * would to another encoding. */
void fw_encoding_restart(fw_core_t *core, fw_encoding_t *e);

/* The encoding's packet of that number, if it is still kept, else NULL. */
fw_packet_t *fw_encoding_cached(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64);

/* A new sender report of an encoding, from the publisher or from its home worker. */
void fw_encoding_report(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr);

#endif
