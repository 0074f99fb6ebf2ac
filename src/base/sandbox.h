/*
 * Giving up rights before reading what a stranger wrote: Landlock, where the
 * kernel has it (5.13). Opened descriptors stay as they are.
 */
#ifndef REHOST_BASE_SANDBOX_H
#define REHOST_BASE_SANDBOX_H

#include "err.h"

struct sandbox; /* rules being put together */

/* NULL with *e when the kernel has no Landlock (code ENOSYS or EOPNOTSUPP). */
struct sandbox *sandbox_new(struct err *e);
void sandbox_freep(struct sandbox **s); /* for CLEANUP */

/* What may be read, and what may be made and changed, beneath a directory. */
int sandbox_read(struct sandbox *s, const char *dir, struct err *e);
int sandbox_write(struct sandbox *s, const char *dir, struct err *e);

/* From now on this process and its children can do nothing else with files. */
int sandbox_enter(struct sandbox *s, struct err *e);

#endif
