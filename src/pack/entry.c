/* Reading an entry of the walk. */
#include "pack/entry.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "pack/extents.h"

enum { WINDOW = 4 << 20 }; /* of a large file, to be read ahead */

static const struct err *keep(const struct err *why, struct arena *mem)
{
	return arena_memdup(mem, why, sizeof(*why));
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool entry_is_same(const struct tree_stat *a, const struct tree_stat *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_time(&a->mtime, &b->mtime) && is_time(&a->ctime, &b->ctime);
}

bool entry_is_unified(const struct tree_stat *st)
{
	return S_ISREG(st->mode) && st->nlink > 1 &&
	       (st->flags & FS_IMMUTABLE_FL);
}

bool entry_is_shared(const struct tree_stat *st)
{
	return st->nlink > 1 && !S_ISDIR(st->mode) && !entry_is_unified(st);
}

/* Whether it is, after reading, what it was. */
static void look_again(struct entry *en)
{
	struct tree_stat now;
	struct err why;

	if (tree_file_stat(en->file, &now, &why) ||
	    !entry_is_same(&en->opened, &now))
		en->changed = true;
}

/* Asks for a byte more than there should be, so that one call shows the end. */
static ssize_t read_more(struct entry *en,
			 ssize_t (*how)(struct tree_file *f, uint64_t offset,
					void *data, size_t n, struct err *e),
			 struct err *why)
{
	ssize_t n = how(en->file, en->n, en->bytes + en->n,
			(size_t)en->opened.size + 1 - en->n, why);

	if (n > 0)
		en->n += (size_t)n;
	return n;
}

void entry_finish(struct entry *en, struct arena *mem, bool still)
{
	size_t size = (size_t)en->opened.size;
	struct err why;
	ssize_t n = 1;

	while (en->n < size && n > 0)
		n = read_more(en, tree_file_read, &why);
	if (n < 0)
		en->bytes_lost = keep(&why, mem);
	else
		en->changed = en->n != size;
	if (en->n > size)
		en->n = size;
	if (!still)
		look_again(en);
	tree_file_closep(&en->file);
	en->waits = false;
}

/* Whether the disk has to be waited for; it is told then. */
static bool must_wait(struct entry *en, struct entry_room *room)
{
	struct err why;
	ssize_t n;

	if (!room->tries || en->opened.size == 0)
		return false;
	n = read_more(en, tree_file_try, &why);
	if (n < 0 && why.code == EOPNOTSUPP)
		room->tries = false;
	if (n < 0 && why.code != EAGAIN)
		return false;
	if (n == 0 || en->n >= en->opened.size)
		return false;
	tree_file_expect(en->file, en->n, en->opened.size - en->n);
	return true;
}

static void read_whole(struct entry *en, struct arena *mem,
		       struct entry_room *room, bool still)
{
	size_t n = (size_t)en->opened.size + 1;

	en->is_whole = true;
	en->bytes = room->p;
	room->p += n;
	room->n -= n;
	en->waits = must_wait(en, room);
	if (!en->waits)
		entry_finish(en, mem, still);
}

static int read_extents(struct entry *en, struct arena *mem, struct err *why)
{
	if (en->opened.blocks * 512 < en->opened.size)
		return extents_of(en->file, &en->opened, mem, &en->data,
				  &en->n_data, why);
	en->all.length = en->opened.size;
	en->data = &en->all;
	en->n_data = en->opened.size > 0;
	return 0;
}

static bool is_without_holes(const struct entry *en)
{
	return en->n_data == 0 ? en->opened.size == 0 :
				 en->data[0].length == en->opened.size;
}

static int read_file(struct entry *en, struct tree *t, struct arena *mem,
		     struct entry_room *room, bool still, struct err *why)
{
	if (tree_file_open(t, en->path, &en->file, why))
		return -1;
	en->opened = *tree_file_opened(en->file);
	if (read_extents(en, mem, why))
		return -1;
	if (room && en->opened.size < room->n && is_without_holes(en))
		read_whole(en, mem, room, still);
	else if (room)
		tree_file_expect(en->file, 0, WINDOW);
	return 0;
}

static int read_link(struct entry *en, struct tree *t, struct arena *mem,
		     struct entry_room *room UNUSED, bool still UNUSED,
		     struct err *why)
{
	return tree_readlink(t, en->path, mem, &en->target, why);
}

static int read_nothing(struct entry *en UNUSED, struct tree *t UNUSED,
			struct arena *mem UNUSED,
			struct entry_room *room UNUSED, bool still UNUSED,
			struct err *why UNUSED)
{
	return 0;
}

static int (*const types[])(struct entry *, struct tree *, struct arena *,
			    struct entry_room *, bool, struct err *) = {
	[S_IFIFO >> 12] = read_nothing, [S_IFCHR >> 12] = read_nothing,
	[S_IFDIR >> 12] = read_nothing, [S_IFBLK >> 12] = read_nothing,
	[S_IFREG >> 12] = read_file,    [S_IFLNK >> 12] = read_link,
};

bool entry_is_known(uint32_t mode)
{
	size_t type = (mode & S_IFMT) >> 12;

	return type < COUNT(types) && types[type];
}

void entry_read(struct entry *en, struct tree *t, struct arena *mem,
		struct entry_room *room, bool still)
{
	size_t type = (en->st.mode & S_IFMT) >> 12;
	struct err why;

	en->is_read = true;
	en->opened = en->st;
	/* first: a file that the walk has open gives them by descriptor */
	if (tree_xattrs(t, en->path, mem, &en->xattrs, &why))
		en->xattrs_lost = keep(&why, mem);
	if (types[type](en, t, mem, room, still, &why)) {
		tree_file_closep(&en->file);
		en->lost = keep(&why, mem);
	}
}
