#include "probation.h"

#include "request.h"

enum { REQUESTS = 20, EVERY_US = 50000 };

/* ICE-lite is controlled. The smallest tie-breaker wins no role from a peer that believes to be controlled, too. */
enum { TIE_BREAKER = 0 };

static void send(fw_core_t *core, const fw_transport_t *t, fw_known_path_t *known) {
    fw_request_send(core, t, &known->path, known->transaction, TIE_BREAKER, false);
    known->requests++;
    known->due_us = core->now_us + EVERY_US;
}

void fw_probation_start(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known) {
    uint32_t spread;
    if (known->open) return;
    known->requests = 0;
    known->due_us = core->now_us;
    known->open = t->peer != NULL && fw_request_open(core, t, known->transaction, &spread);
    if (known->open) send(core, t, known);
    core->counters.path_validations++;
}

bool fw_probation_tick(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known) {
    if (core->now_us < known->due_us) return false;
    if (known->open && t->peer != NULL && known->requests < REQUESTS) {
        send(core, t, known);
        return false;
    }
    fw_probation_stop(core, t, known);
    core->counters.path_validations_failed++;
    return true;
}

void fw_probation_stop(fw_core_t *core, const fw_transport_t *t, fw_known_path_t *known) {
    if (known->open) fw_request_close(core, t, known->transaction);
    known->open = false;
    known->due_us = UINT64_MAX;
}
