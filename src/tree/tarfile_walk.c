/* Walking an archive: a directory's children in the order they came in. */
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "tree/tarfile.h"

struct frame {
	struct arena *mem; /* of the children */
	uint32_t *v;
	size_t n, next;
	size_t path_n; /* how much of the walk's path names this directory */
};

struct walk {
	struct tarfile_tree *t;
	const struct tree_visitor *visitor;
	struct arena *mem;
	struct buf path; /* beneath the start */
	VEC(struct frame) stack;
};

static void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->stack.n; i++)
		arena_freep(&w->stack.v[i].mem);
	buf_done(&w->path);
	arena_freep(&w->mem);
}

/* 1: it is done; 0: it is a directory, which is the top now. */
static int visit(struct walk *w, uint32_t node, struct err *e)
{
	const struct tarfile_index *x = &w->t->x->index;
	struct frame f = { .path_n = w->path.n };
	struct tree_stat st;
	int r;

	tarfile_stat_of(w->t->x, tarfile_node_at(x, node)->inode, &st);
	r = w->visitor->visit(w->visitor->arg, buf_str(&w->path), &st, e);
	if (r != 0 || !S_ISDIR(st.mode))
		return r < 0 ? r : 1;
	f.mem = arena_new();
	tarfile_index_children(x, node, f.mem, &f.v, &f.n);
	*vec_add(w->mem, &w->stack) = f;
	return 0;
}

static int step(struct walk *w, struct err *e)
{
	const struct tarfile_index *x = &w->t->x->index;
	struct frame *f = &w->stack.v[w->stack.n - 1];
	uint32_t node;
	int r;

	if (w->path.n > f->path_n)
		w->path.p[w->path.n = f->path_n] = '\0';
	if (f->next == f->n) {
		arena_freep(&f->mem);
		w->stack.n--;
		return 0;
	}
	node = f->v[f->next++];
	if (f->path_n > 0)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, tarfile_node_at(x, node)->name);
	r = visit(w, node, e);
	return r < 0 ? r : 0;
}

int tarfile_walk(struct tree *t, const char *path, bool one_fs UNUSED,
		 const struct tree_visitor *visitor, struct err *e)
{
	struct walk w CLEANUP(walk_done) = {
		.t = (struct tarfile_tree *)t,
		.visitor = visitor,
		.mem = arena_new(),
	};
	uint32_t start;
	int r;

	if (tarfile_find(w.t, path, true, &start, e))
		return tarfile_fail(w.t, "walk", path, e);
	r = visit(&w, start, e);
	while (r >= 0 && w.stack.n > 0)
		r = step(&w, e);
	return r < 0 ? r : 0;
}
