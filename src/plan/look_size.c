/*
 * The walk of --size: how large the tree is, how much of it is shared with
 * other guests by hard links (vunify, vhashify), and whether owners hold file
 * tags. Reference: vserver.md 2.13 and 2.14.
 */
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "base/str.h"
#include "derive.h"
#include "plan/look.h"

/* How an owner holds a tag; 2.14. The tag's two halves are put together. */
enum { TAG_ID24, TAG_UID16, TAG_GID16, TAG__N };

static const char *const tag_names[TAG__N] = { "id24", "uid16", "gid16" };

struct size_walk {
	struct plan *p;
	uint64_t files, bytes;
	uint64_t shared_files, shared_bytes;
	uint64_t flagged, leftovers;
	uint64_t large_ids, tagged[TAG__N];
	uint64_t tag;         /* of the guest; 0: not known */
	const char *leftover; /* the first one's path */
};

/* "libfoo.so;a1B2c3": what an interrupted unification leaves; 2.13. */
static bool is_leftover(const char *path)
{
	const char *at = strrchr(path, ';');

	return at != NULL && strlen(at) == 7 && strchr(at, '/') == NULL;
}

static void count_tag(struct size_walk *w, const struct tree_stat *st)
{
	const uint32_t uid = st->uid, gid = st->gid;

	if (uid <= 0xffff && gid <= 0xffff)
		return;
	w->large_ids++;
	w->tagged[TAG_ID24] += ((uid >> 24) << 8 | gid >> 24) == w->tag;
	w->tagged[TAG_UID16] += uid >> 16 == w->tag;
	w->tagged[TAG_GID16] += gid >> 16 == w->tag;
}

static void count_file(struct size_walk *w, const char *path,
		       const struct tree_stat *st)
{
	uint32_t flags = 0;
	struct err e;

	w->bytes += st->size;
	if (is_leftover(path)) {
		w->leftovers++;
		if (w->leftover == NULL)
			w->leftover = arena_strdup(w->p->g->mem, path);
	}
	if (st->nlink < 2)
		return;
	if (tree_flags(w->p->root, path, &flags, &e) < 0)
		flags = 0;
	if ((flags & FS_IMMUTABLE_FL) != 0)
		w->flagged++;
	if ((flags & FS_IMMUTABLE_FL) != 0 || w->p->g->unified.from != NULL) {
		w->shared_files++;
		w->shared_bytes += st->size;
	}
}

static int visit(void *arg, const char *path, const struct tree_stat *st,
		 struct err *e)
{
	struct size_walk *w = arg;

	(void)e;
	if (st == NULL) /* unreadable: counted when it is packed */
		return 0;
	w->files++;
	count_tag(w, st);
	if ((st->mode & S_IFMT) == S_IFREG)
		count_file(w, path, st);
	return 0;
}

static void report_shared(struct size_walk *w)
{
	struct guest *g = w->p->g;
	char text[24];

	if (w->shared_files == 0)
		return;
	num_show_size(w->shared_bytes, text);
	finding_add(g, FIND_DSK_GROWTH, NULL, g->rootfs.from,
		    "%" PRIu64 " files with other links, %s: each guest gets "
		    "its own copy",
		    w->shared_files, text);
	if (g->unified.from == NULL && w->flagged != 0)
		derive_bool(g, FIELD_UNIFIED, g, true,
			    look_origin(w->p, "", NULL), NULL);
}

static void report_tags(struct size_walk *w)
{
	struct guest *g = w->p->g;
	int best = 0;

	for (int i = 1; i < TAG__N; i++)
		if (w->tagged[i] > w->tagged[best])
			best = i;
	if (w->tag == 0 || w->large_ids * 2 <= w->files ||
	    w->tagged[best] * 2 <= w->files)
		return;
	finding_add(g, FIND_IDM_TAGGED, NULL, g->rootfs.from,
		    "%" PRIu64 " of %" PRIu64 " owners hold tag %" PRIu64
		    " by method %s: --set root.tag-method=%s decodes them",
		    w->tagged[best], w->files, w->tag, tag_names[best],
		    tag_names[best]);
}

static uint64_t tag_of(const struct guest *g)
{
	if (g->tag.from != NULL)
		return g->tag.v;
	return g->xid.from != NULL ? g->xid.v : 0;
}

int look_size(struct plan *p, struct err *e)
{
	struct size_walk w = { .p = p, .tag = tag_of(p->g) };

	if (tree_walk(p->root, "", true, visit, &w, e) < 0)
		return err_wrap(e, "measure %s", p->g->rootfs.v);
	p->g->n_files = w.files;
	p->g->n_bytes = w.bytes;
	p->g->measured = true;
	report_shared(&w);
	report_tags(&w);
	if (w.leftovers != 0 && !p->options->writes) /* else an edit says so */
		finding_add(p->g, FIND_DSK_LEFTOVER, NULL, p->g->rootfs.from,
			    "%" PRIu64 " left-overs, the first is %s",
			    w.leftovers, w.leftover);
	return 0;
}
