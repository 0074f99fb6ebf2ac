/*
 * The members of an archive, one after the other. A compressed one is read
 * through two readers, one for what it is packed with and one for the tar in
 * it: between them the bytes are counted, so that no header and no bomb takes
 * more than it may. A tar as it is is read by one that skips content.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <string.h>

#include "base/attr.h"
#include "tree/tarfile.h"

enum {
	BLOCK = 256 << 10,
	/* of tar before a member's data: names, xattrs, a sparse map */
	HEADER_MAX = 16 << 20,
	RATIO_MAX =
		1000, /* of tar to archive; no file system is so empty ... */
	RATIO_FROM = 1 << 30, /* ... but a young database in it may be; bytes */
};

struct tarfile_stream {
	struct arena *mem;
	struct tree_file *f;
	const char *name;
	uint64_t in;  /* bytes of the file taken */
	uint64_t out; /* bytes of tar given */
	uint64_t out_max;
	uint64_t head_at; /* out, where the header began */
	bool in_head;
	struct archive *unpacks; /* NULL: it is a tar as it is */
	bool by_program;         /* of its own: lzop */
	struct archive *tar;
	struct err io; /* why a reader of ours failed, or msg "" */
	char *block;
	uint32_t count;     /* of members */
	const char *member; /* name of the last, printable; in text */
	struct arena *text;
	locale_t utf8; /* names of pax are in it, whatever the user's is */
};

static const struct packing {
	const char *name, *magic;
	size_t n;
	int (*filter)(struct archive *a);
} packings[] = {
	{ "gzip", "\x1f\x8b", 2, archive_read_support_filter_gzip },
	{ "bzip2", "BZh", 3, archive_read_support_filter_bzip2 },
	{ "xz",
	  "\xfd"
	  "7zXZ\0",
	  6, archive_read_support_filter_xz },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, archive_read_support_filter_zstd },
	{ "lzop", "\x89LZO\0\r\n\x1a\n", 9, archive_read_support_filter_lzop },
};

static const struct packing *packing_of(const void *head, size_t n)
{
	for (size_t i = 0; i < COUNT(packings); i++)
		if (n >= packings[i].n &&
		    memcmp(head, packings[i].magic, packings[i].n) == 0)
			return &packings[i];
	return NULL;
}

const char *tarfile_stream_kind(const void *head, size_t n)
{
	static const size_t ustar_at = 257; /* POSIX and GNU have it there */
	const struct packing *p = packing_of(head, n);

	if (p)
		return p->name;
	return n >= 512 && memcmp((const char *)head + ustar_at, "ustar", 5) ==
				       0 ?
		       "" :
		       NULL;
}

int tarfile_stream_bad(struct tarfile_stream *s, struct err *e, const char *fmt,
		       ...)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(mem, fmt, ap);
	va_end(ap);
	if (s->member)
		err_fill(e, 0, "%s: member %" PRIu32 " \"%s\": %s", s->name,
			 s->count, s->member, text);
	else
		err_fill(e, 0, "%s: %s", s->name, text);
	e->code = EUCLEAN;
	return -1;
}

static const char *why(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text ? text : "it is damaged";
}

/* What went wrong below, else what libarchive says. */
static int fail(struct tarfile_stream *s, struct err *e)
{
	if (*s->io.msg) {
		*e = s->io;
		return -1;
	}
	return tarfile_stream_bad(s, e, "%s", why(s->tar));
}

/* --- bytes ---------------------------------------------------------------- */

static la_ssize_t read_file(struct archive *a, void *arg, const void **ret)
{
	struct tarfile_stream *s = arg;
	ssize_t n = tree_file_read(s->f, s->in, s->block, BLOCK, &s->io);

	if (n < 0) {
		archive_set_error(a, s->io.code, "%s", s->io.msg);
		return -1;
	}
	s->in += (uint64_t)n;
	*ret = s->block;
	return n;
}

/* Beyond the end, too: the next read shows that it is cut off. */
static la_int64_t skip_file(struct archive *a UNUSED, void *arg, la_int64_t n)
{
	struct tarfile_stream *s = arg;

	if (n <= 0)
		return 0;
	s->in += (uint64_t)n;
	return n;
}

static int stop(struct tarfile_stream *s, int code, const char *text)
{
	if (s->member)
		err_fill(&s->io, 0, "%s: behind member %" PRIu32 " \"%s\": %s",
			 s->name, s->count, s->member, text);
	else
		err_fill(&s->io, 0, "%s: %s", s->name, text);
	s->io.code = code;
	return -1;
}

/* Whether so many bytes may be. */
static int count(struct tarfile_stream *s, size_t n)
{
	s->out += n;
	if (s->in_head && s->out - s->head_at > HEADER_MAX)
		return stop(s, EUCLEAN,
			    "the header of a member is larger than 16 MiB");
	if (s->unpacks && s->out > s->out_max)
		return stop(s, EFBIG,
			    "it unpacks to more than a thousand times its "
			    "size: taken for a bomb; unpack it and give the "
			    "directory if it is none");
	return 0;
}

static la_ssize_t read_tar(struct archive *a, void *arg, const void **ret)
{
	struct tarfile_stream *s = arg;
	la_ssize_t n;

	if (!s->unpacks) {
		n = read_file(a, arg, ret);
	} else {
		la_int64_t at;
		size_t size = 0;
		int got = archive_read_data_block(s->unpacks, ret, &size, &at);

		n = got == ARCHIVE_EOF ? 0 : (la_ssize_t)size;
		if (got != ARCHIVE_OK && got != ARCHIVE_EOF) {
			if (!*s->io.msg)
				stop(s, EUCLEAN, why(s->unpacks));
			n = -1;
		}
	}
	if (n > 0 && count(s, (size_t)n))
		n = -1;
	if (n < 0)
		archive_set_error(a, s->io.code, "%s", s->io.msg);
	return n;
}

void tarfile_stream_closep(struct tarfile_stream **s)
{
	struct tarfile_stream *x = *s;
	const void *data;

	if (!x)
		return;
	/* a program whose output nobody reads would complain */
	while (x->by_program && read_tar(x->tar, x, &data) > 0)
		;
	archive_read_free(x->tar);
	archive_read_free(x->unpacks);
	arena_free(x->text);
	if (x->utf8)
		freelocale(x->utf8);
	arena_free(x->mem);
	*s = NULL;
}

/* --- opening -------------------------------------------------------------- */

static int open_packed(struct tarfile_stream *s, const struct packing *p,
		       struct err *e)
{
	struct archive_entry *ae;
	int got;

	s->unpacks = archive_read_new();
	got = p->filter(s->unpacks);
	if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
		return tarfile_stream_bad(
			s, e,
			"packed with %s, which libarchive here cannot read: "
			"recompress it with zstd",
			p->name);
	if (archive_read_support_format_raw(s->unpacks) != ARCHIVE_OK ||
	    archive_read_open2(s->unpacks, s, NULL, read_file, NULL, NULL) !=
		    ARCHIVE_OK ||
	    archive_read_next_header(s->unpacks, &ae) != ARCHIVE_OK) {
		if (*s->io.msg) {
			*e = s->io;
			return -1;
		}
		return tarfile_stream_bad(
			s, e, "packed with %s, which cannot be read%s: %s",
			p->name,
			got == ARCHIVE_WARN ? " (where the program of that "
					      "name is missing, install it or "
					      "recompress with zstd)" :
					      "",
			why(s->unpacks));
	}
	s->by_program = got == ARCHIVE_WARN;
	return 0;
}

int tarfile_stream_open(struct tree_file *f, const char *name,
			struct tarfile_stream **ret, struct err *e)
{
	struct arena *mem = arena_new();
	struct tarfile_stream *s CLEANUP(tarfile_stream_closep) =
		arena_alloc(mem, sizeof(*s));
	const struct packing *p;
	char head[512];
	ssize_t n = tree_file_read(f, 0, head, sizeof(head), e);

	s->mem = mem;
	s->f = f;
	s->name = arena_strdup(mem, name);
	s->block = arena_alloc(mem, BLOCK);
	s->out_max = f->opened.size < RATIO_FROM / RATIO_MAX ?
			     RATIO_FROM :
			     f->opened.size * RATIO_MAX;
	if (n < 0)
		return -1;
	p = packing_of(head, (size_t)n);
	if (p && open_packed(s, p, e))
		return -1;
	s->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	s->tar = archive_read_new();
	if (archive_read_support_format_tar(s->tar) != ARCHIVE_OK ||
	    archive_read_open2(s->tar, s, NULL, read_tar, p ? NULL : skip_file,
			       NULL) != ARCHIVE_OK)
		return fail(s, e);
	*ret = s;
	s = NULL;
	return 0;
}

/* --- members -------------------------------------------------------------- */

/*
 * The end is marked by blocks of zeros; without one libarchive is content, but
 * more may have been there. What is packed behind it is read for its checksum.
 */
static int end(struct tarfile_stream *s, struct err *e)
{
	const void *data;
	la_ssize_t n;

	if (archive_filter_bytes(s->tar, 0) ==
	    archive_read_header_position(s->tar))
		return tarfile_stream_bad(
			s, e, "the archive ends behind it, cut off");
	if (!s->unpacks)
		return 0;
	while ((n = read_tar(s->tar, s, &data)) > 0)
		;
	return n < 0 ? fail(s, e) : 0;
}

static void name_member(struct tarfile_stream *s, struct archive_entry *ae)
{
	const char *name = archive_entry_pathname(ae);

	arena_freep(&s->text);
	s->text = arena_new();
	s->count++;
	s->member = name ? str_show(s->text, name, strlen(name), 200) : "?";
}

int tarfile_stream_next(struct tarfile_stream *s, struct archive_entry **ret,
			struct err *e)
{
	int got = s->count > 0 ? archive_read_data_skip(s->tar) : ARCHIVE_OK;
	locale_t before;

	if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
		return fail(s, e);
	s->in_head = true;
	s->head_at = s->out;
	before = uselocale(tarfile_stream_locale(s));
	got = archive_read_next_header(s->tar, ret);
	if (got == ARCHIVE_OK || got == ARCHIVE_WARN)
		name_member(s, *ret);
	uselocale(before);
	s->in_head = false;
	if (got == ARCHIVE_EOF)
		return end(s, e);
	if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
		return fail(s, e);
	return 1;
}

int tarfile_stream_data(struct tarfile_stream *s, struct slice *ret,
			uint64_t *ret_offset, struct err *e)
{
	const void *data = NULL;
	la_int64_t at = 0;
	size_t n = 0;
	int got;

	do {
		got = archive_read_data_block(s->tar, &data, &n, &at);
	} while (got == ARCHIVE_OK && n == 0);
	if (got == ARCHIVE_EOF)
		return 0;
	if (got != ARCHIVE_OK || at < 0)
		return fail(s, e);
	*ret = (struct slice){ data, n };
	*ret_offset = (uint64_t)at;
	return 1;
}

locale_t tarfile_stream_locale(const struct tarfile_stream *s)
{
	return s->utf8 ? s->utf8 : LC_GLOBAL_LOCALE;
}

uint32_t tarfile_stream_count(const struct tarfile_stream *s)
{
	return s->count;
}
