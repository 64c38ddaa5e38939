#include "seqmap.h"

#include <string.h>

/* Index in `closed` of the stretch `back` before the newest one. */
static unsigned closed_index(const fw_seqmap_t *m, unsigned back) {
    return (m->newest + FW_SEQMAP_CLOSED - back) % FW_SEQMAP_CLOSED;
}

/* Ends the growing stretch before packet `end`. */
static void close_stretch(fw_seqmap_t *m, uint64_t end, uint16_t left_out) {
    uint64_t given = end - m->growing.first;
    if (given > UINT16_MAX) {
        m->count = 0; /* forgets the older stretches */
        given = UINT16_MAX;
    }
    m->newest = (uint8_t)((m->newest + 1) % FW_SEQMAP_CLOSED);
    if (m->count < FW_SEQMAP_CLOSED) m->count++;
    m->closed[m->newest] = (fw_closed_t){.given = (uint16_t)given, .left_out = left_out, .layers = m->growing.layers};
}

/* Moves `s`, the stretch `back` before the growing one, to the previous stretch. Returns false if that is forgotten. */
static bool step_back(const fw_seqmap_t *m, unsigned back, fw_stretch_t *s) {
    if (back >= m->count) return false;
    const fw_closed_t *before = &m->closed[closed_index(m, back)];
    uint64_t end = s->first - before->left_out;
    if (before->left_out == FW_OTHER_EPOCH) {
        s->epoch--;
        if (m->growing.epoch - s->epoch >= FW_EPOCHS) return false;
        end = m->ends[s->epoch % FW_EPOCHS];
    }
    s->first = end - before->given;
    s->out -= before->given;
    s->layers = before->layers;
    return true;
}

void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out) {
    memset(m, 0, sizeof *m);
    m->highest_out = first_out - 1;
    m->growing.layers = (fw_layers_t){.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
}

void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers) {
    fw_stretch_t *s = &m->growing;
    if (s->epoch > 0) {
        /* The new epoch uses the numbers above the highest given: later packets of the old epoch get none. */
        uint64_t end = m->highest_in + 1 > s->first ? m->highest_in + 1 : s->first;
        close_stretch(m, end, FW_OTHER_EPOCH);
        m->ends[s->epoch % FW_EPOCHS] = end;
    }
    *s = (fw_stretch_t){.first = first_in, .out = m->highest_out + 1, .epoch = s->epoch + 1, .layers = layers};
    m->highest_in = first_in - 1;
}

void fw_seqmap_change_layers(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers) {
    fw_stretch_t *s = &m->growing;
    if (s->first < first_in) {
        close_stretch(m, first_in, 0);
        s->out = fw_stretch_give(s, first_in);
        s->first = first_in;
    }
    s->layers = layers;
}

fw_seq_t fw_seqmap_map(fw_seqmap_t *m, uint64_t in, uint64_t *out, fw_layers_t *layers) {
    fw_stretch_t s;
    if (!fw_seqmap_find(m, m->growing.epoch, in, &s)) return FW_SEQ_NONE;
    *out = fw_stretch_give(&s, in);
    *layers = s.layers;
    if (in <= m->highest_in) return FW_SEQ_LATE;
    m->highest_in = in;
    m->highest_out = *out;
    return FW_SEQ_NEW;
}

bool fw_seqmap_skip(fw_seqmap_t *m, uint64_t in) {
    fw_stretch_t *s = &m->growing;
    if (s->epoch == 0) return true;
    if (in <= m->highest_in) return false;
    fw_closed_t *before = m->count > 0 ? &m->closed[m->newest] : NULL;
    m->highest_in = in;
    /* Late packets still get the numbers between the highest given and this one. */
    m->highest_out = fw_stretch_give(s, in) - 1;
    if (s->first < in) {
        close_stretch(m, in, 1);
        s->out = m->highest_out + 1;
    } else if (before != NULL && before->left_out != FW_OTHER_EPOCH && ++before->left_out == FW_OTHER_EPOCH) {
        m->count = 0; /* left_out is full: forgets the older stretches */
    }
    s->first = in + 1;
    return true;
}

bool fw_seqmap_find(const fw_seqmap_t *m, uint32_t epoch, uint64_t in, fw_stretch_t *found) {
    uint64_t end = UINT64_MAX; /* the first number after those of this stretch */
    *found = m->growing;
    for (unsigned back = 0; found->epoch != epoch || in < found->first || in - found->first >= end - found->out; back++) {
        end = found->out;
        if (!step_back(m, back, found)) return false;
    }
    return true;
}

bool fw_seqmap_reverse(const fw_seqmap_t *m, uint64_t out, uint64_t *in, fw_stretch_t *found) {
    if (out > m->highest_out) return false;
    *found = m->growing;
    for (unsigned back = 0; out < found->out; back++)
        if (!step_back(m, back, found)) return false;
    if (found->epoch == 0) return false;
    *in = found->first + (out - found->out);
    return true;
}
