/* A sink that is a compressed tar: members become entries of libarchive. */
#include "pack/archive.h"

#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "pack/meta.h"
#include "pack/tar.h"

enum { ZEROS = 1 << 20 };

struct archive_sink {
	struct sink sink;
	struct arena *mem;
	struct out *out;
	struct tar *tar;
	struct archive_entry *ae;
	const char *zeros;
	struct buf name;   /* of the member being started */
	uint64_t at, size; /* in the content of the member */
};

static struct archive_sink *sink_of(struct sink *s)
{
	return (struct archive_sink *)s;
}

/* A file without holes needs no map: libarchive drops one of a single piece. */
static void add_holes(struct archive_entry *ae, const struct member *m)
{
	uint64_t data = 0;

	for (size_t i = 0; i < m->n_data; i++)
		data += m->data[i].length;
	if (data >= m->st.size)
		return;
	if (m->n_data == 0)
		archive_entry_sparse_add_entry(ae, 0, 0);
	for (size_t i = 0; i < m->n_data; i++)
		archive_entry_sparse_add_entry(ae,
					       (la_int64_t)m->data[i].offset,
					       (la_int64_t)m->data[i].length);
}

/* libarchive copies it. */
static const char *member_name(struct archive_sink *a, const char *path)
{
	buf_clear(&a->name);
	buf_adds(&a->name, "./");
	buf_adds(&a->name, path);
	return buf_str(&a->name);
}

/* libarchive wants holes as zeros, and drops them. */
static int put_hole(struct archive_sink *a, uint64_t n, struct err *e)
{
	while (n > 0) {
		size_t piece = n < ZEROS ? (size_t)n : ZEROS;

		if (tar_data(a->tar, a->zeros, piece, e))
			return -1;
		n -= piece;
	}
	return 0;
}

/* Holes at the end are not left to libarchive: the map of holes would lack. */
static int end_member(struct archive_sink *a, struct err *e)
{
	uint64_t left = a->size - a->at;

	a->at = a->size;
	return put_hole(a, left, e);
}

static int put_member(struct sink *s, const struct member *m, struct err *e)
{
	struct archive_sink *a = sink_of(s);

	if (end_member(a, e))
		return -1;
	archive_entry_clear(a->ae);
	archive_entry_set_pathname(a->ae, member_name(a, m->path));
	meta_fill(a->ae, m);
	if (m->first) {
		archive_entry_set_filetype(a->ae, AE_IFREG);
		archive_entry_set_hardlink(a->ae, member_name(a, m->first));
		/* the file has the time; a fraction would cost 1 KiB a link */
		archive_entry_set_mtime(a->ae, m->st.mtime.tv_sec, 0);
	} else if (m->target) {
		archive_entry_set_symlink(a->ae, m->target);
	} else {
		add_holes(a->ae, m);
	}
	a->at = 0;
	a->size = S_ISREG(m->st.mode) && !m->first ? m->st.size : 0;
	return tar_entry(a->tar, a->ae, m->st.mode, e);
}

static int put_data(struct sink *s, uint64_t at, const void *data, size_t n,
		    struct err *e)
{
	struct archive_sink *a = sink_of(s);

	if (put_hole(a, at - a->at, e))
		return -1;
	a->at = at + n;
	return tar_data(a->tar, data, n, e);
}

static int finish(struct sink *s, struct out_totals *ret, struct err *e)
{
	struct archive_sink *a = sink_of(s);

	if (end_member(a, e) || tar_finish(a->tar, e))
		return -1;
	return out_finish(a->out, ret, e);
}

static int place(struct sink *s, struct err *e)
{
	return out_place(sink_of(s)->out, e);
}

static void close_sink(struct sink *s)
{
	struct archive_sink *a = sink_of(s);

	tar_closep(&a->tar);
	out_closep(&a->out);
	archive_entry_free(a->ae);
	buf_done(&a->name);
	arena_free(a->mem);
}

static const struct sink_ops ops = {
	.member = put_member,
	.data = put_data,
	.finish = finish,
	.place = place,
	.close = close_sink,
};

static int set_up(struct archive_sink *a, struct err *e)
{
	a->ae = archive_entry_new();
	if (!a->ae)
		return err_set(e, ENOMEM, "set up libarchive");
	return tar_open(a->out, &a->tar, e);
}

int archive_open(int dirfd, const char *name, const struct out_options *o,
		 struct sink **ret, struct err *e)
{
	struct arena *mem = arena_new();
	struct archive_sink *a = arena_alloc(mem, sizeof(*a));

	a->sink.ops = &ops;
	a->mem = mem;
	a->zeros = arena_alloc(mem, ZEROS);
	if (out_open(dirfd, name, o, &a->out, e) || set_up(a, e)) {
		close_sink(&a->sink);
		return -1;
	}
	*ret = &a->sink;
	return 0;
}
