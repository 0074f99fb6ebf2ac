/* Reading a list of members. It may have been tampered with: all is checked. */
#include "pack/lines.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/fd.h"

enum {
	READ = 64 << 10,
	LINE_MAX_BYTES = 16 << 20, /* a path of 4 million names */
};

struct lines {
	struct arena *mem;
	const char *name;
	int fd;
	struct archive *a;
	struct buf bytes; /* read, of which `at` are done */
	size_t at;
	struct buf path;
	uint64_t variant, n_variants;
	uint64_t number; /* of the line, for messages */
	bool in_body;    /* line waits that the head ended with */
	struct slice first;
};

static int broken(const struct lines *l, const char *what, struct err *e)
{
	return err_set(e, 0, "%s: line %llu: %s", l->name,
		       (unsigned long long)l->number, what);
}

/* More bytes behind what is left; 0 at the end. */
static int fill(struct lines *l, struct err *e)
{
	char bytes[READ];
	la_ssize_t n = archive_read_data(l->a, bytes, sizeof(bytes));
	size_t left = l->bytes.n - l->at;

	if (n < 0)
		return err_set(e, 0, "read %s: %s", l->name,
			       archive_error_string(l->a));
	if (left > LINE_MAX_BYTES)
		return broken(l, "it is too long", e);
	if (l->at > 0)
		memmove(l->bytes.p, l->bytes.p + l->at, left);
	l->bytes.n = left;
	l->at = 0;
	buf_add(&l->bytes, bytes, (size_t)n);
	return n > 0;
}

static int next_text(struct lines *l, struct slice *ret, struct err *e)
{
	size_t looked = 0;

	for (;;) {
		const char *p = buf_str(&l->bytes) + l->at;
		size_t left = l->bytes.n - l->at;
		const char *end = memchr(p + looked, '\n', left - looked);
		int r;

		if (end) {
			*ret = (struct slice){ p, (size_t)(end - p) };
			l->at += ret->n + 1;
			l->number++;
			return 1;
		}
		looked = left;
		r = fill(l, e);
		if (r == 0 && left > 0)
			return broken(l, "it does not end", e);
		if (r <= 0)
			return r;
	}
}

static bool starts(struct slice s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* "# variant 0 is rootfs.tar.zst" */
static void see_variant(struct lines *l, struct slice text, const char *wanted)
{
	static const char begin[] = "# variant ";
	static const char is[] = " is ";
	const char *name;

	if (!starts(text, begin))
		return;
	name = memmem(text.p, text.n, is, sizeof(is) - 1);
	if (!name)
		return;
	name += sizeof(is) - 1;
	if (wanted &&
	    slice_eq((struct slice){ name, (size_t)(text.p + text.n - name) },
		     wanted))
		l->variant = l->n_variants;
	l->n_variants++;
}

static int read_head(struct lines *l, const char *variant, struct err *e)
{
	struct slice text = { 0 };
	int r = next_text(l, &text, e);

	if (r < 0)
		return -1;
	if (r == 0 || !slice_eq(text, list_magic))
		return err_set(e, 0, "%s is no list of members", l->name);
	l->variant = variant ? UINT64_MAX : 0;
	while ((r = next_text(l, &text, e)) > 0 && starts(text, "#"))
		see_variant(l, text, variant);
	if (r < 0)
		return -1;
	l->in_body = r > 0;
	l->first = text;
	if (l->variant == UINT64_MAX)
		return err_set(e, 0, "%s has no variant %s", l->name, variant);
	if (!variant && l->n_variants != 1)
		return err_set(e, 0, "%s has several variants", l->name);
	return 0;
}

static int open_file(struct lines *l, int dirfd, struct err *e)
{
	struct archive_entry *ae;

	l->fd = openat(dirfd, l->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (l->fd < 0)
		return err_set(e, errno, "open %s", l->name);
	l->a = archive_read_new();
	if (!l->a)
		return err_set(e, ENOMEM, "set up libarchive");
	if (archive_read_support_format_raw(l->a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(l->a) != ARCHIVE_OK ||
	    archive_read_open_fd(l->a, l->fd, READ) != ARCHIVE_OK ||
	    archive_read_next_header(l->a, &ae) != ARCHIVE_OK)
		return err_set(e, 0, "read %s: %s", l->name,
			       archive_error_string(l->a));
	return 0;
}

int lines_open(int dirfd, const char *name, const char *variant,
	       struct lines **ret, struct err *e)
{
	struct arena *mem = arena_new();
	struct lines *l CLEANUP(lines_closep) = arena_alloc(mem, sizeof(*l));

	l->mem = mem;
	l->name = arena_strdup(mem, name);
	l->fd = -1;
	if (open_file(l, dirfd, e) || read_head(l, variant, e))
		return -1;
	*ret = l;
	l = NULL;
	return 0;
}

/* "*", or numbers with commas between */
static bool has_variant(struct slice list, uint64_t variant)
{
	char text[24];
	struct slice one;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)variant);
	if (slice_eq(list, "*"))
		return true;
	while (slice_next(&list, ',', &one))
		if (slice_eq(one, text))
			return true;
	return false;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Takes "\011" back; the path begins with a slash, which goes. */
static int unescape(struct lines *l, struct slice s, struct err *e)
{
	buf_clear(&l->path);
	if (s.n == 0 || *s.p != '/')
		return broken(l, "its path does not begin with a slash", e);
	for (size_t i = 1; i < s.n; i++) {
		const char *p = s.p + i;
		int c;

		if (*p != '\\') {
			buf_addc(&l->path, *p);
			continue;
		}
		if (s.n - i < 4 || !is_octal(p[1]) || !is_octal(p[2]) ||
		    !is_octal(p[3]))
			return broken(l, "its path has an unknown escape", e);
		c = (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
		if (c == 0 || c > 255)
			return broken(l, "its path has an unknown escape", e);
		buf_addc(&l->path, (char)c);
		i += 3;
	}
	return 0;
}

static int split(struct lines *l, struct slice text, struct lines_line *ret,
		 struct err *e)
{
	size_t n = 0;

	while (n < LIST_FIELDS && slice_next(&text, '\t', &ret->fields[n]))
		n++;
	if (n != LIST_FIELDS || text.n > 0)
		return broken(l, "it has not the known fields", e);
	return 0;
}

int lines_next(struct lines *l, struct lines_line *ret, struct err *e)
{
	struct lines_line line;
	struct slice text;

	for (;;) {
		int r = 1;

		if (l->in_body)
			text = l->first;
		else
			r = next_text(l, &text, e);
		l->in_body = false;
		if (r <= 0)
			return r;
		if (split(l, text, &line, e))
			return -1;
		if (has_variant(line.fields[LIST_VARIANTS], l->variant))
			break;
	}
	if (unescape(l, line.fields[LIST_PATH], e))
		return -1;
	line.path = buf_str(&l->path);
	*ret = line;
	return 1;
}

void lines_closep(struct lines **l)
{
	struct lines *x = *l;

	if (!x)
		return;
	archive_read_free(x->a);
	fd_closep(&x->fd);
	buf_done(&x->bytes);
	buf_done(&x->path);
	arena_free(x->mem);
	*l = NULL;
}
