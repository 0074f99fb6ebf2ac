/*
 * One guest's directory in the output (design 1.2): written beside as
 * ".NAME.part" and renamed, so that a kill at any moment leaves a complete
 * guest or none.
 */
#ifndef REHOST_CLI_PACKAGE_H
#define REHOST_CLI_PACKAGE_H

#include "base/buf.h"
#include "cli/work.h"

/*
 * Writes DIR/NAME of a planned guest. Packing adds its findings to the guest;
 * *ret_document is G after that (the caller frees it). Returns 1, and writes
 * nothing, where --resume finds it whole and made from the same input.
 */
int package_write(struct work *w, int dir, json_t **ret_document,
		  struct err *e);

/* The operations that package_write would do, a line each. */
void package_plan(struct work *w, struct buf *b);

#endif
