/*
 * Directories. Blocks are read one after the other, whether they are indexed
 * or not: an index looks like empty entries on purpose.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image/ext4.h"

enum {
	MAX_ENTRIES = 4000000, /* tree.h */
	MAX_NAMES = 96 << 20,  /* bytes of them */
	ENTRY = 8,             /* bytes before its name */
	INLINE_FIRST = 4,      /* bytes: the parent, before inline entries */
	INLINE_BLOCK = 60,     /* bytes of them in the inode's table */
};

struct entry {
	struct slice name;
	uint32_t ino;
	uint8_t type; /* DT_* */
};

/* Called for each entry but "." and ".."; 1 ends it. */
struct reader {
	struct ext4 *x;
	const struct ext4_inode *dir;
	int (*take)(struct reader *r, const struct entry *entry, struct err *e);
	void *arg;
};

static const uint8_t types[] = {
	[EXT2_FT_UNKNOWN] = DT_UNKNOWN, [EXT2_FT_REG_FILE] = DT_REG,
	[EXT2_FT_DIR] = DT_DIR,         [EXT2_FT_CHRDEV] = DT_CHR,
	[EXT2_FT_BLKDEV] = DT_BLK,      [EXT2_FT_FIFO] = DT_FIFO,
	[EXT2_FT_SOCK] = DT_SOCK,       [EXT2_FT_SYMLINK] = DT_LNK,
};

static bool is_dots(struct slice s)
{
	return (s.n == 1 && s.p[0] == '.') ||
	       (s.n == 2 && s.p[0] == '.' && s.p[1] == '.');
}

static int damaged(struct reader *r, const char *what, struct err *e)
{
	return ext4_bad(r->x, e, "directory of inode %" PRIu32 ": %s",
			r->dir->ino, what);
}

static int take_one(struct reader *r, const uint8_t *p, size_t name_n,
		    struct err *e)
{
	struct entry entry = {
		.name = { (const char *)p + ENTRY, name_n },
		.ino = block_le32(p),
	};
	uint8_t type = p[7];

	if (entry.ino == 0 || is_dots(entry.name))
		return 0;
	if (name_n == 0 || memchr(entry.name.p, '/', name_n) ||
	    memchr(entry.name.p, '\0', name_n))
		return damaged(r, "a name that cannot be", e);
	if (entry.ino > r->x->fs->super->s_inodes_count)
		return damaged(r, "an inode that is not there", e);
	if (ext2fs_has_feature_filetype(r->x->fs->super) && type < COUNT(types))
		entry.type = types[type];
	return r->take(r, &entry, e);
}

/* A name has 1 byte of length where entries tell their type, else 2. */
static size_t name_length(const struct reader *r, const uint8_t *p)
{
	return ext2fs_has_feature_filetype(r->x->fs->super) ? p[6] :
							      block_le16(p + 6);
}

static int take_all(struct reader *r, const char *data, size_t n, struct err *e)
{
	for (size_t at = 0; at + ENTRY <= n;) {
		const uint8_t *p = (const uint8_t *)data + at;
		unsigned step = 0;
		size_t name_n = name_length(r, p);
		int got;

		if (ext2fs_get_rec_len(r->x->fs, (void *)(uintptr_t)p, &step) ||
		    step < ENTRY || step % 4 || step > n - at ||
		    name_n > step - ENTRY)
			return damaged(r, "entries of a wrong length", e);
		got = take_one(r, p, name_n, e);
		if (got != 0)
			return got;
		at += step;
	}
	return 0;
}

static int read_inline(struct reader *r, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct slice s;
	size_t first;
	int got;

	if (ext4_inline(r->x, r->dir, mem, &s, e))
		return -1;
	first = s.n < INLINE_BLOCK ? s.n : INLINE_BLOCK;
	if (first < INLINE_FIRST)
		return damaged(r, "too short", e);
	got = take_all(r, s.p + INLINE_FIRST, first - INLINE_FIRST, e);
	if (got != 0 || s.n <= first)
		return got;
	return take_all(r, s.p + first, s.n - first, e);
}

static int read_run(struct reader *r, const struct ext4_run *run, char *room,
		    struct err *e)
{
	const size_t size = r->x->fs->blocksize;

	for (uint64_t at = 0; at < run->n; at += size) {
		uint64_t nr = (run->disk + at) / size;
		errcode_t code;
		int got;

		if (run->at + at >= ext4_size(r->dir))
			return 0;
		code = ext2fs_read_dir_block4(r->x->fs, nr, room, 0,
					      r->dir->ino);
		if (code)
			return ext4_fail(r->x, code, e,
					 "directory of inode %" PRIu32,
					 r->dir->ino);
		got = take_all(r, room, size, e);
		if (got != 0)
			return got;
	}
	return 0;
}

static int read_window(struct reader *r, const struct ext4_map *m, char *room,
		       struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		int got = read_run(r, &m->runs[i], room, e);

		if (got != 0)
			return got;
	}
	return 0;
}

static int read_dir(struct reader *r, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = NULL;
	struct ext4_map *m;
	char *room;

	if (!S_ISDIR(r->dir->raw.i_mode)) {
		block_bad_fill(r->x->b->name, e,
			       "inode %" PRIu32 " is not a directory",
			       r->dir->ino);
		e->code = ENOTDIR;
		return -1;
	}
	if (ext4_is_inline(r->dir))
		return read_inline(r, e);
	mem = arena_new();
	m = arena_alloc(mem, sizeof(*m));
	room = arena_alloc(mem, r->x->fs->blocksize);
	while (m->to < ext4_size(r->dir)) {
		int got;

		if (ext4_map(r->x, r->dir, m->to, m, e))
			return -1;
		got = read_window(r, m, room, e);
		if (got != 0)
			return got;
	}
	return 0;
}

struct listing {
	struct arena *mem;
	VEC(struct tree_entry) found;
	size_t names; /* bytes */
};

static int add_entry(struct reader *r, const struct entry *entry, struct err *e)
{
	struct listing *l = r->arg;

	l->names += entry->name.n + 1;
	if (l->found.n == MAX_ENTRIES || l->names > MAX_NAMES) {
		damaged(r, "too many entries", e);
		e->code = EFBIG;
		return -1;
	}
	*vec_add(l->mem, &l->found) = (struct tree_entry){
		.name = slice_dup(l->mem, entry->name),
		.type = entry->type,
		.ino = entry->ino,
	};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int ext4_dir_entries(struct ext4 *x, const struct ext4_inode *dir,
		     struct arena *mem, struct tree_entries *ret, struct err *e)
{
	struct listing l = { .mem = mem };
	struct reader r = { x, dir, add_entry, &l };

	if (read_dir(&r, e) < 0)
		return -1;
	if (l.found.n > 1)
		qsort(l.found.v, l.found.n, sizeof(*l.found.v), by_name);
	for (size_t i = 1; i < l.found.n; i++)
		if (str_eq(l.found.v[i - 1].name, l.found.v[i].name))
			return damaged(&r, "a name is there twice", e);
	*ret = (struct tree_entries){ .v = l.found.v, .n = l.found.n };
	return 0;
}

struct wanted {
	struct slice name;
	uint32_t ino;
};

static int is_wanted(struct reader *r, const struct entry *entry,
		     struct err *e UNUSED)
{
	struct wanted *w = r->arg;

	if (entry->name.n != w->name.n ||
	    memcmp(entry->name.p, w->name.p, w->name.n) != 0)
		return 0;
	w->ino = entry->ino;
	return 1;
}

int ext4_dir_find(struct ext4 *x, const struct ext4_inode *dir,
		  struct slice name, uint32_t *ret, struct err *e)
{
	struct wanted w = { .name = name };
	struct reader r = { x, dir, is_wanted, &w };
	int got = read_dir(&r, e);

	if (got > 0)
		*ret = w.ino;
	return got;
}
