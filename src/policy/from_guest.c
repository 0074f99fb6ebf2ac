/* The one way from a guest to its policy: every field that has an area. */
#include "base/cap.h"
#include "model/guest.h"
#include "policy/from_guest.h"

static void add_caps(struct policy *p, enum field_id id, uint64_t set)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		if ((set & CAP_BIT(bit)) == 0)
			continue;
		if (cap_name(bit) != NULL)
			policy_add(p, id, cap_name(bit), "yes");
		else
			policy_add(p, id, arena_printf(p->mem, "%u", bit),
				   "yes");
	}
}

static void add_value(struct policy *p, enum field_id id, const char *key,
		      const struct value *v)
{
	const struct field *f = field_get(id);

	if (v->type == VALUE_CAPS) {
		add_caps(p, id, v->u);
	} else if (v->type == VALUE_STRV && f->order == ORDER_SET) {
		for (size_t i = 0; i < v->l->n; i++)
			policy_add(p, id, v->l->v[i], "yes");
	} else {
		policy_add(p, id, key, value_show(p->mem, v));
	}
}

struct policy *policy_from_guest(const struct guest *g, struct arena *mem)
{
	struct policy *p = policy_new(mem);

	for (enum field_id id = 0; id < FIELD__MAX; id++) {
		const enum scope scope = field_get(id)->scope;
		void *const *objects;
		const size_t n = field_objects(g, scope, &objects);

		if (field_get(id)->area == AREA_NONE)
			continue;
		for (size_t i = 0; i < n; i++) {
			const void *o = field_object(g, scope, i);
			const struct value v = field_value(id, o);

			if (v.from != NULL)
				add_value(p, id,
					  field_object_key(mem, scope, o), &v);
		}
	}
	policy_sort(p);
	return p;
}
