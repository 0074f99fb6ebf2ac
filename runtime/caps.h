/* Capabilities of pid 1, and of what is run in the guest beside it. */
#ifndef REHOST_RUNTIME_CAPS_H
#define REHOST_RUNTIME_CAPS_H

#include <stdint.h>

#include "base/err.h"

/*
 * Bounds this process to keep: bounding, permitted and effective sets; the
 * inheritable and ambient sets are emptied. As root it is what an exec gives.
 */
int caps_keep(uint64_t keep, struct err *e);

/* Loads the named filter: that of LXC's common.conf. */
int caps_filter(const char *name, struct err *e);

/* The filter that a profile's path means; NULL: the box does not know it. */
const char *caps_filter_name(const char *profile);

/* Writes a filter's program to a file: struct sock_filter, one by one. */
int caps_export(const char *name, int fd, struct err *e);

#endif
