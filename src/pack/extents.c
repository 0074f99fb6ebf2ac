/* Extents of data, made fit for an archive. */
#include "pack/extents.h"

static bool joins(const struct extents *x, const struct tree_extent *last,
		  const struct tree_extent *one)
{
	return one->offset - (last->offset + last->length) <= x->filled;
}

static void join(struct tree_extent *last, const struct tree_extent *one)
{
	last->length = one->offset + one->length - last->offset;
}

/* Fills holes, of twice the size each time, until there are at most max. */
static void fill(struct extents *x, size_t max)
{
	while (x->list.n > max) {
		struct tree_extent *v = x->list.v;
		size_t kept = 0;

		x->filled = x->filled ? x->filled * 2 : 4096;
		for (size_t i = 1; i < x->list.n; i++) {
			if (joins(x, &v[kept], &v[i]))
				join(&v[kept], &v[i]);
			else
				v[++kept] = v[i];
		}
		x->list.n = kept + 1;
	}
}

void extents_add(struct extents *x, struct tree_extent one)
{
	struct tree_extent *last = x->list.n > 0 ? &x->list.v[x->list.n - 1] :
						   NULL;

	if (last && joins(x, last, &one)) {
		join(last, &one);
		return;
	}
	*vec_add(x->mem, &x->list) = one;
	fill(x, (size_t)2 * EXTENTS_MAX - 1);
}

static int collect(struct tree_file *f, uint64_t size, struct extents *x,
		   struct err *e)
{
	struct tree_extent one = { 0 };

	while (one.offset + one.length < size) {
		int r = tree_file_next(f, one.offset + one.length, &one, e);

		if (r <= 0)
			return r;
		if (one.offset >= size)
			return 0;
		if (one.length > size - one.offset)
			one.length = size - one.offset;
		extents_add(x, one);
	}
	return 0;
}

int extents_of(struct tree_file *f, const struct tree_stat *st,
	       struct arena *mem, const struct tree_extent **ret, size_t *ret_n,
	       struct err *e)
{
	struct extents x = { .mem = mem };

	if (st->blocks * 512 >= st->size) {
		if (st->size > 0)
			extents_add(&x, (struct tree_extent){ 0, st->size });
	} else if (collect(f, st->size, &x, e)) {
		return -1;
	}
	fill(&x, EXTENTS_MAX);
	*ret = x.list.v;
	*ret_n = x.list.n;
	return 0;
}
