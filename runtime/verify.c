/* Three policies, one verdict. */
#include <stdlib.h>
#include <string.h>

#include "runtime/verify.h"

static const char *const verdicts[VERIFIED__MAX] = {
	[VERIFIED_FAILED] = "failed",
	[VERIFIED_DIFFERENT] = "different",
	[VERIFIED_INCOMPLETE] = "incomplete",
	[VERIFIED_ANNOUNCED] = "announced",
	[VERIFIED_ACCEPTED] = "accepted",
	[VERIFIED_EQUIVALENT] = "equivalent",
};

const char *verify_verdict_name(enum verify_verdict v)
{
	return verdicts[v];
}

enum verify_verdict verify_verdict_find(const char *name)
{
	enum verify_verdict v = 0;

	while (v < VERIFIED__MAX && !str_eq(verdicts[v], name))
		v++;
	return v;
}

const char *verify_isolation_name(enum verify_isolation i)
{
	static const char *const names[VERIFIED_IS__MAX] = {
		[VERIFIED_IS_EQUAL] = "equal",
		[VERIFIED_IS_STRICTER] = "stricter",
		[VERIFIED_IS_WEAKER] = "weaker",
		[VERIFIED_IS_UNPROVEN] = "unproven",
	};

	return names[i];
}

/* Every (field, key) that one of the three has, or that could not be seen. */
static struct policy *all_items(const struct verify_package *p,
				const struct verify_seen *s, struct arena *mem)
{
	const struct policy *const from[] = { p->before, p->planned,
					      s->observed };
	struct policy *all = policy_new(mem);

	for (size_t i = 0; i < COUNT(from); i++)
		for (size_t j = 0; j < from[i]->items.n; j++)
			policy_add(all, from[i]->items.v[j].field,
				   from[i]->items.v[j].key, "");
	policy_sort(all);
	return all;
}

static const struct verify_unseen *unseen_of(const struct verify_seen *s,
					     const struct policy_item *it)
{
	for (size_t i = 0; i < s->unseen.n; i++) {
		const struct verify_unseen *u = &s->unseen.v[i];

		if (u->field == it->field &&
		    (u->key == NULL || str_eq(u->key, it->key)))
			return u;
	}
	return NULL;
}

static const struct verify_announced *
announced_of(const struct verify_package *p, const struct policy_item *it)
{
	for (size_t i = 0; i < p->announced.n; i++) {
		const struct verify_announced *a = &p->announced.v[i];

		if (a->field == it->field && str_eq(a->key, it->key))
			return a;
	}
	return NULL;
}

static const char *item_name(struct arena *mem, enum field_id field,
			     const char *key)
{
	if (key[0] == '\0')
		return field_get(field)->name;
	return arena_printf(mem, "%s %s", field_get(field)->name, key);
}

/* A difference that is planned counts as announced only with a finding. */
static void relate(struct verify_check *c, enum field_id field)
{
	const bool met = policy_relate(field, c->expected, c->observed) ==
			 REL_EQUAL;

	c->planned = policy_relate(field, c->before, c->expected);
	if (c->planned != REL_EQUAL && c->announced == NULL)
		c->surprise = true;
	if (c->planned == REL_EQUAL)
		c->announced = NULL;
	if (c->reason != NULL) {
		c->relation = REL_UNSEEN;
		c->observed = NULL;
	} else if (met) {
		c->relation = c->planned;
	} else {
		c->relation = policy_relate(field, c->expected, c->observed);
		c->surprise = true;
		c->announced = NULL;
	}
}

/* What could not be looked at; of a stand-in what was asked for is known. */
static void take_unseen(struct verify_check *c, const struct verify_unseen *u)
{
	if (u->asked == NULL) {
		c->reason = u->reason;
	} else if (str_eq(u->asked, c->expected)) {
		c->reason = u->reason;
		c->required = false;
	} else {
		c->observed = u->asked;
	}
}

static void judge_item(const struct verify_package *p,
		       const struct verify_seen *s,
		       const struct verify_look *look,
		       const struct policy_item *it, struct verify_check *c)
{
	const struct verify_unseen *unseen = unseen_of(s, it);

	*c = (struct verify_check){
		.area = field_get(it->field)->area,
		.before = policy_get(p->before, it->field, it->key),
		.recorded = p->recorded == NULL ?
				    NULL :
				    policy_get(p->recorded, it->field, it->key),
		.expected = policy_get(p->planned, it->field, it->key),
		.observed = policy_get(s->observed, it->field, it->key),
		.announced = announced_of(p, it),
		.probe = look->probe,
	};
	/* what the configuration does not ask for cannot be missed */
	c->required = look->required && c->expected != NULL;
	if (unseen != NULL)
		take_unseen(c, unseen);
	relate(c, it->field);
}

/* A failed service that the operator knows is no surprise. */
static void accept_service(const struct verify_package *p, struct arena *mem,
			   struct verify_check *c)
{
	struct verify_announced *a;

	if (p->failed_accepted == NULL)
		return;
	a = arena_alloc(mem, sizeof(*a));
	strv_add(mem, &a->codes, VERIFY_FAILED_SERVICE);
	a->accepted = p->failed_accepted;
	c->announced = a;
	c->surprise = false;
}

static void judge_fact(const struct verify_package *p,
		       const struct verify_fact *f, struct arena *mem,
		       struct verify_check *c)
{
	*c = (struct verify_check){
		.area = f->area,
		.item = f->item,
		.before = f->expected,
		.expected = f->expected,
		.observed = f->reason == NULL ? f->observed : NULL,
		.reason = f->reason,
		.required = !f->optional,
		.probe = f->probe,
	};
	if (f->reason != NULL)
		c->relation = REL_UNSEEN;
	else if (str_eq(f->expected, f->observed))
		c->relation = REL_EQUAL;
	else if (f->grants)
		c->relation = str_eq(f->observed, "yes") ? REL_LOOSER :
							   REL_STRICTER;
	else
		c->relation = f->expected == NULL ? REL_EXTRA : REL_MISSING;
	c->surprise = f->reason == NULL && c->relation != REL_EQUAL;
	c->service = f->service && c->surprise;
	if (c->service)
		accept_service(p, mem, c);
}

static bool is_less(enum relation r)
{
	return r == REL_LOOSER || r == REL_MISSING || r == REL_EXTRA;
}

/* Of what was not seen only the plan is known. */
static enum relation known(const struct verify_check *c)
{
	return c->relation == REL_UNSEEN ? c->planned : c->relation;
}

static enum verify_verdict ladder(const struct verify_package *p,
				  const struct verify_result *r)
{
	enum verify_verdict v = VERIFIED_EQUIVALENT;

	if (p->machine)
		v = p->machine_accepted != NULL ? VERIFIED_ACCEPTED :
						  VERIFIED_ANNOUNCED;
	for (size_t i = 0; i < r->checks.n; i++) {
		const struct verify_check *c = &r->checks.v[i];
		enum verify_verdict now = VERIFIED_EQUIVALENT;

		if (c->surprise)
			now = VERIFIED_DIFFERENT;
		else if (c->relation == REL_UNSEEN && c->required)
			now = VERIFIED_INCOMPLETE;
		else if (is_less(known(c)))
			now = c->announced != NULL &&
					      c->announced->accepted != NULL ?
				      VERIFIED_ACCEPTED :
				      VERIFIED_ANNOUNCED;
		if (now < v)
			v = now;
	}
	return v;
}

/* Areas where a value without order may confine more or less. */
static bool confines(enum area a)
{
	return a == AREA_NAMESPACES || a == AREA_IDS || a == AREA_LSM ||
	       a == AREA_SECCOMP || a == AREA_KERNEL || a == AREA_DEVICES;
}

static enum verify_isolation isolation_of(const struct verify_check *c)
{
	const enum relation r = known(c);

	if (r == REL_LOOSER || r == REL_EXTRA)
		return VERIFIED_IS_WEAKER;
	if (c->relation == REL_UNSEEN && c->required)
		return VERIFIED_IS_UNPROVEN;
	if (r == REL_MISSING && confines(c->area))
		return VERIFIED_IS_UNPROVEN;
	return r == REL_STRICTER ? VERIFIED_IS_STRICTER : VERIFIED_IS_EQUAL;
}

static enum verify_isolation isolation(const struct verify_package *p,
				       const struct verify_result *r)
{
	bool seen[VERIFIED_IS__MAX] = { false };

	seen[VERIFIED_IS_WEAKER] = p->machine;
	for (size_t i = 0; i < r->checks.n; i++)
		seen[isolation_of(&r->checks.v[i])] = true;
	if (seen[VERIFIED_IS_WEAKER])
		return VERIFIED_IS_WEAKER;
	if (seen[VERIFIED_IS_UNPROVEN])
		return VERIFIED_IS_UNPROVEN;
	return seen[VERIFIED_IS_STRICTER] ? VERIFIED_IS_STRICTER :
					    VERIFIED_IS_EQUAL;
}

static int cmp_checks(const void *a, const void *b)
{
	const struct verify_check *x = a, *y = b;

	if (x->area != y->area)
		return x->area < y->area ? -1 : 1;
	return strcmp(x->item, y->item);
}

static void add_all(const struct verify_package *p, const struct verify_seen *s,
		    const struct verify_look look[FIELD__MAX],
		    struct arena *mem, struct verify_result *r)
{
	const struct policy *all = all_items(p, s, mem);

	for (size_t i = 0; i < all->items.n; i++) {
		const struct policy_item *it = &all->items.v[i];
		struct verify_check *c = vec_add(mem, &r->checks);

		judge_item(p, s, &look[it->field], it, c);
		c->item = item_name(mem, it->field, it->key);
	}
	for (size_t i = 0; i < s->facts.n; i++)
		judge_fact(p, &s->facts.v[i], mem, vec_add(mem, &r->checks));
}

/* The verdicts, of the checks as they are now. */
static void conclude(const struct verify_package *p, struct verify_result *r)
{
	memset(r->counts, 0, sizeof(r->counts));
	r->surprises = r->drifts = 0;
	for (size_t i = 0; i < r->checks.n; i++) {
		const struct verify_check *c = &r->checks.v[i];

		r->surprises += c->surprise;
		if (c->drift)
			r->drifts++;
		else
			r->counts[c->relation]++;
	}
	r->verdict = ladder(p, r);
	r->isolation = isolation(p, r);
}

void verify_judge(const struct verify_package *p, const struct verify_seen *s,
		  const struct verify_look look[FIELD__MAX], struct arena *mem,
		  struct verify_result *ret)
{
	struct verify_result r = { .verdict = VERIFIED_FAILED,
				   .isolation = VERIFIED_IS_UNPROVEN };

	if (s->failed == NULL) {
		add_all(p, s, look, mem, &r);
		if (r.checks.n > 1)
			qsort(r.checks.v, r.checks.n, sizeof(*r.checks.v),
			      cmp_checks);
		conclude(p, &r);
	}
	*ret = r;
}

static bool same_field(const char *a, const char *b)
{
	const size_t n = strcspn(a, " ");

	return n == strcspn(b, " ") && strncmp(a, b, n) == 0;
}

/* What the record does not name was not there, if it saw the field at all. */
static bool was_seen(const struct verify_baseline *b, const char *item)
{
	bool seen = true;

	for (size_t i = 0; i < b->items.n; i++) {
		const struct verify_recorded *it = &b->items.v[i];

		if (str_eq(it->item, item))
			return it->seen;
		if (!it->seen && same_field(it->item, item))
			seen = false;
	}
	return seen;
}

void verify_drift(const struct verify_baseline *b,
		  const struct verify_package *p, struct verify_result *r)
{
	for (size_t i = 0; i < r->checks.n; i++) {
		struct verify_check *c = &r->checks.v[i];

		if (c->relation == REL_UNSEEN)
			c->required = false;
		c->drift = c->surprise && was_seen(b, c->item);
	}
	conclude(p, r);
	if (b->verdict < r->verdict)
		r->verdict = b->verdict;
}
