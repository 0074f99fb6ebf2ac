/* The members of a directory tree, as a walk finds them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "pack/extents.h"
#include "pack/links.h"
#include "pack/meta.h"
#include "pack/verify.h"

enum { PIECE = 1 << 20 };

struct reading {
	struct verify *v;
	struct arena *scratch;
	struct links links;
	char *bytes; /* PIECE */
};

static void reading_done(struct reading *r)
{
	arena_freep(&r->scratch);
}

static int read_extent(struct reading *r, struct tree_file *f,
		       const struct tree_extent *x, struct content *c,
		       struct err *e)
{
	for (uint64_t done = 0; done < x->length;) {
		uint64_t left = x->length - done, at = x->offset + done;
		ssize_t n = tree_file_read(f, at, r->bytes,
					   left < PIECE ? (size_t)left : PIECE,
					   e);

		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		content_add(c, at, r->bytes, (size_t)n);
		done += (uint64_t)n;
	}
	return 0;
}

static int read_content(struct reading *r, const struct member *m,
			struct arena *mem, struct content *c, struct err *e)
{
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	const struct tree_extent *data;
	size_t n;

	if (tree_file_open(r->v->check->tree, m->path, &f, e) ||
	    extents_of(f, tree_file_opened(f), mem, &data, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (read_extent(r, f, &data[i], c, e))
			return -1;
	return 0;
}

/* A further name of an inode has nothing of its own. */
static bool is_link(struct reading *r, struct member *m)
{
	const struct tree_stat *st = &m->st;

	if (st->nlink < 2 || S_ISDIR(st->mode))
		return false;
	m->first = links_find(&r->links, st->dev, st->ino);
	if (!m->first)
		links_add(&r->links, st->dev, st->ino,
			  arena_strdup(r->scratch, m->path));
	return m->first != NULL;
}

static int read_member(struct reading *r, struct member *m, struct arena *mem,
		       struct err *e)
{
	struct tree *t = r->v->check->tree;

	if (is_link(r, m))
		return 0;
	if (S_ISLNK(m->st.mode) &&
	    tree_readlink(t, m->path, mem, &m->target, e))
		return -1;
	if (tree_xattrs(t, m->path, mem, &m->xattrs, e))
		return -1;
	meta_drop(&m->xattrs);
	return 0;
}

static int visit(void *arg, const char *path, const struct tree_stat *st,
		 struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct content *c = NULL;
	struct reading *r = arg;
	struct member m = { .path = path };
	int has;

	if (!st)
		return -1;
	m.st = *st;
	if (read_member(r, &m, mem, e))
		return -1;
	has = verify_begin(r->v, &m, &c, e);
	if (has <= 0)
		return has;
	if (c && read_content(r, &m, mem, c, e))
		return -1;
	return verify_end(r->v, &m, c, e);
}

int verify_tree(struct verify *v, struct err *e)
{
	struct reading r CLEANUP(reading_done) = { .v = v,
						   .scratch = arena_new() };

	r.links.mem = r.scratch;
	r.bytes = arena_alloc(r.scratch, PIECE);
	return tree_walk(v->check->tree, "", true, visit, &r, e);
}
