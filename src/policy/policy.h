/*
 * The policy: what must hold in the running guest, in canonical form. It has
 * three producers (the guest as read, the emitted text read back, the probes)
 * and one comparator; "equivalent" is a function.
 *
 * An item is (field, key) -> value, all text: ("limit.memory", "",
 * "536870912"), ("cap.bounding", "net_raw", "yes"), ("device.access",
 * "c 10:200", "rwm"). Fields that are sets (ORDER_SET lists, capabilities)
 * give one item an element with value "yes"; an absent element is absent.
 * Items are sorted by area, field, key.
 */
#ifndef REHOST_POLICY_POLICY_H
#define REHOST_POLICY_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/field.h"

struct policy_item {
	enum field_id field;
	const char *key;
	const char *value;
};

struct policy {
	struct arena *mem;
	VEC(struct policy_item) items; /* sorted after policy_sort */
};

struct policy *policy_new(struct arena *mem);

/*
 * Adds an item; a second one of the same field and key replaces the first.
 * Strings are copied. Fields of AREA_NONE are left out. The label "unconfined"
 * is "none".
 */
void policy_add(struct policy *p, enum field_id field, const char *key,
		const char *value);
void policy_remove(struct policy *p, enum field_id field, const char *key);
void policy_sort(struct policy *p);
/* The value, or NULL when there is no such item. */
const char *policy_get(const struct policy *p, enum field_id field,
		       const char *key);

/* [{"area","field","key","value"}...] and back. */
json_t *policy_json(const struct policy *p);
int policy_parse(const json_t *j, struct arena *mem, struct policy **ret,
		 struct err *e);

enum relation {
	REL_EQUAL,
	REL_STRICTER,
	REL_LOOSER,
	REL_MISSING, /* expected, not there, and not comparable by strictness */
	REL_EXTRA,   /* there, not expected, likewise */
	REL_UNSEEN,  /* could not be looked at; only probes make these */
};

/* The word of a limit in the v2 file io.max ("rbps"), or NULL; and back. */
const char *policy_io_word(enum field_id field);
enum field_id policy_io_field(const char *word);

const char *policy_relation_name(enum relation r);

/* How a value compares; NULL is "no such item". Both NULL are equal. */
enum relation policy_relate(enum field_id field, const char *expected,
			    const char *observed);

struct policy_diff {
	enum field_id field;
	const char *key;
	const char *expected, *observed; /* NULL: no such item */
	enum relation relation;
};

struct policy_diffs {
	VEC(struct policy_diff) list; /* those that are not equal, sorted */
	size_t n_equal;
};

/*
 * Compares item by item. For ORDER_SET fields an element too many is looser,
 * one too few stricter; a limit that is absent is looser than any; NS and
 * TRUE as fields.def says; what has no order is missing, extra, or (both
 * there, different) missing with both values shown.
 */
void policy_compare(const struct policy *expected,
		    const struct policy *observed, struct arena *mem,
		    struct policy_diffs *ret);

#endif
