/* Values as canonical text. */
#include <inttypes.h>

#include "base/cap.h"
#include "model/value.h"

char *value_show(struct arena *mem, const struct value *v)
{
	switch (v->type) {
	case VALUE_BOOL:
		return arena_strdup(mem, v->b ? "yes" : "no");
	case VALUE_U64:
		return arena_printf(mem, "%" PRIu64, v->u);
	case VALUE_I64:
		return arena_printf(mem, "%" PRIi64, v->i);
	case VALUE_LIMIT:
		if (v->b)
			return arena_strdup(mem, "unlimited");
		return arena_printf(mem, "%" PRIu64, v->u);
	case VALUE_STR:
		return arena_strdup(mem, v->s);
	case VALUE_STRV:
		return strv_join(mem, v->l, " ");
	case VALUE_CAPS:
		return cap_show(mem, v->u, " ");
	}
	return arena_strdup(mem, "?");
}
