/* The overlay of one variant, in the order of the walk. */
#include "pack/edits.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "pack/order.h"

struct list {
	struct edit *v;
	size_t n, cap;
};

static int by_order(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return order_paths(x->path, y->path);
}

static bool adds(const struct overlay_entry *x)
{
	return x->kind == OVERLAY_FILE || x->kind == OVERLAY_LINK ||
	       x->kind == OVERLAY_DIR;
}

/* Every directory above one that adds has to be there. */
static void add_parents(struct list *all, const char *path, struct arena *mem)
{
	const char *slash = strchr(path, '/');

	for (; slash; slash = strchr(slash + 1, '/'))
		*vec_add(mem, all) = (struct edit){
			.path = arena_strndup(mem, path,
					      (size_t)(slash - path)),
			.holds = true,
		};
}

static void add_all(struct list *all, const struct overlay *o,
		    struct arena *mem)
{
	for (size_t i = 0; i < o->n; i++) {
		const char *path = o->v[i].path;

		while (*path == '/')
			path++;
		*vec_add(mem, all) =
			(struct edit){ .path = path, .entry = &o->v[i] };
		if (adds(&o->v[i]))
			add_parents(all, path, mem);
	}
}

/* Puts the second of two edits of one path into the first. */
static int merge(struct edit *a, const struct edit *b, struct err *e)
{
	if (a->entry && b->entry)
		return err_set(e, 0, "two edits of /%s", a->path);
	if (!a->entry)
		a->entry = b->entry;
	a->holds |= b->holds;
	return 0;
}

static int check(const struct edit *x, struct err *e)
{
	bool leaf = x->entry && adds(x->entry) && x->entry->kind != OVERLAY_DIR;

	if (*x->path == '\0')
		return err_set(e, 0, "an edit of the root itself");
	if (x->holds && leaf)
		return err_set(e, 0, "edits of /%s and beneath it", x->path);
	return 0;
}

int edits_open(const struct overlay *o, struct arena *mem, struct edits *ret,
	       struct err *e)
{
	struct list all = { 0 };
	size_t n = 0;

	if (o)
		add_all(&all, o, mem);
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_order);
	for (size_t i = 0; i < all.n; i++) {
		if (n > 0 && str_eq(all.v[n - 1].path, all.v[i].path)) {
			if (merge(&all.v[n - 1], &all.v[i], e))
				return -1;
			continue;
		}
		all.v[n++] = all.v[i];
	}
	for (size_t i = 0; i < n; i++)
		if (check(&all.v[i], e))
			return -1;
	*ret = (struct edits){ .v = all.v, .n = n };
	return 0;
}

static bool has(struct tree *t, const char *path)
{
	struct tree_stat st;
	struct err e;

	return tree_lstat(t, path, &st, &e) == 0;
}

void edits_unsorted(struct edits *x, struct tree *t, struct arena *mem)
{
	x->unsorted = true;
	for (size_t i = 0; i < x->n; i++) {
		const char *with = x->v[i].path, *slash;

		while (*with && !has(t, with)) {
			slash = strrchr(with, '/');
			with = arena_strndup(
				mem, with, slash ? (size_t)(slash - with) : 0);
		}
		x->v[i].with = str_eq(with, x->v[i].path) ? NULL : with;
	}
}

static bool is_with(const struct edit *x, const char *with)
{
	return !x->taken && (!with || str_eq(x->with, with));
}

const struct edit *edits_peek(const struct edits *x, const char *with)
{
	size_t i = x->next;

	while (x->unsorted && i < x->n && !is_with(&x->v[i], with))
		i++;
	return i < x->n ? &x->v[i] : NULL;
}

static struct edit *find(const struct edits *x, const char *path)
{
	const struct edit key = { .path = path };

	return x->n > 0 ? bsearch(&key, x->v, x->n, sizeof(*x->v), by_order) :
			  NULL;
}

const struct edit *edits_take(struct edits *x, const char *path)
{
	struct edit *one = x->unsorted    ? find(x, path) :
			   x->next < x->n ? &x->v[x->next] :
					    NULL;

	if (!one || one->taken || !str_eq(one->path, path))
		return NULL;
	one->taken = true;
	x->next += !x->unsorted;
	return one;
}
