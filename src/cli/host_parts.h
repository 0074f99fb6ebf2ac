/*
 * What the new host needs for a batch of LXC guests, merged over all of them:
 * DIR/host/lxc/ (design 1.2). Each file is a sorted list of lines, each line
 * once.
 */
#ifndef REHOST_CLI_HOST_PARTS_H
#define REHOST_CLI_HOST_PARTS_H

#include "base/json.h"
#include "cli/work.h"

/* In the worker: {"sysctl.conf": ["line", ...], ...} of one guest. */
json_t *host_parts_of(struct work *w);

/* In the parent: adds one guest's lines to the sum. */
void host_parts_add(json_t *sum, const json_t *parts);

/* Writes DIR/host/lxc/; nothing when there are no lines. */
int host_parts_write(const json_t *sum, int dir, struct err *e);

#endif
