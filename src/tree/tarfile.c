/* An archive as a tree: looking up paths, and the operations. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "tree/tarfile.h"

enum {
	MAX_LINKS = 40,
	MAX_PATH = 1 << 20, /* of a path with links put in */
};

static struct tarfile_tree *of(struct tree *t)
{
	return (struct tarfile_tree *)t;
}

/* --- paths ---------------------------------------------------------------- */

struct lookup {
	const struct tarfile_tree *t;
	struct arena *mem;
	uint32_t node;
	struct slice rest;
	unsigned links;
};

/* Only a code: the caller names the path. */
static int no(int code, struct err *e)
{
	*e = (struct err){ .code = code };
	return -1;
}

static const struct tarfile_inode *inode_of(const struct tarfile_tree *t,
					    uint32_t node)
{
	const struct tarfile_index *x = &t->x->index;

	return tarfile_inode_at(x, tarfile_node_at(x, node)->inode);
}

/* The link at a node: its text goes before the rest. */
static int follow(struct lookup *l, uint32_t node, struct err *e)
{
	const char *text = inode_of(l->t, node)->more->target, *all;

	if (++l->links > MAX_LINKS)
		return no(ELOOP, e);
	all = arena_printf(l->mem, "%s%.*s", text, (int)l->rest.n, l->rest.p);
	l->rest = (struct slice){ all, strlen(all) };
	if (l->rest.n > MAX_PATH)
		return no(ENAMETOOLONG, e);
	if (*text == '/')
		l->node = l->t->root;
	return 0;
}

static bool is_last(struct slice rest)
{
	while (rest.n > 0 && *rest.p == '/') {
		rest.p++;
		rest.n--;
	}
	return rest.n == 0;
}

static int go_down(struct lookup *l, struct slice name, bool follow_last,
		   struct err *e)
{
	uint32_t node;

	if (name.n > NAME_MAX)
		return no(ENAMETOOLONG, e);
	node = tarfile_index_find(&l->t->x->index, l->node, name);
	if (node == TARFILE_NONE)
		return no(ENOENT, e);
	if (S_ISLNK(inode_of(l->t, node)->mode) &&
	    (follow_last || !is_last(l->rest) || l->rest.n > 0))
		return follow(l, node, e);
	l->node = node;
	return 0;
}

/* Takes the next component off, but not the slash behind it. */
static struct slice next_name(struct slice *rest)
{
	struct slice name;

	while (rest->n > 0 && *rest->p == '/') {
		rest->p++;
		rest->n--;
	}
	name = (struct slice){ rest->p, 0 };
	while (name.n < rest->n && name.p[name.n] != '/')
		name.n++;
	rest->p += name.n;
	rest->n -= name.n;
	return name;
}

int tarfile_find(struct tarfile_tree *t, const char *path, bool follow_last,
		 uint32_t *ret, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct lookup l = { .t = t,
			    .mem = mem,
			    .node = t->root,
			    .rest = { path, strlen(path) } };

	while (l.rest.n > 0) {
		struct slice name = next_name(&l.rest);

		if (!S_ISDIR(inode_of(t, l.node)->mode))
			return no(ENOTDIR, e);
		if (name.n == 0 || slice_eq(name, "."))
			continue;
		if (slice_eq(name, "..")) {
			if (l.node != t->root)
				l.node = tarfile_node_at(&t->x->index, l.node)
						 ->parent;
		} else if (go_down(&l, name, follow_last, e)) {
			return -1;
		}
	}
	*ret = l.node;
	return 0;
}

const char *tarfile_path(const struct tarfile_tree *t, uint32_t node,
			 struct arena *mem)
{
	const struct tarfile_index *x = &t->x->index;
	struct strv names = { 0 }, turned = { 0 };

	for (; node != t->root; node = tarfile_node_at(x, node)->parent)
		strv_add(mem, &names, tarfile_node_at(x, node)->name);
	for (size_t i = names.n; i > 0; i--)
		strv_add(mem, &turned, names.v[i - 1]);
	return strv_join(mem, &turned, "/");
}

static const char *full_name(const struct tarfile_tree *t, const char *path,
			     struct arena *mem)
{
	while (*path == '/')
		path++;
	return arena_printf(mem, "%s/%s", t->tree.name, path);
}

static const char *show(const struct tarfile_tree *t, const char *path,
			struct arena *mem)
{
	const char *name = full_name(t, path, mem);

	return str_show(mem, name, strlen(name), 300);
}

int tarfile_fail(const struct tarfile_tree *t, const char *op, const char *path,
		 struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return err_set(e, e->code, "%s %s", op, show(t, path, mem));
}

/* --- the operations ------------------------------------------------------- */

void tarfile_stat_of(const struct tarfile_shared *x, uint32_t inode,
		     struct tree_stat *ret)
{
	const struct tarfile_inode *i = tarfile_inode_at(&x->index, inode);

	*ret = (struct tree_stat){
		.mode = i->mode,
		.uid = i->uid,
		.gid = i->gid,
		.nlink = i->nlink,
		.size = i->size,
		.blocks = i->stored / 512 + (i->stored % 512 > 0),
		.ino = (uint64_t)inode + 1,
		.mtime = { i->mtime, i->mtime_nsec },
		.ctime = { i->mtime, i->mtime_nsec },
	};
	if (i->more) {
		ret->rdev_major = i->more->major;
		ret->rdev_minor = i->more->minor;
	}
}

static int find_stat(struct tree *t, const char *path, bool follow_last,
		     struct tree_stat *ret, struct err *e)
{
	uint32_t node;

	if (tarfile_find(of(t), path, follow_last, &node, e))
		return tarfile_fail(of(t), "stat", path, e);
	tarfile_stat_of(of(t)->x,
			tarfile_node_at(&of(t)->x->index, node)->inode, ret);
	return 0;
}

static int op_stat(struct tree *t, const char *path, struct tree_stat *ret,
		   struct err *e)
{
	return find_stat(t, path, true, ret, e);
}

static int op_lstat(struct tree *t, const char *path, struct tree_stat *ret,
		    struct err *e)
{
	return find_stat(t, path, false, ret, e);
}

static int op_readlink(struct tree *t, const char *path, struct arena *mem,
		       const char **ret, struct err *e)
{
	uint32_t node;
	int r = tarfile_find(of(t), path, false, &node, e);

	if (r == 0 && !S_ISLNK(inode_of(of(t), node)->mode))
		r = no(EINVAL, e);
	if (r)
		return tarfile_fail(of(t), "read link", path, e);
	*ret = arena_strdup(mem, inode_of(of(t), node)->more->target);
	return 0;
}

static int op_resolve(struct tree *t, const char *path, struct arena *mem,
		      const char **ret, struct err *e)
{
	uint32_t node;

	if (tarfile_find(of(t), path, true, &node, e))
		return tarfile_fail(of(t), "resolve", path, e);
	*ret = arena_printf(mem, "/%s", tarfile_path(of(t), node, mem));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int op_list(struct tree *t, const char *path, struct arena *mem,
		   struct tree_entries *ret, struct err *e)
{
	const struct tarfile_index *x = &of(t)->x->index;
	VEC(struct tree_entry) all = { 0 };
	uint32_t node;
	int r = tarfile_find(of(t), path, true, &node, e);

	if (r == 0 && !S_ISDIR(inode_of(of(t), node)->mode))
		r = no(ENOTDIR, e);
	if (r)
		return tarfile_fail(of(t), "list", path, e);
	node = tarfile_node_at(x, node)->child;
	for (; node != TARFILE_NONE; node = tarfile_node_at(x, node)->next)
		*vec_add(mem, &all) = (struct tree_entry){
			.name = tarfile_node_at(x, node)->name,
			.type = (uint8_t)IFTODT(inode_of(of(t), node)->mode),
			.ino = (uint64_t)tarfile_node_at(x, node)->inode + 1,
		};
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_name);
	for (size_t i = 0; i < all.n; i++)
		all.v[i].name = arena_strdup(mem, all.v[i].name);
	*ret = (struct tree_entries){ all.v, all.n };
	return 0;
}

static const struct {
	const char *text;
	int code;
} not_regular[] = {
	[S_IFIFO >> 12] = { "it is a FIFO", EINVAL },
	[S_IFCHR >> 12] = { "it is a character device", EINVAL },
	[S_IFDIR >> 12] = { "it is a directory", EISDIR },
	[S_IFBLK >> 12] = { "it is a block device", EINVAL },
	[S_IFLNK >> 12] = { "it is a link", ELOOP },
};

static int open_node(struct tarfile_tree *t, uint32_t node, const char *path,
		     struct tree_file **ret, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *name = show(t, path, mem);
	uint32_t mode = inode_of(t, node)->mode;
	size_t type = (mode & S_IFMT) >> 12;

	if (S_ISREG(mode))
		return tarfile_file_of(
			t, tarfile_node_at(&t->x->index, node)->inode, name,
			ret, e);
	if (type >= COUNT(not_regular) || !not_regular[type].text)
		return err_set(e, EINVAL, "read %s", name);
	err_fill(e, 0, "read %s: %s", name, not_regular[type].text);
	e->code = not_regular[type].code;
	return -1;
}

static int op_file_open(struct tree *t, const char *path,
			struct tree_file **ret, struct err *e)
{
	uint32_t node;

	if (tarfile_find(of(t), path, false, &node, e))
		return tarfile_fail(of(t), "open", path, e);
	return open_node(of(t), node, path, ret, e);
}

static int op_read(struct tree *t, const char *path, size_t max,
		   struct arena *mem, struct slice *ret, struct err *e)
{
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	uint64_t size, done = 0;
	uint32_t node;
	char *data;

	if (tarfile_find(of(t), path, true, &node, e))
		return tarfile_fail(of(t), "open", path, e);
	if (open_node(of(t), node, path, &f, e))
		return -1;
	size = f->opened.size;
	if (size > max) {
		err_fill(e, 0, "read %s: it is larger than %zu bytes", f->name,
			 max);
		e->code = EFBIG;
		return -1;
	}
	data = arena_alloc(mem, (size_t)size + 1);
	while (done < size) {
		ssize_t n = tarfile_file_read(f, done, data + done,
					      (size_t)(size - done), e);

		if (n <= 0)
			return n < 0 ? -1 : err_set(e, EIO, "read %s", f->name);
		done += (uint64_t)n;
	}
	*ret = (struct slice){ data, (size_t)size };
	return 0;
}

static int op_xattrs(struct tree *t, const char *path, struct arena *mem,
		     struct tree_xattrs *ret, struct err *e)
{
	const struct tarfile_more *more;
	uint32_t node;

	if (tarfile_find(of(t), path, false, &node, e))
		return tarfile_fail(of(t), "xattrs of", path, e);
	more = inode_of(of(t), node)->more;
	*ret = (struct tree_xattrs){ 0 };
	if (!more || more->xattrs.n == 0)
		return 0;
	/* values live as long as the tree; whoever drops one moves others */
	ret->n = more->xattrs.n;
	ret->v = arena_memdup(mem, more->xattrs.v,
			      ret->n * sizeof(*more->xattrs.v));
	return 0;
}

/* A tar of GNU has none. */
static int op_flags(struct tree *t, const char *path, uint32_t *ret,
		    struct err *e)
{
	uint32_t node;

	if (tarfile_find(of(t), path, false, &node, e))
		return tarfile_fail(of(t), "flags of", path, e);
	*ret = 0;
	return 0;
}

static void op_close(struct tree *t)
{
	tarfile_drop(of(t)->x);
}

static int op_sub(struct tree *t, const char *path, struct tree **ret,
		  struct err *e);

static const struct tree_ops ops = {
	.in_order = true,
	.close = op_close,
	.sub = op_sub,
	.stat = op_stat,
	.lstat = op_lstat,
	.readlink = op_readlink,
	.resolve = op_resolve,
	.list = op_list,
	.read = op_read,
	.xattrs = op_xattrs,
	.flags = op_flags,
	.walk = tarfile_walk,
	.file_open = op_file_open,
	.file_close = tarfile_file_close,
	.file_stat = tarfile_file_stat,
	.file_read = tarfile_file_read,
	.file_next = tarfile_file_next,
	.file_fd = tarfile_file_fd,
};

static struct tarfile_tree *new_tree(struct tarfile_shared *x, const char *name)
{
	struct arena *mem = arena_new();
	struct tarfile_tree *t = arena_alloc(mem, sizeof(*t));

	t->tree.ops = &ops;
	t->tree.mem = mem;
	t->tree.name = arena_strdup(mem, name);
	t->tree.still = true;
	t->x = x;
	return t;
}

static int op_sub(struct tree *t, const char *path, struct tree **ret,
		  struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tarfile_tree *sub;
	uint32_t node;
	int r = tarfile_find(of(t), path, true, &node, e);

	if (r == 0 && !S_ISDIR(inode_of(of(t), node)->mode))
		r = no(ENOTDIR, e);
	if (r)
		return tarfile_fail(of(t), "open", path, e);
	sub = new_tree(tarfile_use(of(t)->x), full_name(of(t), path, mem));
	sub->root = node;
	*ret = &sub->tree;
	return 0;
}

/* --- opening -------------------------------------------------------------- */

struct tarfile_shared *tarfile_use(struct tarfile_shared *x)
{
	pthread_mutex_lock(&x->lock);
	x->users++;
	pthread_mutex_unlock(&x->lock);
	return x;
}

void tarfile_drop(struct tarfile_shared *x)
{
	bool last;

	pthread_mutex_lock(&x->lock);
	last = --x->users == 0;
	pthread_mutex_unlock(&x->lock);
	if (!last)
		return;
	tarfile_stream_closep(&x->cursor);
	tree_file_closep(&x->file);
	pthread_mutex_destroy(&x->lock);
	arena_free(x->mem);
}

static void dropp(struct tarfile_shared **x)
{
	if (*x)
		tarfile_drop(*x);
}

static int open_shared(struct tree_file **f, const char *name,
		       const char *until, struct tarfile_shared **ret,
		       struct err *e)
{
	struct arena *mem = arena_new();
	struct tarfile_shared *x CLEANUP(dropp) = arena_alloc(mem, sizeof(*x));
	struct tarfile_stream *s CLEANUP(tarfile_stream_closep) = NULL;

	x->mem = x->index.mem = mem;
	x->users = 1;
	x->file = *f;
	*f = NULL;
	pthread_mutex_init(&x->lock, NULL);
	x->name = arena_strdup(mem, name);
	if (tarfile_stream_open(x->file, x->name, &s, e) ||
	    tarfile_index_read(&x->index, s, until, e))
		return -1;
	*ret = x;
	x = NULL;
	return 0;
}

static void note(const struct tarfile_shared *x, struct arena *mem,
		 struct strv *notes)
{
	if (!notes)
		return;
	if (x->index.twice > 0)
		strv_add(mem, notes,
			 arena_printf(mem,
				      "%s: %" PRIu32 " members replace one "
				      "before them of the same name, as tar "
				      "does when it unpacks",
				      x->name, x->index.twice));
	if (x->index.left_out > 0)
		strv_add(mem, notes,
			 arena_printf(mem,
				      "%s: %" PRIu32 " ACL entries name their "
				      "user or group without its number: left "
				      "out",
				      x->name, x->index.left_out));
}

int tarfile_open(struct tree_file **f, const char *name, const char *until,
		 struct arena *mem, struct strv *notes, struct tree **ret,
		 struct err *e)
{
	struct tarfile_shared *x;

	if (open_shared(f, name, until, &x, e))
		return -1;
	note(x, mem, notes);
	*ret = &new_tree(x, x->name)->tree;
	return 0;
}

/* Opens the file that a path leads to; its whole name in mem. */
static int open_file(struct tree *t, const char *path, struct arena *mem,
		     const char **ret_name, struct tree_file **ret,
		     struct err *e)
{
	const char *real, *full;

	if (tree_resolve(t, path, mem, &real, e) ||
	    tree_file_open(t, real, ret, e))
		return -1;
	full = arena_printf(mem, "%s%s", tree_name(t), real);
	*ret_name = str_show(mem, full, strlen(full), 300);
	return 0;
}

int tree_open_archive(struct tree *t, const char *path, const char *until,
		      struct arena *mem, struct strv *notes, struct tree **ret,
		      struct err *e)
{
	struct arena *own CLEANUP(arena_freep) = arena_new();
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	const char *name;

	if (open_file(t, path, own, &name, &f, e))
		return -1;
	return tarfile_open(&f, name, until, mem, notes, ret, e);
}

bool tree_is_archive(struct tree *t, const char *path)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	const char *name;
	char head[512];
	ssize_t n;
	struct err e;

	if (open_file(t, path, mem, &name, &f, &e))
		return false;
	n = tree_file_read(f, 0, head, sizeof(head), &e);
	return n > 0 && tarfile_stream_kind(head, (size_t)n) != NULL;
}
