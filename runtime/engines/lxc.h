/* What the engine lxc starts from: the emitted config, made harmless. */
#ifndef REHOST_RUNTIME_ENGINES_LXC_H
#define REHOST_RUNTIME_ENGINES_LXC_H

#include "runtime/box.h"

/*
 * The text of a config, line by line as emitted, without what the box
 * withholds; its root is the box's. A line that is left out or replaced stays
 * as a comment that begins with "# lab: ". p is what the text says. What only
 * LXC cannot give on this host is withheld of the box.
 */
void lxc_deployed(const char *text, const struct policy *p, struct box *b,
		  struct arena *mem, struct buf *ret);

/* The lines of a deployed config that are not as emitted, for people. */
void lxc_show_changes(const char *text, struct buf *ret);

#endif
