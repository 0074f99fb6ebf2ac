/* Extents of data, made fit for an archive. */
#include "pack/extents.h"

static size_t cut(struct tree_extent *v, size_t n, uint64_t size)
{
	while (n > 0 && v[n - 1].offset >= size)
		n--;
	if (n > 0 && v[n - 1].length > size - v[n - 1].offset)
		v[n - 1].length = size - v[n - 1].offset;
	return n;
}

/* Holes up to so many bytes become data. */
static size_t fill(struct tree_extent *v, size_t n, uint64_t hole)
{
	size_t kept = 0;

	for (size_t i = 1; i < n; i++) {
		struct tree_extent *last = &v[kept];

		if (v[i].offset - (last->offset + last->length) <= hole)
			last->length = v[i].offset + v[i].length - last->offset;
		else
			v[++kept] = v[i];
	}
	return kept + 1;
}

size_t extents_fit(struct tree_extent *v, size_t n, uint64_t size)
{
	n = cut(v, n, size);
	for (uint64_t hole = 4096; n > EXTENTS_MAX; hole *= 2)
		n = fill(v, n, hole);
	return n;
}
