/* The stable key of a guest. */
#include "source.h"

char *source_key(struct arena *mem, const struct source *s)
{
	return arena_printf(mem, "%s/%s:%s", s->host->name, s->kind, s->id);
}
