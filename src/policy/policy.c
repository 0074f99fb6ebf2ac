/* Policies: canonical items, JSON, and the one comparator. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "policy/policy.h"

struct policy *policy_new(struct arena *mem)
{
	struct policy *p = arena_alloc(mem, sizeof(*p));

	p->mem = mem;
	return p;
}

static struct policy_item *find(const struct policy *p, enum field_id field,
				const char *key)
{
	for (size_t i = 0; i < p->items.n; i++)
		if (p->items.v[i].field == field &&
		    str_eq(p->items.v[i].key, key))
			return &p->items.v[i];
	return NULL;
}

/* AppArmor's word for a guest that no profile confines. */
static const char *canonical(enum field_id field, const char *value)
{
	return field == FIELD_LSM && str_eq(value, "unconfined") ? "none" :
								   value;
}

void policy_add(struct policy *p, enum field_id field, const char *key,
		const char *value)
{
	struct policy_item *it;

	if (field_get(field)->area == AREA_NONE)
		return;
	it = find(p, field, key);
	if (it == NULL)
		it = vec_add(p->mem, &p->items);
	*it = (struct policy_item){ .field = field,
				    .key = arena_strdup(p->mem, key),
				    .value = arena_strdup(
					    p->mem, canonical(field, value)) };
}

void policy_remove(struct policy *p, enum field_id field, const char *key)
{
	struct policy_item *it = find(p, field, key);

	if (it == NULL)
		return;
	*it = p->items.v[p->items.n - 1];
	p->items.n--;
}

static int cmp_items(const void *a, const void *b)
{
	const struct policy_item *x = a, *y = b;
	const enum area ax = field_get(x->field)->area;
	const enum area ay = field_get(y->field)->area;

	if (ax != ay)
		return ax < ay ? -1 : 1;
	if (x->field != y->field)
		return x->field < y->field ? -1 : 1;
	return strcmp(x->key, y->key);
}

void policy_sort(struct policy *p)
{
	if (p->items.n > 1)
		qsort(p->items.v, p->items.n, sizeof(*p->items.v), cmp_items);
}

const char *policy_get(const struct policy *p, enum field_id field,
		       const char *key)
{
	const struct policy_item *it = find(p, field, key);

	return it == NULL ? NULL : it->value;
}

json_t *policy_json(const struct policy *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->items.n; i++) {
		const struct policy_item *it = &p->items.v[i];
		const struct field *f = field_get(it->field);
		json_t *o = json_object();

		json_put_str(o, "area", field_area_name(f->area));
		json_put_str(o, "field", f->name);
		json_put_str(o, "key", it->key);
		json_put_str(o, "value", it->value);
		json_array_append_new(list, o);
	}
	return list;
}

int policy_parse(const json_t *j, struct arena *mem, struct policy **ret,
		 struct err *e)
{
	struct policy *p = policy_new(mem);
	const json_t *item;
	size_t i;

	if (!json_is_array(j))
		return err_set(e, 0, "read policy: not a list of items");
	json_array_foreach (j, i, item) {
		const enum field_id f = field_find(json_str(item, "field"));

		if (f == FIELD__MAX)
			return err_set(e, 0,
				       "read policy: item %zu: no field \"%s\"",
				       i, json_str(item, "field"));
		policy_add(p, f, json_str(item, "key"),
			   json_str(item, "value"));
	}
	policy_sort(p);
	*ret = p;
	return 0;
}

/* cgroup-v2.rst of the kernel's documentation, "IO Interface Files". */
static const struct {
	enum field_id field;
	const char *word;
} io_rows[] = {
	{ FIELD_IO_RBPS, "rbps" },
	{ FIELD_IO_WBPS, "wbps" },
	{ FIELD_IO_RIOPS, "riops" },
	{ FIELD_IO_WIOPS, "wiops" },
};

const char *policy_io_word(enum field_id field)
{
	for (size_t i = 0; i < COUNT(io_rows); i++)
		if (io_rows[i].field == field)
			return io_rows[i].word;
	return NULL;
}

enum field_id policy_io_field(const char *word)
{
	for (size_t i = 0; i < COUNT(io_rows); i++)
		if (str_eq(io_rows[i].word, word))
			return io_rows[i].field;
	return FIELD__MAX;
}

const char *policy_relation_name(enum relation r)
{
	static const char *const names[] = {
		[REL_EQUAL] = "equal",   [REL_STRICTER] = "stricter",
		[REL_LOOSER] = "looser", [REL_MISSING] = "missing",
		[REL_EXTRA] = "extra",   [REL_UNSEEN] = "unseen",
	};

	return names[r];
}

/* How much a namespace's sharing lets through: less is stricter. */
static int ns_rank(const char *value)
{
	if (value == NULL)
		return 3;
	if (str_eq(value, "private"))
		return 0;
	if (str_eq(value, "filtered"))
		return 1;
	if (str_starts(value, "shared:"))
		return 2;
	return 3; /* host */
}

static enum relation by_less(const char *expected, const char *observed)
{
	uint64_t a, b;
	struct err e;
	const bool ia = expected == NULL || num_u64(expected, &a, &e) < 0;
	const bool ib = observed == NULL || num_u64(observed, &b, &e) < 0;

	if (ia && ib) /* both without limit, spelled differently */
		return REL_EQUAL;
	if (ia)
		return REL_STRICTER;
	if (ib)
		return REL_LOOSER;
	return b < a ? REL_STRICTER : REL_LOOSER;
}

/* A set's element is there or not; access letters compare letter by letter. */
static enum relation by_set(const char *expected, const char *observed)
{
	if (observed == NULL)
		return REL_STRICTER;
	if (expected == NULL)
		return REL_LOOSER;
	for (const char *c = observed; *c != '\0'; c++)
		if (strchr(expected, *c) == NULL)
			return REL_LOOSER;
	return REL_STRICTER;
}

static enum relation by_rank(int expected, int observed)
{
	if (expected == observed)
		return REL_MISSING; /* shared with another guest than before */
	return observed < expected ? REL_STRICTER : REL_LOOSER;
}

enum relation policy_relate(enum field_id field, const char *expected,
			    const char *observed)
{
	if (str_eq(expected, observed))
		return REL_EQUAL;
	switch (field_get(field)->order) {
	case ORDER_LESS:
		return by_less(expected, observed);
	case ORDER_SET:
		return by_set(expected, observed);
	case ORDER_TRUE:
		return by_rank(!str_eq(expected, "yes"),
			       !str_eq(observed, "yes"));
	case ORDER_NS:
		return by_rank(ns_rank(expected), ns_rank(observed));
	case ORDER_SAME:
		break;
	}
	return expected == NULL ? REL_EXTRA : REL_MISSING;
}

/* it names the item; the values are NULL where a side does not have it. */
static void add_diff(struct policy_diffs *ret, struct arena *mem,
		     const struct policy_item *it, const char *expected,
		     const char *observed)
{
	struct policy_diff d = { .field = it->field,
				 .key = it->key,
				 .expected = expected,
				 .observed = observed };

	d.relation = policy_relate(d.field, d.expected, d.observed);
	if (d.relation == REL_EQUAL)
		ret->n_equal++;
	else
		*vec_add(mem, &ret->list) = d;
}

/* Which of two sorted lists has the next item: below 0 a, above 0 b, 0 both. */
static int next_of(const struct policy *a, size_t i, const struct policy *b,
		   size_t j)
{
	if (j == b->items.n)
		return -1;
	if (i == a->items.n)
		return 1;
	return cmp_items(&a->items.v[i], &b->items.v[j]);
}

void policy_compare(const struct policy *expected,
		    const struct policy *observed, struct arena *mem,
		    struct policy_diffs *ret)
{
	size_t i = 0, j = 0;

	*ret = (struct policy_diffs){ 0 };
	while (i < expected->items.n || j < observed->items.n) {
		const int side = next_of(expected, i, observed, j);

		if (side < 0) {
			const struct policy_item *a = &expected->items.v[i++];

			add_diff(ret, mem, a, a->value, NULL);
		} else if (side > 0) {
			const struct policy_item *b = &observed->items.v[j++];

			add_diff(ret, mem, b, NULL, b->value);
		} else {
			const struct policy_item *a = &expected->items.v[i++];

			add_diff(ret, mem, a, a->value,
				 observed->items.v[j++].value);
		}
	}
}
