/*
 * The fields of the model and their reflection: name, unit, place, type.
 * The field is the join key of every table: importers, emitters, policy,
 * probes, documentation.
 */
#ifndef REHOST_MODEL_FIELD_H
#define REHOST_MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "model/value.h"

enum field_id {
#define FIELD(id, name, scope, type, member, unit, area, order, text)          \
	FIELD_##id,
#include "model/fields.def"
#undef FIELD
	FIELD__MAX
};

enum scope {
	SCOPE_GUEST,
	SCOPE_NIC,
	SCOPE_ADDR,
	SCOPE_ROUTE,
	SCOPE_MOUNT,
	SCOPE_DEVICE,
	SCOPE_RLIMIT,
	SCOPE_SYSCTL,
	SCOPE_ENV,
	SCOPE_HOOK,
	SCOPE_DISK,
	SCOPE_IO,
	SCOPE_IDMAP,
	SCOPE__MAX
};

enum unit {
	UNIT_TEXT,
	UNIT_PATH,
	UNIT_FLAG,
	UNIT_COUNT,
	UNIT_BYTES,
	UNIT_SECONDS,
	UNIT_MICROSECONDS,
	UNIT_WEIGHT,
	UNIT_PERCENT,
	UNIT_OCTAL,
};

/* The areas of design 1.4, in the order in which documents list them. */
enum area {
	AREA_NONE,
	AREA_NETWORK,
	AREA_DEVICES,
	AREA_CAPABILITIES,
	AREA_NAMESPACES,
	AREA_IDS,
	AREA_LSM,
	AREA_SECCOMP,
	AREA_KERNEL,
	AREA_LIMITS,
	AREA_MOUNTS,
	AREA_IDENTITY,
	AREA_BOOT,
	AREA_DATA,
	AREA__MAX
};

enum order { ORDER_SAME, ORDER_LESS, ORDER_SET, ORDER_TRUE, ORDER_NS };

struct field {
	const char *name;
	enum scope scope;
	enum value_type type;
	size_t offset; /* of the opt_... member in the scope's struct */
	enum unit unit;
	enum area area;
	enum order order;
	const char *text;
};

struct guest;

const struct field *field_get(enum field_id id);
enum field_id field_find(const char *name); /* FIELD__MAX when none */
const char *field_unit_name(enum unit u);   /* "bytes" */
const char *field_area_name(enum area a);   /* "network" */
const char *field_scope_name(enum scope s); /* "nic"; "" for the guest */

/* The value of a field of an object (the guest, or an item of its lists). */
struct value field_value(enum field_id id, const void *object);

/*
 * Puts a value, with its origin v->from, into an object; strings and lists are
 * borrowed. False, and nothing changed, when the field holds a value of a
 * higher kind of origin - unless v->from->because is that very origin: a value
 * may be replaced by what was derived from it. For take.c and derive.c only
 * (rule 11). v->type must be the field's.
 */
bool field_set(enum field_id id, void *object, const struct value *v);

/* Takes the value away: absent afterwards. For derive.c only. */
void field_clear(enum field_id id, void *object);

/*
 * The objects of a scope: the list's items. SCOPE_GUEST has one object, the
 * guest itself, for which *ret_objects is NULL: field_object gives it.
 */
size_t field_objects(const struct guest *g, enum scope s,
		     void *const **ret_objects);

/* A new item at the list's end; NULL for SCOPE_GUEST, which is no list. */
void *field_object_add(struct guest *g, enum scope s);

/* The i-th object of a scope, the guest itself for SCOPE_GUEST. */
const void *field_object(const struct guest *g, enum scope s, size_t i);

/* The field that names an item of a list: addr.ip, mount.target ... */
enum field_id field_key(enum scope s);

/*
 * The name of an object in findings and policies: "" for the guest, else the
 * value of its key field ("192.0.2.10"); "?" when that is absent. For routes
 * the destination, for id maps "u 0".
 */
const char *field_object_key(struct arena *mem, enum scope s,
			     const void *object);

#endif
