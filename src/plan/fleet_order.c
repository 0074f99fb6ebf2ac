/*
 * The order of starting. A guest comes one place after the last one that it
 * depends on; names that lead nowhere, and circles, are cut out and told.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/fleet_order.h"

struct edge {
	size_t from, to; /* from depends on to */
	const char *name;
	bool cut;
};

struct graph {
	struct arena *mem; /* of the graph; bad lists live in the fleet's */
	struct member *const *v;
	size_t n;
	struct {
		struct edge *v;
		size_t n, cap;
	} edges;
	bool *open;   /* of a member: waits, or is waited for, for ever */
	bool *waited; /* of a member: another one names it */
};

/* The tools name a guest by its directory: the id. */
static bool find(const struct graph *g, size_t from, const char *name,
		 size_t *ret)
{
	for (size_t i = 0; i < g->n; i++) {
		if (!str_eq(g->v[i]->id, name) ||
		    !str_eq(g->v[i]->host, g->v[from]->host) ||
		    !str_eq(g->v[i]->kind, g->v[from]->kind))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static void bad(struct member *m, struct arena *mem, const char *name,
		const char *why)
{
	strv_add(mem, &m->bad,
		 arena_printf(mem, "\"%s\", %s",
			      str_show(mem, name, strlen(name), 80), why));
}

static void add_edges(struct graph *g, size_t from, struct arena *mem)
{
	struct member *m = g->v[from];

	for (size_t i = 0; i < m->depends.n; i++) {
		size_t to;

		if (!find(g, from, m->depends.v[i], &to)) {
			bad(m, mem, m->depends.v[i],
			    "which is no guest of this host");
			continue;
		}
		if (to == from) {
			bad(m, mem, m->depends.v[i], "which is itself");
			continue;
		}
		g->waited[to] = true;
		*vec_add(g->mem, &g->edges) = (struct edge){
			.from = from, .to = to, .name = m->depends.v[i]
		};
	}
}

/*
 * Closes every member that has no open one before it (forward: that it
 * depends on; else: that depends on it). What stays open lies on a circle or
 * between two.
 */
static void close_all(struct graph *g, bool forward)
{
	bool *blocked = arena_alloc(g->mem, g->n * sizeof(*blocked));
	bool changed = true;

	while (changed) {
		changed = false;
		memset(blocked, 0, g->n * sizeof(*blocked));
		for (size_t i = 0; i < g->edges.n; i++) {
			const struct edge *e = &g->edges.v[i];

			if (g->open[e->from] && g->open[e->to])
				blocked[forward ? e->from : e->to] = true;
		}
		for (size_t i = 0; i < g->n; i++) {
			if (!g->open[i] || blocked[i])
				continue;
			g->open[i] = false;
			changed = true;
		}
	}
}

static void cut_circles(struct graph *g, struct arena *mem)
{
	for (size_t i = 0; i < g->n; i++)
		g->open[i] = true;
	close_all(g, true);
	close_all(g, false);
	for (size_t i = 0; i < g->edges.n; i++) {
		struct edge *e = &g->edges.v[i];

		e->cut = g->open[e->from] && g->open[e->to];
		if (e->cut)
			bad(g->v[e->from], mem, e->name,
			    "which depends on this guest in its turn");
	}
}

/* Without circles this ends: no place is higher than the number of guests. */
static void number(struct graph *g)
{
	bool changed = true;

	for (size_t i = 0; i < g->n; i++)
		if (g->waited[i] || g->v[i]->depends.n != g->v[i]->bad.n)
			g->v[i]->order = 1;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < g->edges.n; i++) {
			const struct edge *e = &g->edges.v[i];
			const long least = g->v[e->to]->order + 1;

			if (e->cut || g->v[e->from]->order >= least)
				continue;
			g->v[e->from]->order = least;
			changed = true;
		}
	}
}

void fleet_order_settle(struct member *const *v, size_t n, struct arena *mem)
{
	struct arena *scratch CLEANUP(arena_freep) = arena_new();
	struct graph g = { .mem = scratch, .v = v, .n = n };

	g.open = arena_alloc(scratch, n * sizeof(*g.open));
	g.waited = arena_alloc(scratch, n * sizeof(*g.waited));
	for (size_t i = 0; i < n; i++)
		add_edges(&g, i, mem);
	if (g.edges.n == 0)
		return;
	cut_circles(&g, mem);
	number(&g);
}
