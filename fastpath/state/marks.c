#include "marks.h"

/* The end of every list. A mark that points at nothing is not set. */
static fw_mark_t end;

static void put(fw_mark_list_t *list, fw_mark_t *mark) {
    if (mark->next != NULL) return;
    mark->next = &end;
    *(list->first == NULL ? &list->first : &list->last->next) = mark;
    list->last = mark;
}

/* The transport whose mark, `offset` bytes into it, was set first. */
static fw_transport_t *take(fw_mark_list_t *list, size_t offset) {
    fw_mark_t *mark = list->first;
    if (mark == NULL) return NULL;
    list->first = mark->next == &end ? NULL : mark->next;
    mark->next = NULL;
    return (fw_transport_t *)(void *)((char *)mark - offset);
}

static void forget(fw_mark_list_t *list, const fw_mark_t *mark) {
    fw_mark_t *before = NULL;
    if (mark->next == NULL) return;
    for (fw_mark_t *at = list->first; at != mark; at = at->next) before = at;
    if (before != NULL) before->next = mark->next;
    else list->first = mark->next == &end ? NULL : mark->next;
    if (list->last == mark) list->last = before;
}

void fw_mark_due(fw_core_t *core, fw_transport_t *t) { put(&core->due, &t->due); }

void fw_mark_changed(fw_core_t *core, fw_transport_t *t) { put(&core->changed, &t->changed); }

void fw_mark_first_report(fw_core_t *core, fw_transport_t *t) { put(&core->first_reports, &t->first_report); }

fw_transport_t *fw_marks_take_due(fw_core_t *core) { return take(&core->due, offsetof(fw_transport_t, due)); }

fw_transport_t *fw_marks_take_changed(fw_core_t *core) { return take(&core->changed, offsetof(fw_transport_t, changed)); }

fw_transport_t *fw_marks_take_first_report(fw_core_t *core) {
    return take(&core->first_reports, offsetof(fw_transport_t, first_report));
}

void fw_marks_forget(fw_core_t *core, const fw_transport_t *t) {
    forget(&core->due, &t->due);
    forget(&core->changed, &t->changed);
    forget(&core->first_reports, &t->first_report);
}
