/* Bins of settings: their names, and whether a value is still theirs. */
#include "setting.h"

const char *setting_bin_name(enum bin b)
{
	static const char *const names[BIN__MAX] = {
		[BIN_CARRIED] = "carried",
		[BIN_APPROXIMATED] = "approximated",
		[BIN_OVERRIDDEN] = "overridden",
		[BIN_DROPPED] = "dropped",
		[BIN_HOSTSIDE] = "hostside",
		[BIN_INERT] = "inert",
		[BIN_INVALID] = "invalid",
		[BIN_UNKNOWN] = "unknown",
		[BIN_UNREADABLE] = "unreadable",
	};

	return names[b];
}

/* Whether the value of a part still comes from this setting. */
bool setting_survives(const struct setting *s, size_t part)
{
	const struct setting_part *p = &s->parts.v[part];
	const struct value v = field_value(p->field, p->object);

	if (v.from == NULL)
		return false;
	if (p->together)
		return v.from->kind <= s->from.kind || v.from == &s->from;
	for (const struct origin *o = v.from; o != NULL; o = o->because)
		if (o == &s->from)
			return true;
	return false;
}
