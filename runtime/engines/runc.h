/* What the engine runc starts from: a bundle's config.json. */
#ifndef REHOST_RUNTIME_ENGINES_RUNC_H
#define REHOST_RUNTIME_ENGINES_RUNC_H

#include "runtime/box.h"

/*
 * The config.json of a policy without what the box withholds; its root is the
 * box's. What runc has no word for is withheld of the box.
 */
void runc_config(const struct policy *p, struct box *b, struct arena *mem,
		 struct buf *ret);

#endif
