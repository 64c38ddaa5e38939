#include "marks.h"

static void put(fw_mark_list_t *list, fw_mark_t *mark, fw_transport_t *t) {
    if (mark->set) return;
    *mark = (fw_mark_t){.set = true, .transport = t};
    *(list->first == NULL ? &list->first : &list->last->next) = mark;
    list->last = mark;
}

static fw_transport_t *take(fw_mark_list_t *list) {
    fw_mark_t *mark = list->first;
    if (mark == NULL) return NULL;
    list->first = mark->next;
    mark->set = false;
    return mark->transport;
}

static void forget(fw_mark_list_t *list, const fw_mark_t *mark) {
    fw_mark_t **link = &list->first, *before = NULL;
    if (!mark->set) return;
    for (; *link != mark; link = &before->next) before = *link;
    *link = mark->next;
    if (list->last == mark) list->last = before;
}

void fw_mark_due(fw_core_t *core, fw_transport_t *t) { put(&core->due, &t->due, t); }

void fw_mark_changed(fw_core_t *core, fw_transport_t *t) { put(&core->changed, &t->changed, t); }

void fw_mark_first_report(fw_core_t *core, fw_transport_t *t) { put(&core->first_reports, &t->first_report, t); }

fw_transport_t *fw_marks_take_due(fw_core_t *core) { return take(&core->due); }

fw_transport_t *fw_marks_take_changed(fw_core_t *core) { return take(&core->changed); }

fw_transport_t *fw_marks_take_first_report(fw_core_t *core) { return take(&core->first_reports); }

void fw_marks_forget(fw_core_t *core, const fw_transport_t *t) {
    forget(&core->due, &t->due);
    forget(&core->changed, &t->changed);
    forget(&core->first_reports, &t->first_report);
}
