/*
 * Where a guest of OpenVZ names an alias of venet0. The interface keeps its
 * name, so that firewall rules and panels that say "venet0" go on working; the
 * aliases venet0:0, venet0:1 ... of its addresses are not made any more, and
 * panels (cPanel's ETHDEV, Plesk) and scripts name those. Reference: openvz.md
 * 6.4.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "plan/look.h"

enum {
	FILE_MAX = 256 << 10, /* bytes of a file that is read */
	FILES_MAX = 4096,     /* read of /etc */
	FOUND_MAX = 50,       /* files named */
};

struct venet_search {
	struct plan *p;
	unsigned files, found;
};

/* The guest's own set-up of the interface: edits deal with it. */
static bool is_network_file(const char *path)
{
	return str_starts(path, "network/") ||
	       str_starts(path, "sysconfig/network") ||
	       strstr(path, "venet0") != NULL || str_starts(path, "conf.d/net");
}

static void search(struct venet_search *s, const char *path, const char *text,
		   size_t n)
{
	struct slice rest = { text, n }, line;
	unsigned number = 0;
	struct origin *at;

	while (slice_next(&rest, '\n', &line)) {
		static const char word[] = "venet0:";
		const struct slice l = slice_trim(line);

		number++;
		if (l.n == 0 || l.p[0] == '#' ||
		    memmem(l.p, l.n, word, strlen(word)) == NULL)
			continue;
		at = arena_alloc(s->p->g->mem, sizeof(*at));
		*at = *look_origin(s->p, path, NULL);
		at->line = number;
		finding_add(s->p->g, FIND_INI_APP, NULL, at,
			    "names an alias of venet0, which is not made any "
			    "more: %s",
			    str_show(s->p->g->mem, l.p, l.n, 80));
		s->found++;
		return;
	}
}

static int visit(void *arg, const char *path, const struct tree_stat *st,
		 struct err *e)
{
	struct venet_search *s = arg;
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *full, *text;
	struct err why;
	size_t n;

	(void)e;
	if (st == NULL || !S_ISREG(st->mode) || st->size > FILE_MAX ||
	    is_network_file(path))
		return 0;
	if (s->files++ >= FILES_MAX || s->found >= FOUND_MAX)
		return -1;
	full = arena_printf(mem, "/etc/%s", path);
	if (tree_read(s->p->root, full, FILE_MAX, mem, &text, &n, &why) == 0)
		search(s, arena_strdup(s->p->g->mem, full), text, n);
	return 0;
}

void look_venet(struct plan *p)
{
	struct venet_search s = { .p = p };
	struct err e;

	if (str_eq(p->g->kind, "openvz") && p->g->addrs.n != 0)
		(void)tree_walk(p->root, "/etc", true, visit, &s, &e);
}
