/*
 * Which lines counted. An empty value takes back what stood before it, of the
 * key and of all keys that begin with it and a dot; of a key that has one value
 * the last line counts; a type begins an interface anew; targets.md 2.1, 2.3.
 */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "importers/lxc/lxc.h"

/* LXC before 3.0 set the link up for any value, also for none. */
static bool is_cleared(const struct lx_line *l)
{
	return l->kind == LXC_LINE_SETTING && l->value[0] == '\0' &&
	       !(l->legacy && str_ends(l->name, ".flags"));
}

static bool is_beneath(const char *name, const char *key)
{
	const size_t n = strlen(key);

	return strncmp(name, key, n) == 0 &&
	       (name[n] == '\0' || name[n] == '.');
}

static void beat(struct reading *r, struct lx_line *l, const struct lx_line *by,
		 const char *what)
{
	l->dead_bin = BIN_OVERRIDDEN;
	l->dead = by->line == 0 ?
			  arena_printf(r->g->mem, "%s by %s", what, by->file) :
			  arena_printf(r->g->mem, "%s by %s line %u", what,
				       by->file, by->line);
}

/* An empty value at place i. */
static void clear(struct reading *r, size_t i)
{
	struct lxc *x = lxc_of(r);
	struct lx_line *by = &x->lines.v[i];

	by->dead_bin = BIN_INERT;
	by->dead = "an empty value takes back what stood before";
	if (str_eq(by->name, "lxc.include")) {
		by->dead = "nothing is included";
		return; /* what was included stays */
	}
	for (size_t k = 0; k < i; k++) {
		struct lx_line *l = &x->lines.v[k];

		if (l->dead == NULL && l->kind == LXC_LINE_SETTING &&
		    is_beneath(l->name, by->name))
			beat(r, l, by, "taken back");
	}
}

static bool is_single(struct reading *r, const struct lx_line *l)
{
	const struct key *row = lxc_row(r->g->mem, l->key);

	return row != NULL && LX_FORMAT_OF(row->arg) == LX_ONE &&
	       l->kind == LXC_LINE_SETTING;
}

/* A line's name and place, to find those of one name together. */
struct place {
	const char *name;
	size_t at;
};

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	return x->at < y->at ? -1 : 1;
}

static void repeated(struct reading *r)
{
	struct lxc *x = lxc_of(r);
	VEC(struct place) all = { 0 };

	for (size_t i = 0; i < x->lines.n; i++)
		if (x->lines.v[i].dead == NULL && is_single(r, &x->lines.v[i]))
			*vec_add(r->g->mem, &all) =
				(struct place){ x->lines.v[i].name, i };
	if (all.n == 0)
		return;
	qsort(all.v, all.n, sizeof(*all.v), by_name);
	for (size_t i = 0; i + 1 < all.n; i++)
		if (str_eq(all.v[i].name, all.v[i + 1].name))
			beat(r, &x->lines.v[all.v[i].at],
			     &x->lines.v[all.v[i + 1].at], "replaced");
}

static bool is_type(const struct lx_line *l)
{
	return l->kind == LXC_LINE_SETTING && l->dead == NULL &&
	       str_starts(l->name, "lxc.net.") && str_ends(l->name, ".type");
}

/* A type at place i; one of the same number before it is another interface. */
static void begin_nic(struct reading *r, size_t i)
{
	struct lxc *x = lxc_of(r);
	struct lx_line *by = &x->lines.v[i];
	const size_t n = strlen(by->name) - strlen("type");
	bool again = false;

	for (size_t k = 0; k < i; k++)
		again = again || (is_type(&x->lines.v[k]) &&
				  str_eq(x->lines.v[k].name, by->name));
	for (size_t k = 0; again && k < i; k++)
		if (x->lines.v[k].dead == NULL &&
		    strncmp(x->lines.v[k].name, by->name, n) == 0)
			beat(r, &x->lines.v[k], by, "forgotten");
	if (again)
		reading_find_at(r, FIND_SRC_MULTIPLE,
				reading_origin(r, ORIGIN_TEXT, by->file,
					       by->line, by->key, by->value),
				"the interface begins anew: what stood before "
				"it is forgotten, as LXC 4.0.7 and later do; "
				"earlier ones made one interface of both");
}

void lxc_fold(struct reading *r)
{
	struct lxc *x = lxc_of(r);

	for (size_t i = 0; i < x->lines.n; i++) {
		if (x->lines.v[i].dead == NULL && is_cleared(&x->lines.v[i]))
			clear(r, i);
		if (is_type(&x->lines.v[i]))
			begin_nic(r, i);
	}
	repeated(r);
}
