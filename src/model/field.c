/*
 * Reflection over the model: fields.def makes the array in which offsetof
 * gives the place of a member and _Generic its type, so that a row cannot
 * disagree with the struct.
 */
#include <assert.h>

#include "base/str.h"
#include "model/field.h"
#include "model/guest.h"

/* clang-format off: it spoils _Generic */
#define TYPE_OF(type, member)                                                  \
	_Generic(((struct type *)0)->member, struct opt_bool                   \
		 : VALUE_BOOL, struct opt_u64                                  \
		 : VALUE_U64, struct opt_i64                                   \
		 : VALUE_I64, struct opt_limit                                 \
		 : VALUE_LIMIT, struct opt_str                                 \
		 : VALUE_STR, struct opt_strv                                  \
		 : VALUE_STRV, struct opt_caps                                 \
		 : VALUE_CAPS)
/* clang-format on */

#define FIELD(id_, name_, scope_, type_, member_, unit_, area_, order_, text_) \
	[FIELD_##id_] = {                                                      \
		.name = (name_),                                               \
		.scope = SCOPE_##scope_,                                       \
		.type = TYPE_OF(type_, member_),                               \
		.offset = offsetof(struct type_, member_),                     \
		.unit = UNIT_##unit_,                                          \
		.area = AREA_##area_,                                          \
		.order = ORDER_##order_,                                       \
		.text = (text_),                                               \
	},
static const struct field fields[FIELD__MAX] = {
#include "model/fields.def"
};
#undef FIELD

static const char *const unit_names[] = {
	[UNIT_TEXT] = "text",       [UNIT_PATH] = "path",
	[UNIT_FLAG] = "yes or no",  [UNIT_COUNT] = "count",
	[UNIT_BYTES] = "bytes",     [UNIT_SECONDS] = "seconds",
	[UNIT_WEIGHT] = "weight",   [UNIT_MICROSECONDS] = "microseconds",
	[UNIT_PERCENT] = "percent", [UNIT_OCTAL] = "octal",
};

static const char *const area_names[AREA__MAX] = {
	[AREA_NONE] = "none",
	[AREA_NETWORK] = "network",
	[AREA_DEVICES] = "devices",
	[AREA_CAPABILITIES] = "capabilities",
	[AREA_NAMESPACES] = "namespaces",
	[AREA_IDS] = "ids",
	[AREA_LSM] = "lsm",
	[AREA_SECCOMP] = "seccomp",
	[AREA_KERNEL] = "kernel",
	[AREA_LIMITS] = "limits",
	[AREA_MOUNTS] = "mounts",
	[AREA_IDENTITY] = "identity",
	[AREA_BOOT] = "boot",
	[AREA_DATA] = "data",
};

/* The name of a scope and the field that names its items. */
static const struct {
	const char *name;
	enum field_id key;
} scopes[SCOPE__MAX] = {
	[SCOPE_GUEST] = { "", FIELD__MAX },
	[SCOPE_NIC] = { "nic", FIELD_NIC_NAME },
	[SCOPE_ADDR] = { "addr", FIELD_ADDR_IP },
	[SCOPE_ROUTE] = { "route", FIELD_ROUTE_DEST },
	[SCOPE_MOUNT] = { "mount", FIELD_MOUNT_TARGET },
	[SCOPE_DEVICE] = { "device", FIELD_DEVICE_RULE },
	[SCOPE_RLIMIT] = { "rlimit", FIELD_RLIMIT_NAME },
	[SCOPE_SYSCTL] = { "sysctl", FIELD_SYSCTL_NAME },
	[SCOPE_ENV] = { "env", FIELD_ENV_NAME },
	[SCOPE_HOOK] = { "hook", FIELD_HOOK_PATH },
	[SCOPE_DISK] = { "disk", FIELD_DISK_PATH },
	[SCOPE_IO] = { "io", FIELD_IO_DEVICE },
	[SCOPE_IDMAP] = { "idmap", FIELD_IDMAP_KIND },
};

const struct field *field_get(enum field_id id)
{
	return &fields[id];
}

enum field_id field_find(const char *name)
{
	for (unsigned i = 0; i < FIELD__MAX; i++)
		if (str_eq(fields[i].name, name))
			return i;
	return FIELD__MAX;
}

const char *field_unit_name(enum unit u)
{
	return unit_names[u];
}

const char *field_area_name(enum area a)
{
	return area_names[a];
}

const char *field_scope_name(enum scope s)
{
	return scopes[s].name;
}

enum field_id field_key(enum scope s)
{
	return scopes[s].key;
}

struct value field_value(enum field_id id, const void *object)
{
	const struct field *f = &fields[id];
	const char *at = (const char *)object + f->offset;
	struct value v = { .type = f->type };

	switch (f->type) {
	case VALUE_BOOL:
		v.from = ((const struct opt_bool *)(const void *)at)->from;
		v.b = ((const struct opt_bool *)(const void *)at)->v;
		break;
	case VALUE_U64:
		v.from = ((const struct opt_u64 *)(const void *)at)->from;
		v.u = ((const struct opt_u64 *)(const void *)at)->v;
		break;
	case VALUE_I64:
		v.from = ((const struct opt_i64 *)(const void *)at)->from;
		v.i = ((const struct opt_i64 *)(const void *)at)->v;
		break;
	case VALUE_LIMIT:
		v.from = ((const struct opt_limit *)(const void *)at)->from;
		v.b = ((const struct opt_limit *)(const void *)at)->none;
		v.u = ((const struct opt_limit *)(const void *)at)->v;
		break;
	case VALUE_STR:
		v.from = ((const struct opt_str *)(const void *)at)->from;
		v.s = ((const struct opt_str *)(const void *)at)->v;
		break;
	case VALUE_STRV:
		v.from = ((const struct opt_strv *)(const void *)at)->from;
		v.l = &((const struct opt_strv *)(const void *)at)->v;
		break;
	case VALUE_CAPS:
		v.from = ((const struct opt_caps *)(const void *)at)->from;
		v.u = ((const struct opt_caps *)(const void *)at)->v;
		break;
	}
	return v;
}

static void store(const struct field *f, void *at, const struct value *v)
{
	switch (f->type) {
	case VALUE_BOOL:
		*(struct opt_bool *)at = (struct opt_bool){ v->from, v->b };
		break;
	case VALUE_U64:
		*(struct opt_u64 *)at = (struct opt_u64){ v->from, v->u };
		break;
	case VALUE_I64:
		*(struct opt_i64 *)at = (struct opt_i64){ v->from, v->i };
		break;
	case VALUE_LIMIT:
		*(struct opt_limit *)at =
			(struct opt_limit){ v->from, v->b, v->u };
		break;
	case VALUE_STR:
		*(struct opt_str *)at = (struct opt_str){ v->from, v->s };
		break;
	case VALUE_STRV:
		*(struct opt_strv *)at = (struct opt_strv){ v->from, *v->l };
		break;
	case VALUE_CAPS:
		*(struct opt_caps *)at = (struct opt_caps){ v->from, v->u };
		break;
	}
}

bool field_set(enum field_id id, void *object, const struct value *v)
{
	const struct value old = field_value(id, object);

	assert(v->from != NULL && v->type == fields[id].type);
	if (old.from != NULL && old.from->kind > v->from->kind &&
	    v->from->because != old.from)
		return false;
	store(&fields[id], (char *)object + fields[id].offset, v);
	return true;
}

void field_clear(enum field_id id, void *object)
{
	static const struct strv empty;
	const struct value absent = { .type = fields[id].type, .l = &empty };

	store(&fields[id], (char *)object + fields[id].offset, &absent);
}

#define LIST(list) (*ret_objects = (void *const *)(list).v, (list).n)

size_t field_objects(const struct guest *g, enum scope s,
		     void *const **ret_objects)
{
	switch (s) {
	case SCOPE_GUEST:
		*ret_objects = NULL; /* the guest is its only object */
		return 1;
	case SCOPE_NIC:
		return LIST(g->nics);
	case SCOPE_ADDR:
		return LIST(g->addrs);
	case SCOPE_ROUTE:
		return LIST(g->routes);
	case SCOPE_MOUNT:
		return LIST(g->mounts);
	case SCOPE_DEVICE:
		return LIST(g->devices);
	case SCOPE_RLIMIT:
		return LIST(g->rlimits);
	case SCOPE_SYSCTL:
		return LIST(g->sysctls);
	case SCOPE_ENV:
		return LIST(g->envs);
	case SCOPE_HOOK:
		return LIST(g->hooks);
	case SCOPE_DISK:
		return LIST(g->disks);
	case SCOPE_IO:
		return LIST(g->ios);
	case SCOPE_IDMAP:
		return LIST(g->idmaps);
	case SCOPE__MAX:
		break;
	}
	*ret_objects = NULL;
	return 0;
}

void *field_object_add(struct guest *g, enum scope s)
{
	switch (s) {
	case SCOPE_NIC:
		return pvec_add(g->mem, &g->nics);
	case SCOPE_ADDR:
		return pvec_add(g->mem, &g->addrs);
	case SCOPE_ROUTE:
		return pvec_add(g->mem, &g->routes);
	case SCOPE_MOUNT:
		return pvec_add(g->mem, &g->mounts);
	case SCOPE_DEVICE:
		return pvec_add(g->mem, &g->devices);
	case SCOPE_RLIMIT:
		return pvec_add(g->mem, &g->rlimits);
	case SCOPE_SYSCTL:
		return pvec_add(g->mem, &g->sysctls);
	case SCOPE_ENV:
		return pvec_add(g->mem, &g->envs);
	case SCOPE_HOOK:
		return pvec_add(g->mem, &g->hooks);
	case SCOPE_DISK:
		return pvec_add(g->mem, &g->disks);
	case SCOPE_IO:
		return pvec_add(g->mem, &g->ios);
	case SCOPE_IDMAP:
		return pvec_add(g->mem, &g->idmaps);
	case SCOPE_GUEST:
	case SCOPE__MAX:
		break;
	}
	return NULL;
}

const void *field_object(const struct guest *g, enum scope s, size_t i)
{
	void *const *objects;

	field_objects(g, s, &objects);
	return objects == NULL ? (const void *)g : objects[i];
}

const char *field_object_key(struct arena *mem, enum scope s,
			     const void *object)
{
	struct value key;

	if (s == SCOPE_GUEST)
		return "";
	key = field_value(scopes[s].key, object);
	if (key.from == NULL)
		return "?";
	if (s == SCOPE_IDMAP) {
		const struct idmap *m = object;

		return arena_printf(mem, "%s %llu", key.s,
				    (unsigned long long)m->inside.v);
	}
	return value_show(mem, &key);
}
