/* A guest begins as nothing: every field absent. */
#include "model/guest.h"

struct guest *guest_new(struct arena *mem)
{
	struct guest *g = arena_alloc(mem, sizeof(*g));

	g->mem = mem;
	return g;
}
