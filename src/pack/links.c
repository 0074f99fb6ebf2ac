/* A hash of (device, inode); it is never listed, so its order is no output. */
#include "pack/links.h"

struct link {
	uint64_t dev, ino;
	const char *path; /* NULL: free */
};

static size_t place(const struct links *l, uint64_t dev, uint64_t ino)
{
	/* Fibonacci hashing: inode numbers come in runs */
	uint64_t hash = (ino ^ dev << 32) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 20) & (l->cap - 1);

	while (l->v[i].path && (l->v[i].dev != dev || l->v[i].ino != ino))
		i = (i + 1) & (l->cap - 1);
	return i;
}

const char *links_find(const struct links *l, uint64_t dev, uint64_t ino)
{
	return l->cap ? l->v[place(l, dev, ino)].path : NULL;
}

static void grow(struct links *l)
{
	struct links old = *l;

	l->cap = old.cap ? old.cap * 2 : 1024;
	l->v = arena_alloc(l->mem, l->cap * sizeof(*l->v));
	for (size_t i = 0; i < old.cap; i++)
		if (old.v[i].path)
			l->v[place(l, old.v[i].dev, old.v[i].ino)] = old.v[i];
}

void links_add(struct links *l, uint64_t dev, uint64_t ino, const char *path)
{
	if (l->n >= l->cap / 2)
		grow(l);
	l->v[place(l, dev, ino)] = (struct link){ dev, ino, path };
	l->n++;
}
