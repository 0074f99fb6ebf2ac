/* Setters of the model while reading. */
#include <assert.h>

#include "take.h"

static void add_part(struct reading *r, enum field_id f, const void *object,
		     bool together)
{
	struct setting *s = r->cur;

	for (size_t i = 0; i < s->parts.n; i++)
		if (s->parts.v[i].field == f && s->parts.v[i].object == object)
			return;
	*vec_add(r->g->mem, &s->parts) = (struct setting_part){
		.field = f,
		.object = object,
		.together = together,
	};
}

/* The current setting's origin, in v; the setting takes part in the field. */
static void take(struct reading *r, enum field_id f, void *object,
		 struct value v, bool together)
{
	v.from = &r->cur->from;
	v.type = field_get(f)->type;
	add_part(r, f, object, together);
	field_set(f, object, &v);
}

void take_bool(struct reading *r, enum field_id f, void *object, bool v)
{
	assert(field_get(f)->type == VALUE_BOOL);
	take(r, f, object, (struct value){ .b = v }, false);
}

void take_u64(struct reading *r, enum field_id f, void *object, uint64_t v)
{
	assert(field_get(f)->type == VALUE_U64);
	take(r, f, object, (struct value){ .u = v }, false);
}

void take_i64(struct reading *r, enum field_id f, void *object, int64_t v)
{
	assert(field_get(f)->type == VALUE_I64);
	take(r, f, object, (struct value){ .i = v }, false);
}

void take_limit(struct reading *r, enum field_id f, void *object, uint64_t v)
{
	assert(field_get(f)->type == VALUE_LIMIT);
	take(r, f, object, (struct value){ .u = v }, false);
}

void take_unlimited(struct reading *r, enum field_id f, void *object)
{
	assert(field_get(f)->type == VALUE_LIMIT);
	take(r, f, object, (struct value){ .b = true }, false);
}

void take_str(struct reading *r, enum field_id f, void *object, const char *v)
{
	assert(field_get(f)->type == VALUE_STR);
	take(r, f, object, (struct value){ .s = arena_strdup(r->g->mem, v) },
	     false);
}

/* A copy of the list, so that growing it does not change older holders. */
static struct strv copy_list(struct arena *mem, const struct strv *old)
{
	struct strv l = { 0 };

	for (size_t i = 0; i < old->n; i++)
		strv_add(mem, &l, old->v[i]);
	return l;
}

void take_element(struct reading *r, enum field_id f, void *object,
		  const char *v)
{
	const struct value old = field_value(f, object);
	struct strv l = { 0 };

	assert(field_get(f)->type == VALUE_STRV);
	if (old.from != NULL && old.from->kind == r->cur->from.kind)
		l = copy_list(r->g->mem, old.l);
	strv_add(r->g->mem, &l, arena_strdup(r->g->mem, v));
	take(r, f, object, (struct value){ .l = &l }, true);
}

void take_caps(struct reading *r, enum field_id f, void *object, uint64_t bits,
	       bool on)
{
	const struct value old = field_value(f, object);
	uint64_t set = old.from == NULL ? 0 : old.u;

	assert(field_get(f)->type == VALUE_CAPS);
	set = on ? set | bits : set & ~bits;
	take(r, f, object, (struct value){ .u = set }, true);
}

void take_part(struct reading *r, enum field_id f, const void *object)
{
	add_part(r, f, object, true);
}

struct nic *take_nic(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->nics);
}

struct addr *take_addr(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->addrs);
}

struct route *take_route(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->routes);
}

struct mount *take_mount(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->mounts);
}

struct device *take_device(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->devices);
}

struct rlimit_rule *take_rlimit(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->rlimits);
}

struct sysctl *take_sysctl(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->sysctls);
}

struct env *take_env(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->envs);
}

struct hook *take_hook(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->hooks);
}

struct disk *take_disk(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->disks);
}

struct io_limit *take_io(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->ios);
}

struct idmap *take_idmap(struct reading *r)
{
	return pvec_add(r->g->mem, &r->g->idmaps);
}
