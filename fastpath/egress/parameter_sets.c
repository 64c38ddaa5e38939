#include "parameter_sets.h"

/* The number that stands for parameter sets in an epoch of their own: no packet has it. */
enum { SETS_SEQ64 = 1 };

bool fw_parameter_sets_reserve(fw_consumer_t *c, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    if (!packet->lacks_parameter_sets || e->sets == NULL || !fw_parameter_sets_complete(&e->sets->sets, e->sets->codec)) return false;
    uint64_t seq64;
    fw_layers_t layers = {.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
    fw_seqmap_switch(&c->seqmap, SETS_SEQ64, layers);
    (void)fw_seqmap_map(&c->seqmap, SETS_SEQ64, &seq64, &layers);
    *fw_consumer_epoch(c, c->seqmap.growing.epoch) = (fw_epoch_t){.encoding = e,
                                                                  .number = c->seqmap.growing.epoch,
                                                                  .sets_version = e->sets->sets.version,
                                                                  .sets_format = packet->format,
                                                                  .is_sets = true};
    return true;
}

void fw_parameter_sets_map(fw_consumer_t *c, const fw_packet_t *packet, fw_rewrite_t *how) {
    const fw_epoch_t *flowing = fw_consumer_epoch(c, c->seqmap.growing.epoch);
    fw_epoch_t *reserved = fw_consumer_epoch(c, c->seqmap.growing.epoch - 1);
    reserved->ts_offset = fw_epoch_timestamp(flowing, packet);
    how->epoch = reserved;
    how->layers = (fw_layers_t){.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
    how->seq64 = c->seqmap.growing.out - 1;
}

bool fw_parameter_sets_rewrite(const fw_consumer_t *c, const fw_rewrite_t *how, fw_srtp_job_t *job) {
    const fw_encoding_sets_t *known = how->epoch->encoding->sets;
    if (known == NULL || known->sets.version != how->epoch->sets_version) return false;
    fw_packet_t stand_in = {.format = how->epoch->sets_format, .seq64 = SETS_SEQ64};
    if (!fw_rewrite(c, &stand_in, how, job)) return false;
    job->body = known->sets.payload;
    job->body_len = known->sets.len;
    return true;
}
