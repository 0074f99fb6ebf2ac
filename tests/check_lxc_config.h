/*
 * A text as the config of an LXC guest beneath an empty root, for the tests and
 * the fuzzer: read whole, and every setting in a bin.
 */
#ifndef REHOST_TESTS_CHECK_LXC_CONFIG_H
#define REHOST_TESTS_CHECK_LXC_CONFIG_H

#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "importers/lxc/lxc.h"

struct lxc_box {
	char dir[32];
	struct arena *mem;
	struct tree *tree;
	struct host host;
	struct source source;
	struct reading *r;
};

static inline int lxc_box_open(struct lxc_box *b, const char *text, size_t n)
{
	struct err e;

	*b = (struct lxc_box){ .dir = "/tmp/check_lxc.XXXXXX",
			       .mem = arena_new() };
	if (mkdtemp(b->dir) == NULL || tree_open_dir(b->dir, &b->tree, &e) < 0)
		return -1;
	b->host = (struct host){ .name = "h", .dir = b->dir, .tree = b->tree };
	b->source = (struct source){ .host = &b->host,
				     .kind = "lxc",
				     .id = "web",
				     .path = "/var/lib/lxc/web/config" };
	b->r = reading_new(guest_new(b->mem), &b->source, importer_find("lxc"));
	b->r->g->kind = "lxc";
	b->r->g->key = "h/lxc:web";
	lxc_begin(b->r, b->source.path);
	lxc_read_text(b->r, text, n);
	return reading_close(b->r, &e);
}

static inline void lxc_box_done(struct lxc_box *b)
{
	tree_close(b->tree);
	rmdir(b->dir);
	arena_free(b->mem);
}

/* A setting that ended nowhere; NULL: all did. */
static inline const struct setting *lxc_box_lost(const struct lxc_box *b)
{
	const struct guest *g = b->r->g;

	for (size_t i = 0; i < g->settings.n; i++) {
		const struct setting *s = g->settings.v[i];

		if (!s->decided && s->parts.n == 0)
			return s;
	}
	for (size_t i = 0; i < g->findings.n; i++)
		if (g->findings.v[i]->id == FIND_SYN_UNACCOUNTED)
			return g->settings.v[0];
	return NULL;
}

#endif
