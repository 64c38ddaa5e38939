#include "seqmap.h"

#include <string.h>

static fw_stretch_t *stretch(fw_seqmap_t *m, unsigned back) {
    return &m->stretches[(m->newest + FW_SEQMAP_STRETCHES - back) % FW_SEQMAP_STRETCHES];
}

static const fw_stretch_t *stretch_at(const fw_seqmap_t *m, unsigned back) {
    return &m->stretches[(m->newest + FW_SEQMAP_STRETCHES - back) % FW_SEQMAP_STRETCHES];
}

static void push(fw_seqmap_t *m, uint64_t first, uint64_t offset, fw_layers_t layers) {
    m->newest = (uint8_t)((m->newest + 1) % FW_SEQMAP_STRETCHES);
    if (m->count < FW_SEQMAP_STRETCHES) m->count++;
    *stretch(m, 0) = (fw_stretch_t){.first = first, .end = UINT64_MAX, .offset = offset, .epoch = m->epoch, .layers = layers};
}

void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out) {
    memset(m, 0, sizeof *m);
    m->highest_out = first_out - 1;
    m->newest = FW_SEQMAP_STRETCHES - 1; /* so that the first is at 0, beside what is used with it */
}

void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers) {
    if (m->count > 0) {
        /* Numbers past the highest given belong to the new epoch: an old packet that is still to come is lost. */
        fw_stretch_t *last = stretch(m, 0);
        last->end = m->highest_in + 1 > last->first ? m->highest_in + 1 : last->first;
    }
    m->epoch++;
    push(m, first_in, m->highest_out + 1 - first_in, layers);
    m->highest_in = first_in - 1;
}

fw_layers_t fw_seqmap_layers(const fw_seqmap_t *m) {
    return m->count > 0 ? stretch_at(m, 0)->layers : (fw_layers_t){.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
}

void fw_seqmap_change_layers(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers) {
    fw_stretch_t *last = stretch(m, 0);
    if (last->first < first_in) {
        last->end = first_in;
        push(m, first_in, last->offset, layers);
    } else {
        last->layers = layers;
    }
}

fw_seq_t fw_seqmap_map(fw_seqmap_t *m, uint64_t in, uint64_t *out, fw_layers_t *layers) {
    for (unsigned back = 0; back < m->count; back++) {
        const fw_stretch_t *s = stretch_at(m, back);
        if (s->epoch != m->epoch) break;
        if (in < s->first || in >= s->end) continue;
        *out = in + s->offset;
        *layers = s->layers;
        if (in <= m->highest_in) return FW_SEQ_LATE;
        m->highest_in = in;
        m->highest_out = *out;
        return FW_SEQ_NEW;
    }
    return FW_SEQ_NONE;
}

bool fw_seqmap_skip(fw_seqmap_t *m, uint64_t in) {
    if (m->count == 0) return true;
    fw_stretch_t *last = stretch(m, 0);
    if (in < last->first && in <= m->highest_in) return false;
    if (in <= m->highest_in) return false;
    uint64_t offset = last->offset - 1;
    m->highest_in = in;
    /* Numbers between the highest given and this one are still free for packets that come late. */
    m->highest_out = in + offset;
    if (last->first == in) {
        last->first = in + 1;
        last->offset = offset;
        return true;
    }
    last->end = in;
    push(m, in + 1, offset, last->layers);
    return true;
}

const fw_stretch_t *fw_seqmap_find(const fw_seqmap_t *m, uint32_t epoch, uint64_t in) {
    for (unsigned back = 0; back < m->count; back++) {
        const fw_stretch_t *s = stretch_at(m, back);
        if (s->epoch == epoch && in >= s->first && in < s->end) return s;
    }
    return NULL;
}

const fw_stretch_t *fw_seqmap_reverse(const fw_seqmap_t *m, uint64_t out, uint64_t *in) {
    if (out > m->highest_out) return NULL;
    for (unsigned back = 0; back < m->count; back++) {
        const fw_stretch_t *s = stretch_at(m, back);
        uint64_t candidate = out - s->offset;
        if (candidate < s->first || candidate >= s->end) continue;
        *in = candidate;
        return s;
    }
    return NULL;
}
