/*
 * What is in an archive: a table of inodes, and one of names that a hash finds
 * by directory and name. A member that has a name twice replaces the first, as
 * tar does when it unpacks, but for what vzdump itself put in front.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/attr.h"
#include "tree/tarfile.h"

enum {
	MEMORY_MAX = 768 << 20, /* of the index; bytes */
	KEPT_MAX = 32 << 20,    /* of content; bytes */
	DEPTH_MAX = 4096,       /* directories in each other */
};

/* Whose content plans read, and how much of it. */
static const struct keep_row {
	const char *prefix;
	size_t max;  /* a larger file is not kept */
	size_t head; /* bytes that are kept; 0: all */
} keep_rows[] = {
	{ "etc/", 256 << 10, 0 },
	{ "lib/systemd/system/", 16 << 10, 0 },
	{ "usr/lib/systemd/system/", 16 << 10, 0 },
	{ "usr/lib/os-release", 16 << 10, 0 },
	/* whose machine they are for */
	{ "bin/", SIZE_MAX, 64 },
	{ "sbin/", SIZE_MAX, 64 },
	{ "usr/bin/", SIZE_MAX, 64 },
	{ "usr/sbin/", SIZE_MAX, 64 },
	{ "lib/systemd/systemd", SIZE_MAX, 64 },
	{ "usr/lib/systemd/systemd", SIZE_MAX, 64 },
};

/* What vzdump added; a guest that was restored once may have its own. */
static const char own_prefix[] = "etc/vzdump/";

struct adding {
	struct archive_entry *ae;
	struct tarfile_stream *s;
	struct arena *mem; /* of this member */
	const char *path;  /* "etc/passwd", "" of the root */
};

struct tarfile_inode *tarfile_inode_at(const struct tarfile_index *x,
				       uint32_t i)
{
	return &x->inodes[i / TARFILE_CHUNK][i % TARFILE_CHUNK];
}

struct tarfile_node *tarfile_node_at(const struct tarfile_index *x, uint32_t i)
{
	return &x->nodes[i / TARFILE_CHUNK][i % TARFILE_CHUNK];
}

/* --- names ---------------------------------------------------------------- */

/* FNV-1a from where nobody knows, so that no archive can aim at one place. */
static uint64_t hash(const struct tarfile_index *x, uint32_t parent,
		     struct slice name)
{
	uint64_t h = x->seed ^ parent;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

/* The place of a name in the hash: its node there, or NONE. */
static size_t place_of(const struct tarfile_index *x, uint32_t parent,
		       struct slice name)
{
	size_t mask = x->n_names - 1, at = hash(x, parent, name) & mask;

	while (x->names[at] != TARFILE_NONE) {
		const struct tarfile_node *n = tarfile_node_at(x, x->names[at]);

		if (n->parent == parent && slice_eq(name, n->name))
			break;
		at = (at + 1) & mask;
	}
	return at;
}

uint32_t tarfile_index_find(const struct tarfile_index *x, uint32_t parent,
			    struct slice name)
{
	return x->names[place_of(x, parent, name)];
}

static void new_names(struct tarfile_index *x, size_t n)
{
	x->n_names = n;
	x->names = arena_alloc(x->mem, n * sizeof(*x->names));
	memset(x->names, 0xff, n * sizeof(*x->names));
}

/* At most half of the hash is used; the root is not in it. */
static void grow(struct tarfile_index *x)
{
	if (x->n_nodes < x->n_names / 2)
		return;
	new_names(x, x->n_names * 2);
	for (uint32_t i = 1; i < x->n_nodes; i++) {
		const struct tarfile_node *n = tarfile_node_at(x, i);
		struct slice name = { n->name, strlen(n->name) };

		x->names[place_of(x, n->parent, name)] = i;
	}
}

static int too_large(struct adding *a, struct err *e)
{
	tarfile_stream_bad(a->s, e,
			   "so many names and attributes that their index "
			   "does not fit in memory: unpack the archive and "
			   "give the directory");
	e->code = EFBIG;
	return -1;
}

static int new_inode(struct tarfile_index *x, struct adding *a, uint32_t *ret,
		     struct err *e)
{
	uint32_t i = x->n_inodes;

	if (i / TARFILE_CHUNK == TARFILE_CHUNKS ||
	    arena_size(x->mem) > MEMORY_MAX)
		return too_large(a, e);
	if (i % TARFILE_CHUNK == 0)
		x->inodes[i / TARFILE_CHUNK] = arena_alloc(
			x->mem, TARFILE_CHUNK * sizeof(**x->inodes));
	x->n_inodes++;
	*ret = i;
	return 0;
}

static int new_node(struct tarfile_index *x, struct adding *a, uint32_t parent,
		    struct slice name, uint32_t *ret, struct err *e)
{
	uint32_t i = x->n_nodes;
	struct tarfile_node *n;

	if (i / TARFILE_CHUNK == TARFILE_CHUNKS)
		return too_large(a, e);
	if (i % TARFILE_CHUNK == 0)
		x->nodes[i / TARFILE_CHUNK] =
			arena_alloc(x->mem, TARFILE_CHUNK * sizeof(**x->nodes));
	grow(x);
	x->n_nodes++;
	n = tarfile_node_at(x, i);
	*n = (struct tarfile_node){
		.name = slice_dup(x->mem, name),
		.parent = parent,
		.inode = TARFILE_NONE,
		.child = TARFILE_NONE,
		.next = TARFILE_NONE,
		.order = tarfile_stream_count(a->s),
	};
	*ret = i;
	if (i == 0)
		return 0;
	n->next = tarfile_node_at(x, parent)->child;
	tarfile_node_at(x, parent)->child = i;
	x->names[place_of(x, parent, name)] = i;
	return 0;
}

static bool is_dir(const struct tarfile_index *x, uint32_t node)
{
	uint32_t i = tarfile_node_at(x, node)->inode;

	return S_ISDIR(tarfile_inode_at(x, i)->mode);
}

/* A directory that is named only by what lies in it. */
static int implied(struct tarfile_index *x, struct adding *a, uint32_t node,
		   struct err *e)
{
	struct tarfile_inode *i;
	uint32_t nr;

	if (new_inode(x, a, &nr, e))
		return -1;
	i = tarfile_inode_at(x, nr);
	i->mode = S_IFDIR | 0755;
	i->nlink = 2;
	i->mtime = archive_entry_mtime(a->ae);
	tarfile_node_at(x, node)->inode = nr;
	if (node > 0) {
		uint32_t up = tarfile_node_at(x, node)->parent;

		tarfile_inode_at(x, tarfile_node_at(x, up)->inode)->nlink++;
	}
	return 0;
}

/* --- paths ---------------------------------------------------------------- */

/* Takes the next component off: false at the end. */
static bool next_name(struct slice *rest, struct slice *ret)
{
	while (slice_next(rest, '/', ret))
		if (ret->n > 0 && !slice_eq(*ret, "."))
			return true;
	return false;
}

static int check_name(struct adding *a, const char *what, const char *path,
		      struct err *e)
{
	struct slice rest, name;
	unsigned depth = 0;

	if (!path)
		return tarfile_stream_bad(a->s, e, "%s cannot be read", what);
	rest = (struct slice){ path, strlen(path) };
	if (*path == '/')
		return tarfile_stream_bad(a->s, e,
					  "%s is absolute: it would lie "
					  "outside of the guest",
					  what);
	while (next_name(&rest, &name)) {
		if (slice_eq(name, ".."))
			return tarfile_stream_bad(a->s, e,
						  "%s holds \"..\": it would "
						  "lie outside of the guest",
						  what);
		if (name.n > NAME_MAX || ++depth > DEPTH_MAX)
			return tarfile_stream_bad(
				a->s, e,
				"%s is longer than a file system allows", what);
	}
	return 0;
}

/* The directory that holds the last component, which *ret_name is. */
static int parent_of(struct tarfile_index *x, struct adding *a,
		     uint32_t *ret_dir, struct slice *ret_name, struct err *e)
{
	struct slice rest = { a->path, strlen(a->path) }, name, after;
	uint32_t dir = 0, node;

	*ret_name = (struct slice){ "", 0 };
	if (!next_name(&rest, &name))
		return 0; /* the root */
	while (next_name(&rest, &after)) {
		node = tarfile_index_find(x, dir, name);
		if (node == TARFILE_NONE &&
		    (new_node(x, a, dir, name, &node, e) ||
		     implied(x, a, node, e)))
			return -1;
		if (!is_dir(x, node))
			return tarfile_stream_bad(
				a->s, e,
				"it lies in \"%s\", which is no directory",
				str_show(a->mem, name.p, name.n, 100));
		dir = node;
		name = after;
	}
	*ret_dir = dir;
	*ret_name = name;
	return 0;
}

/* The node of a path that must be there; NONE. */
static uint32_t look_up(const struct tarfile_index *x, const char *path)
{
	struct slice rest = { path, strlen(path) }, name;
	uint32_t node = 0;

	while (node != TARFILE_NONE && next_name(&rest, &name))
		node = tarfile_index_find(x, node, name);
	return node;
}

/* --- inodes --------------------------------------------------------------- */

static struct tarfile_more *more_of(struct tarfile_index *x,
				    struct tarfile_inode *i)
{
	if (!i->more)
		i->more = arena_alloc(x->mem, sizeof(*i->more));
	return i->more;
}

static int bad_number(struct adding *a, const char *what, struct err *e)
{
	return tarfile_stream_bad(a->s, e, "its %s is out of range", what);
}

/* Where a sparse file has data: in order, within its size. */
static int read_sparse(struct tarfile_index *x, struct adding *a,
		       struct tarfile_inode *i, struct err *e)
{
	VEC(struct tree_extent) all = { 0 };
	la_int64_t at, n;
	uint64_t end = 0;

	i->sparse = true;
	i->stored = 0;
	archive_entry_sparse_reset(a->ae);
	while (archive_entry_sparse_next(a->ae, &at, &n) == ARCHIVE_OK) {
		if (at < 0 || n < 0 || (uint64_t)at < end ||
		    (uint64_t)at > i->size || (uint64_t)n > i->size - at)
			return tarfile_stream_bad(
				a->s, e, "its map of holes is not in order");
		end = (uint64_t)at + (uint64_t)n;
		if (n == 0)
			continue;
		*vec_add(a->mem, &all) =
			(struct tree_extent){ (uint64_t)at, (uint64_t)n };
		i->stored += (uint64_t)n;
	}
	if (all.n == 0)
		return 0;
	more_of(x, i)->data =
		arena_memdup(x->mem, all.v, all.n * sizeof(*all.v));
	i->more->n_data = all.n;
	return 0;
}

static int read_size(struct tarfile_index *x, struct adding *a,
		     struct tarfile_inode *i, struct err *e)
{
	la_int64_t size = archive_entry_size(a->ae);

	if (!S_ISREG(i->mode))
		return 0;
	if (size < 0)
		return bad_number(a, "size", e);
	i->size = i->stored = (uint64_t)size;
	return archive_entry_sparse_count(a->ae) > 0 ? read_sparse(x, a, i, e) :
						       0;
}

static int read_numbers(struct adding *a, struct tarfile_inode *i,
			struct err *e)
{
	la_int64_t uid = archive_entry_uid(a->ae);
	la_int64_t gid = archive_entry_gid(a->ae);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return bad_number(a, "owner", e);
	i->mode = archive_entry_mode(a->ae);
	i->uid = (uint32_t)uid;
	i->gid = (uint32_t)gid;
	i->mtime = archive_entry_mtime(a->ae);
	i->mtime_nsec = (uint32_t)archive_entry_mtime_nsec(a->ae);
	i->member = tarfile_stream_count(a->s);
	return 0;
}

static int read_type(struct tarfile_index *x, struct adding *a,
		     struct tarfile_inode *i, struct err *e)
{
	const char *target = archive_entry_symlink(a->ae);

	if (S_ISLNK(i->mode)) {
		if (!target || !*target || strlen(target) >= PATH_MAX)
			return tarfile_stream_bad(a->s, e, "a link to nothing");
		more_of(x, i)->target = arena_strdup(x->mem, target);
		i->size = strlen(target);
	}
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode)) {
		more_of(x, i)->major = (uint32_t)archive_entry_rdevmajor(a->ae);
		i->more->minor = (uint32_t)archive_entry_rdevminor(a->ae);
	}
	return 0;
}

/* What ends in the arena of the index of what the member's has. */
static void read_xattrs(struct tarfile_index *x, struct adding *a,
			struct tarfile_inode *i)
{
	struct tree_xattrs got;

	tarfile_acl_xattrs(a->ae, x->mem, &got, &x->left_out);
	if (got.n == 0)
		return;
	more_of(x, i)->xattrs = got;
	i->mode = tarfile_acl_mode(&got, i->mode);
}

static const struct keep_row *keep_row(const char *path)
{
	for (size_t i = 0; i < COUNT(keep_rows); i++)
		if (str_starts(path, keep_rows[i].prefix))
			return &keep_rows[i];
	return NULL;
}

static int keep(struct tarfile_index *x, struct adding *a,
		struct tarfile_inode *i, struct err *e)
{
	const struct keep_row *row = keep_row(a->path);
	struct slice piece;
	uint64_t at;
	size_t want, n = 0;
	char *to;

	if (!row || !S_ISREG(i->mode) || i->sparse || i->size == 0 ||
	    i->size > row->max)
		return 0;
	want = row->head && row->head < i->size ? row->head : (size_t)i->size;
	if (want > KEPT_MAX - x->kept)
		return 0;
	to = arena_alloc(x->mem, want);
	while (n < want) {
		int r = tarfile_stream_data(a->s, &piece, &at, e);

		if (r < 0)
			return -1;
		if (r == 0 || at != n)
			return tarfile_stream_bad(a->s, e,
						  "its content is cut off");
		if (piece.n > want - n)
			piece.n = want - n;
		memcpy(to + n, piece.p, piece.n);
		n += piece.n;
	}
	x->kept += want;
	more_of(x, i)->kept = (struct slice){ to, want };
	return 0;
}

/* --- members -------------------------------------------------------------- */

/* The inode that a hard link names. */
static int link_inode(struct tarfile_index *x, struct adding *a,
		      const char *first, uint32_t *ret, struct err *e)
{
	struct tarfile_inode *i;
	uint32_t node;

	if (check_name(a, "the name it is a hard link to", first, e))
		return -1;
	node = look_up(x, first);
	if (node == TARFILE_NONE ||
	    tarfile_node_at(x, node)->inode == TARFILE_NONE || is_dir(x, node))
		return tarfile_stream_bad(
			a->s, e,
			"a hard link to \"%s\", which no file before it is",
			str_show(a->mem, first, strlen(first), 200));
	*ret = tarfile_node_at(x, node)->inode;
	i = tarfile_inode_at(x, *ret);
	i->nlink++;
	return 0;
}

static int fill_inode(struct tarfile_index *x, struct adding *a,
		      struct tarfile_inode *i, struct err *e)
{
	struct tarfile_inode got = { .nlink = 1 };

	if (read_numbers(a, &got, e))
		return -1;
	if (!(got.mode & S_IFMT) || S_ISSOCK(got.mode))
		return tarfile_stream_bad(a->s, e,
					  "it is of a type that no file has");
	if (read_size(x, a, &got, e) || read_type(x, a, &got, e))
		return -1;
	read_xattrs(x, a, &got);
	*i = got;
	return keep(x, a, i, e);
}

/* What a member is, for a name that is new or lost what it had. */
static int set_inode(struct tarfile_index *x, struct adding *a, uint32_t node,
		     struct err *e)
{
	const char *first = archive_entry_hardlink(a->ae);
	struct tarfile_node *n = tarfile_node_at(x, node);
	uint32_t nr;

	if (first && link_inode(x, a, first, &nr, e))
		return -1;
	if (!first && (new_inode(x, a, &nr, e) ||
		       fill_inode(x, a, tarfile_inode_at(x, nr), e)))
		return -1;
	n->inode = nr;
	n->order = tarfile_stream_count(a->s);
	if (!first && is_dir(x, node)) {
		tarfile_inode_at(x, nr)->nlink = 2;
		nr = tarfile_node_at(x, n->parent)->inode;
		if (node > 0)
			tarfile_inode_at(x, nr)->nlink++;
	}
	return 0;
}

/* A directory may come twice: what the second says of it holds. */
static int again_dir(struct tarfile_index *x, struct adding *a, uint32_t node,
		     struct err *e)
{
	struct tarfile_node *n = tarfile_node_at(x, node);
	struct tarfile_inode *i = tarfile_inode_at(x, n->inode);
	uint32_t nlink = i->nlink;

	if (fill_inode(x, a, i, e))
		return -1;
	i->nlink = nlink;
	n->order = tarfile_stream_count(a->s);
	return 0;
}

static int again(struct tarfile_index *x, struct adding *a, uint32_t node,
		 struct err *e)
{
	struct tarfile_node *n = tarfile_node_at(x, node);
	bool was_dir = is_dir(x, node);
	const char *first = archive_entry_hardlink(a->ae);

	if (!first && was_dir && S_ISDIR(archive_entry_mode(a->ae)))
		return again_dir(x, a, node, e);
	if (was_dir)
		return tarfile_stream_bad(
			a->s, e, "it was a directory before and is none now");
	if (str_starts(a->path, own_prefix))
		return 0;
	x->twice++;
	tarfile_inode_at(x, n->inode)->nlink--;
	return set_inode(x, a, node, e);
}

/* "./etc/" is "etc" */
static const char *plain_path(const char *path, struct arena *mem)
{
	struct slice rest = { path, strlen(path) }, name;
	char *to = arena_alloc(mem, rest.n + 1);
	size_t n = 0;

	while (next_name(&rest, &name)) {
		if (n > 0)
			to[n++] = '/';
		memcpy(to + n, name.p, name.n);
		n += name.n;
	}
	return to;
}

static int add(struct tarfile_index *x, struct adding *a, struct err *e)
{
	const char *path = archive_entry_pathname(a->ae);
	struct slice name;
	uint32_t dir = 0, node;

	if (check_name(a, "its name", path, e))
		return -1;
	a->path = plain_path(path, a->mem);
	if (parent_of(x, a, &dir, &name, e))
		return -1;
	if (name.n == 0)
		return again(x, a, 0, e);
	node = tarfile_index_find(x, dir, name);
	if (node != TARFILE_NONE)
		return again(x, a, node, e);
	return new_node(x, a, dir, name, &node, e) || set_inode(x, a, node, e) ?
		       -1 :
		       0;
}

static int add_root(struct tarfile_index *x, struct adding *a, struct err *e)
{
	uint32_t root;

	if (getrandom(&x->seed, sizeof(x->seed), GRND_NONBLOCK) < 0)
		x->seed = (uint64_t)(uintptr_t)x;
	new_names(x, 1024);
	return new_node(x, a, 0, (struct slice){ "", 0 }, &root, e) ||
			       implied(x, a, root, e) ?
		       -1 :
		       0;
}

static int read_all(struct tarfile_index *x, struct tarfile_stream *s,
		    const char *until, struct err *e)
{
	struct adding a = { .s = s };
	int r;

	while ((r = tarfile_stream_next(s, &a.ae, e)) > 0) {
		struct arena *mem CLEANUP(arena_freep) = arena_new();

		a.mem = mem;
		if (x->n_nodes == 0 && add_root(x, &a, e))
			return -1;
		if (add(x, &a, e))
			return -1;
		if (until && str_eq(a.path, until))
			return 0;
	}
	if (r == 0 && x->n_nodes == 0)
		return tarfile_stream_bad(s, e, "it holds nothing");
	return r;
}

int tarfile_index_read(struct tarfile_index *ret, struct tarfile_stream *s,
		       const char *until, struct err *e)
{
	locale_t before = uselocale(tarfile_stream_locale(s));
	int r;

	while (until && *until == '/')
		until++;
	r = read_all(ret, s, until, e);

	uselocale(before);
	return r;
}

/* --- directories ---------------------------------------------------------- */

struct child {
	uint32_t order, node;
};

static int by_order(const void *a, const void *b)
{
	const struct child *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

void tarfile_index_children(const struct tarfile_index *x, uint32_t node,
			    struct arena *mem, uint32_t **ret, size_t *ret_n)
{
	uint32_t i = tarfile_node_at(x, node)->child;
	VEC(struct child) all = { 0 };

	for (; i != TARFILE_NONE; i = tarfile_node_at(x, i)->next)
		*vec_add(mem, &all) =
			(struct child){ tarfile_node_at(x, i)->order, i };
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_order);
	*ret = arena_alloc(mem, (all.n + 1) * sizeof(**ret));
	for (size_t k = 0; k < all.n; k++)
		(*ret)[k] = all.v[k].node;
	*ret_n = all.n;
}
