/* Packing: each entry of the walk becomes a member, or a line of the result. */
#include "pack/pack.h"

#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "pack/links.h"
#include "pack/meta.h"
#include "pack/out.h"
#include "pack/tar.h"

enum { PIECE = 1 << 20 }; /* read at a time, bytes */

struct pack {
	struct tree *tree;
	const struct pack_options *o;
	struct pack_result *result;
	struct arena *mem;     /* of the result */
	struct arena *scratch; /* of the whole run */
	struct tar *tar;
	struct links links;
	struct archive_entry *ae;
	uint64_t dev;      /* of the root */
	char *bytes;       /* PIECE */
	const char *zeros; /* PIECE */
};

/* One entry on its way into the archive; dies with the visit. */
struct item {
	const char *path; /* as tree_walk says it */
	const struct tree_stat *st;
	struct arena *mem;
	struct tree_file *file;   /* of a regular one */
	struct tree_extent *data; /* its extents */
	size_t n_data;
};

static void pack_done(struct pack *p)
{
	tar_closep(&p->tar);
	archive_entry_free(p->ae);
	arena_freep(&p->scratch);
}

static void item_done(struct item *it)
{
	tree_file_closep(&it->file);
	arena_freep(&it->mem);
}

static void note(struct pack *p, struct pack_names *names, const char *path)
{
	if (names->n++ < PACK_NAMES)
		strv_add(p->mem, &names->first,
			 arena_printf(p->mem, "/%s", path));
}

static bool is_gone(int code)
{
	switch (code) {
	case ENOENT: /* removed; the rest: replaced by something else */
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case EINVAL:
	case ESTALE:
		return true;
	default:
		return false;
	}
}

/* Why an entry is not in the archive; the packing goes on. */
static int lost(struct pack *p, const char *path, const struct err *why)
{
	note(p,
	     is_gone(why->code) ? &p->result->vanished : &p->result->unreadable,
	     path);
	return 0;
}

/* 0, or which way a path is left out. */
enum skip { SKIP_NOT, SKIP_ALL, SKIP_BELOW };

static enum skip skip_of(const char *skip, const char *path)
{
	size_t n;

	while (*skip == '/' || str_starts(skip, "./"))
		skip += *skip == '/' ? 1 : 2;
	n = strlen(skip);
	if (n > 2 && str_ends(skip, "/*"))
		return strncmp(skip, path, n - 2) == 0 && !path[n - 2] ?
			       SKIP_BELOW :
			       SKIP_NOT;
	while (n > 0 && skip[n - 1] == '/')
		n--;
	return n > 0 && strncmp(skip, path, n) == 0 && !path[n] ? SKIP_ALL :
								  SKIP_NOT;
}

static enum skip is_skipped(const struct pack *p, const char *path)
{
	enum skip r = SKIP_NOT;

	for (size_t i = 0; i < p->o->n_skip && r != SKIP_ALL; i++) {
		enum skip one = skip_of(p->o->skip[i], path);

		if (one != SKIP_NOT)
			r = one;
	}
	return r;
}

static const char *member_name(const char *path, struct arena *mem)
{
	return arena_printf(mem, "./%s", path);
}

/* Writes the header of what p->ae holds by now. */
static int put_header(struct pack *p, const struct item *it, struct err *e)
{
	int r = tar_entry(p->tar, p->ae, it->st->mode, e);

	if (r < 0)
		return -1;
	if (r > 0)
		note(p, &p->result->unreadable, it->path);
	return 0;
}

/* p->ae becomes the inode with its name, xattrs and ACLs. */
static void start_entry(struct pack *p, const struct item *it)
{
	struct tree_xattrs x = { 0 };
	struct err why;

	if (tree_xattrs(p->tree, it->path, it->mem, &x, &why))
		note(p,
		     is_gone(why.code) ? &p->result->changed :
					 &p->result->unreadable,
		     it->path);
	archive_entry_clear(p->ae);
	archive_entry_set_pathname(p->ae, member_name(it->path, it->mem));
	p->result->xattrs_dropped += meta_fill(p->ae, it->st, &x);
}

static int put_plain(struct pack *p, struct item *it, uint64_t *count,
		     struct err *e)
{
	start_entry(p, it);
	if (put_header(p, it, e))
		return -1;
	++*count;
	return 0;
}

static int put_dir(struct pack *p, struct item *it, struct err *e)
{
	if (p->o->one_fs && it->st->dev != p->dev)
		note(p, &p->result->mounts, it->path);
	return put_plain(p, it, &p->result->dirs, e);
}

static int put_link(struct pack *p, struct item *it, struct err *e)
{
	const char *target;
	struct err why;

	if (tree_readlink(p->tree, it->path, it->mem, &target, &why))
		return lost(p, it->path, &why);
	start_entry(p, it);
	archive_entry_set_symlink(p->ae, target);
	if (put_header(p, it, e))
		return -1;
	p->result->links++;
	return 0;
}

static int put_fifo(struct pack *p, struct item *it, struct err *e)
{
	return put_plain(p, it, &p->result->fifos, e);
}

static int put_node(struct pack *p, struct item *it, struct err *e)
{
	return put_plain(p, it, &p->result->nodes, e);
}

/* A file without holes needs no map: libarchive drops one of a single piece. */
static void add_holes(struct pack *p, const struct item *it)
{
	uint64_t data = 0;

	for (size_t i = 0; i < it->n_data; i++)
		data += it->data[i].length;
	if (data >= it->st->size)
		return;
	if (it->n_data == 0)
		archive_entry_sparse_add_entry(p->ae, 0, 0);
	for (size_t i = 0; i < it->n_data; i++)
		archive_entry_sparse_add_entry(p->ae,
					       (la_int64_t)it->data[i].offset,
					       (la_int64_t)it->data[i].length);
}

/* libarchive wants holes as zeros, and drops them. */
static int put_hole(struct pack *p, uint64_t n, struct err *e)
{
	while (n > 0) {
		size_t piece = n < PIECE ? (size_t)n : PIECE;

		if (tar_data(p->tar, p->zeros, piece, e))
			return -1;
		n -= piece;
	}
	return 0;
}

/*
 * 1: the file is not what it was; what is missing becomes zeros (tar_entry).
 */
static int put_extent(struct pack *p, struct item *it,
		      const struct tree_extent *x, struct err *e)
{
	struct err why;

	for (uint64_t done = 0; done < x->length;) {
		uint64_t left = x->length - done;
		ssize_t n = tree_file_read(it->file, x->offset + done, p->bytes,
					   left < PIECE ? (size_t)left : PIECE,
					   &why);

		if (n < 0)
			note(p, &p->result->unreadable, it->path);
		if (n <= 0)
			return 1;
		if (tar_data(p->tar, p->bytes, (size_t)n, e))
			return -1;
		done += (uint64_t)n;
		p->result->bytes_in += (uint64_t)n;
	}
	return 0;
}

static int put_content(struct pack *p, struct item *it, struct err *e)
{
	uint64_t at = 0;

	for (size_t i = 0; i < it->n_data; i++) {
		const struct tree_extent *x = &it->data[i];
		int r;

		if (put_hole(p, x->offset - at, e))
			return -1;
		r = put_extent(p, it, x, e);
		if (r)
			return r < 0 ? -1 : 0;
		at = x->offset + x->length;
	}
	return at < it->st->size ? put_hole(p, it->st->size - at, e) : 0;
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_unchanged(const struct tree_stat *a, const struct tree_stat *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_time(&a->mtime, &b->mtime) && is_time(&a->ctime, &b->ctime);
}

/* What is announced is the open file's state, which the walk's may not be. */
static int put_file(struct pack *p, struct item *it, struct err *e)
{
	const struct tree_stat *seen = it->st;
	struct tree_stat before, after;
	struct err why;

	if (tree_file_open(p->tree, it->path, &it->file, &why) ||
	    tree_file_stat(it->file, &before, &why) ||
	    tree_file_extents(it->file, it->mem, &it->data, &it->n_data, &why))
		return lost(p, it->path, &why);
	it->st = &before;
	start_entry(p, it);
	add_holes(p, it);
	if (put_header(p, it, e) || put_content(p, it, e))
		return -1;
	if (tree_file_stat(it->file, &after, &why) ||
	    !is_unchanged(seen, &before) || !is_unchanged(&before, &after))
		note(p, &p->result->changed, it->path);
	p->result->files++;
	it->st = seen;
	return 0;
}

static int put_hardlink(struct pack *p, struct item *it, const char *first,
			struct err *e)
{
	archive_entry_clear(p->ae);
	archive_entry_set_pathname(p->ae, member_name(it->path, it->mem));
	meta_fill(p->ae, it->st, &(struct tree_xattrs){ 0 });
	archive_entry_set_filetype(p->ae, AE_IFREG);
	archive_entry_set_hardlink(p->ae, member_name(first, it->mem));
	archive_entry_set_size(p->ae, 0);
	if (put_header(p, it, e))
		return -1;
	p->result->hardlinks++;
	return 0;
}

static int (*const put_type[])(struct pack *, struct item *, struct err *) = {
	[S_IFIFO >> 12] = put_fifo, [S_IFCHR >> 12] = put_node,
	[S_IFDIR >> 12] = put_dir,  [S_IFBLK >> 12] = put_node,
	[S_IFREG >> 12] = put_file, [S_IFLNK >> 12] = put_link,
};

/* Sockets live as long as who listens; nodes are a matter of policy. */
static bool is_left_out(struct pack *p, const struct tree_stat *st)
{
	if (S_ISSOCK(st->mode)) {
		p->result->sockets++;
		return true;
	}
	if ((S_ISCHR(st->mode) || S_ISBLK(st->mode)) && !p->o->keep_nodes) {
		p->result->nodes_skipped++;
		return true;
	}
	return false;
}

static uint64_t count_members(const struct pack_result *r)
{
	return r->files + r->dirs + r->links + r->nodes + r->fifos;
}

static int put(struct pack *p, const char *path, const struct tree_stat *st,
	       struct err *e)
{
	struct item it CLEANUP(item_done) = {
		.path = path,
		.st = st,
		.mem = arena_new(),
	};
	size_t type = (st->mode & S_IFMT) >> 12;
	bool shared = st->nlink > 1 && !S_ISDIR(st->mode);
	const char *first = NULL;
	uint64_t n = count_members(p->result);

	if (type >= COUNT(put_type) || !put_type[type])
		return lost(p, path, &(struct err){ .code = EIO });
	if (shared)
		first = links_find(&p->links, st->dev, st->ino);
	if (first)
		return put_hardlink(p, &it, first, e);
	if (put_type[type](p, &it, e))
		return -1;
	/* one that was lost is no file to link to */
	if (shared && count_members(p->result) > n)
		links_add(&p->links, st->dev, st->ino,
			  arena_strdup(p->scratch, path));
	return 0;
}

static int visit(void *arg, const char *path, const struct tree_stat *st,
		 struct err *e)
{
	struct pack *p = arg;
	enum skip skip = is_skipped(p, path);

	if (skip == SKIP_ALL) {
		p->result->skipped++;
		return 1;
	}
	if (!st)
		return *path ? lost(p, path, e) : -1;
	if (*path == '\0')
		p->dev = st->dev;
	if (is_left_out(p, st))
		return 0;
	if (st->flags)
		note(p, &p->result->flagged, path);
	if (put(p, path, st, e))
		return -1;
	return skip == SKIP_BELOW;
}

static int write_tree(struct pack *p, struct out *out, struct err *e)
{
	p->scratch = arena_new();
	p->links.mem = p->scratch;
	p->bytes = arena_alloc(p->scratch, PIECE);
	p->zeros = arena_alloc(p->scratch, PIECE);
	p->ae = archive_entry_new();
	if (!p->ae)
		return err_set(e, ENOMEM, "set up libarchive");
	if (tar_open(out, &p->tar, e) ||
	    tree_walk(p->tree, "", p->o->one_fs, visit, p, e))
		return -1;
	return tar_finish(p->tar, e);
}

int pack_write(struct tree *t, int dirfd, const char *name,
	       const struct pack_options *o, struct arena *mem,
	       struct pack_result *ret, struct err *e)
{
	struct out *out CLEANUP(out_closep) = NULL;
	struct out_totals totals;
	struct pack_result result = { 0 };
	struct pack p CLEANUP(pack_done) = {
		.tree = t, .o = o, .result = &result, .mem = mem
	};

	if (out_open(dirfd, name, o->level ? o->level : PACK_LEVEL, &out, e) ||
	    write_tree(&p, out, e) || out_finish(out, &totals, e))
		return err_wrap(e, "pack %s", tree_name(t));
	result.bytes_tar = totals.bytes_tar;
	result.bytes_out = totals.bytes_out;
	memcpy(result.sha256, totals.sha256, sizeof(result.sha256));
	memcpy(result.tar_sha256, totals.tar_sha256, sizeof(result.tar_sha256));
	result.incomplete = result.unreadable.n > 0;
	*ret = result;
	return 0;
}
