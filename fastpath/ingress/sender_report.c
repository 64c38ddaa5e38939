#include "sender_report.h"

#include "../egress/relay.h"
#include "../state/marks.h"

void fw_sender_report_take(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr) {
    fw_producer_t *p = e->producer;
    e->sr = *sr;
    fw_relay_report(core, e);
    for (uint32_t i = 0; i < p->follower_count; i++) {
        fw_consumer_t *c = p->followers[i].consumer;
        if (c->select.current != (int8_t)e->index) continue;
        c->tsmap.source = *sr; /* a switch goes by the newest */
        if (c->reported) continue;
        c->first_report_due = true;
        fw_mark_first_report(core, c->transport);
    }
}
