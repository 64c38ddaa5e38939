/* The latest state of many slots, passed from one writer thread to one reader thread, none of it ever lost.
 *
 * Each slot is a fixed-size cell and a dirty mark. States of one slot overwrite each other, so nothing fills up and
 * nothing is dropped: after the writer's last fw_latest_cells_set() of a slot the reader gets exactly that state.
 */
#ifndef FW_NET_LATEST_CELLS_H
#define FW_NET_LATEST_CELLS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fw_marks fw_latest_cells_t;

/* `slots` and `cell_bytes` are at least 1, cells at most 64 KiB. Memory is touched only as slots are set. NULL: no
 * memory, or out of range. */
fw_latest_cells_t *fw_latest_cells_create(uint32_t slots, uint32_t cell_bytes);
void fw_latest_cells_destroy(fw_latest_cells_t *marks);

/* Writer: makes the `cell_bytes` at `cell` the latest state of `slot` (< slots). Wait-free. */
void fw_latest_cells_set(fw_latest_cells_t *marks, uint32_t slot, const void *cell);

/* Reader: takes one dirty slot and its latest state, in turn over all slots. False when none is dirty. Never waits for
 * the writer: a cell that is just being written is left to the mark which that write is about to set. */
bool fw_latest_cells_next(fw_latest_cells_t *marks, uint32_t *slot, void *cell);

#endif
