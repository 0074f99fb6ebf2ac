/* Hard links: the first path of each inode. */
#ifndef REHOST_PACK_LINKS_H
#define REHOST_PACK_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct link; /* an inode */

struct links {
	struct arena *mem;
	struct link *v; /* hashed, open addressing; cap a power of two or 0 */
	size_t n, cap;
};

/* NULL when it was not added. */
const char *links_find(const struct links *l, uint64_t dev, uint64_t ino);

/* path is borrowed; the inode must not be there. */
void links_add(struct links *l, uint64_t dev, uint64_t ino, const char *path);

#endif
