/* A guest begins as nothing: every field absent. */
#include <sys/socket.h>

#include "model/guest.h"

struct guest *guest_new(struct arena *mem)
{
	struct guest *g = arena_alloc(mem, sizeof(*g));

	g->mem = mem;
	return g;
}

const char *guest_broadcast(const struct addr *a, const struct inet_net *net,
			    struct arena *mem)
{
	struct inet_addr brd, set;
	char text[INET_TEXT];
	struct err e;

	if (net->addr.family != AF_INET || !inet_broadcast(net, &brd))
		return NULL;
	if (a->broadcast.from != NULL &&
	    inet_parse(a->broadcast.v, &set, &e) == 0 && set.family == AF_INET)
		brd = set;
	inet_show(&brd, text);
	return arena_strdup(mem, text);
}
