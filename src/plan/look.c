/*
 * Looking into the guest: what its own tree says about it. This belongs to
 * reading, not to deciding: the source's policy is taken after it.
 */
#include "base/str.h"
#include "plan/look.h"

const struct origin *look_origin(struct plan *p, const char *path,
				 const char *text)
{
	struct origin *o = arena_alloc(p->g->mem, sizeof(*o));

	*o = (struct origin){ .kind = ORIGIN_FILE,
			      .file = arena_printf(p->g->mem, "%s%s",
						   p->g->rootfs.v, path),
			      .key = "rootfs",
			      .text = text };
	return o;
}

const char *look_line(struct plan *p, const char *path)
{
	const char *data;
	struct slice rest, line;
	size_t n;
	struct err e;

	if (tree_read(p->root, path, 65536, p->g->mem, &data, &n, &e) < 0)
		return NULL;
	rest = (struct slice){ data, n };
	if (!slice_next(&rest, '\n', &line))
		return NULL;
	return slice_dup(p->g->mem, slice_trim(line));
}

static void is_empty(struct plan *p)
{
	struct tree_entries list;
	struct err e;

	if (tree_list(p->root, "/", p->g->mem, &list, &e) == 0 && list.n == 0)
		finding_add(p->g, FIND_DSK_EMPTY, NULL, p->g->rootfs.from,
			    "%s is empty", p->g->rootfs.v);
}

/*
 * On demand; and a unified guest that is to be packed, for its copy needs more
 * space than it has now.
 */
static bool is_measured(const struct plan *p)
{
	return p->options->size ||
	       (p->options->writes && p->g->unified.from != NULL &&
		p->g->unified.v);
}

static void is_unified(struct plan *p)
{
	const struct opt_bool *unified = &p->g->unified;

	if (unified->from != NULL && unified->v)
		finding_add(p->g, FIND_DSK_UNIFIED, NULL,
			    plan_origin(p, "look", unified->from),
			    "files are shared with other guests by hard "
			    "links, the copy has its own; rehost scan --size "
			    "tells how much");
}

int plan_look(struct plan *p, struct err *e)
{
	if (p->root == NULL)
		return 0;
	is_empty(p);
	look_os(p);
	look_dev(p);
	look_apps(p);
	look_venet(p);
	if (is_measured(p))
		return look_size(p, e);
	is_unified(p);
	return 0;
}
