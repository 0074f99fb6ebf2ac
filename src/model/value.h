/*
 * Values that know whether they are there. Absent (from == NULL), zero, and
 * "without limit" are three things; none is a magic number.
 */
#ifndef REHOST_MODEL_VALUE_H
#define REHOST_MODEL_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/origin.h"

struct opt_bool {
	const struct origin *from;
	bool v;
};

struct opt_u64 {
	const struct origin *from;
	uint64_t v;
};

struct opt_i64 {
	const struct origin *from;
	int64_t v;
};

struct opt_limit {
	const struct origin *from;
	bool none; /* explicitly without limit; v means nothing then */
	uint64_t v;
};

struct opt_str {
	const struct origin *from;
	const char *v;
};

struct opt_strv { /* an ordered list; the origin of the last element */
	const struct origin *from;
	struct strv v;
};

struct opt_caps { /* a set of capabilities, base/cap.h */
	const struct origin *from;
	uint64_t v;
};

enum value_type {
	VALUE_BOOL,
	VALUE_U64,
	VALUE_I64,
	VALUE_LIMIT,
	VALUE_STR,
	VALUE_STRV,
	VALUE_CAPS,
};

/* One value of any type, seen from outside (field_get). */
struct value {
	enum value_type type;
	const struct origin *from; /* NULL: absent */
	bool b;                    /* VALUE_BOOL; VALUE_LIMIT: without limit */
	uint64_t u;                /* VALUE_U64, VALUE_LIMIT, VALUE_CAPS */
	int64_t i;                 /* VALUE_I64 */
	const char *s;             /* VALUE_STR */
	const struct strv *l;      /* VALUE_STRV */
};

/*
 * Canonical text: "yes"/"no", decimal numbers, "unlimited", the string, list
 * elements joined by a blank, capability names joined by a blank. In mem.
 */
char *value_show(struct arena *mem, const struct value *v);

#endif
