/* The list of members. */
#include "pack/list.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/str.h"

enum {
	LEVEL = 3, /* of zstd, with its usual window: memory */
	BLOCK = 128 << 10,
};

const char list_magic[] = "# rehost files 1";

static const char head[] =
	"# The members of the variants below, in the order of the archives; a\n"
	"# line each, of fields with a tab between them:\n"
	"# path      from the root; of its bytes those below 32, 92 and 127\n"
	"#           are \\OOO, three octal digits; others are as they are\n"
	"# type      f file, d directory, l symbolic link, h hard link to the\n"
	"#           path in content, p FIFO, c and b device nodes\n"
	"# mode      permission bits, octal\n"
	"# owner     UID:GID, as packed (shifted, if ids are)\n"
	"# size      bytes of a file, else 0\n"
	"# mtime     SECONDS.NANOSECONDS since 1970; the fraction always adds\n"
	"# ctime     the same, of the source; - of what an edit made\n"
	"# links     names of the inode in the source\n"
	"# xattrs    sha256 over NAME NUL SIZE NUL VALUE of each, by name; - none\n"
	"# content   f: sha256, or z and a sha256 over each block of 4 KiB that\n"
	"#           is not all zeros: its number in 8 bytes, lowest first, then\n"
	"#           its bytes; l: target; h: path; c, b: MAJOR:MINOR; else -\n"
	"# edit      - of the guest; replaced or added by an edit\n"
	"# variants  * all, else their numbers with commas between\n";

struct line {
	struct buf text; /* without variants */
	uint64_t variants;
};

struct list {
	struct arena *mem;
	struct out *out;
	size_t n_variants;
	struct buf path;   /* of the lines that wait */
	struct line *wait; /* n_variants of them */
	size_t n_wait;
	struct buf line; /* scratch */
	uint64_t lines;
};

static bool is_escaped(char c)
{
	return (unsigned char)c < ' ' || c == '\\' || c == 127;
}

/* Paths may be long: what needs no escape goes at once. */
static void add_escaped(struct buf *b, const char *s)
{
	while (*s) {
		size_t n = 0;

		while (s[n] && !is_escaped(s[n]))
			n++;
		buf_add(b, s, n);
		s += n;
		if (*s)
			buf_printf(b, "\\%03o", (unsigned char)*s++);
	}
}

static char type_of(const struct member *m)
{
	static const char types[16] = {
		[S_IFIFO >> 12] = 'p',  [S_IFCHR >> 12] = 'c',
		[S_IFDIR >> 12] = 'd',  [S_IFBLK >> 12] = 'b',
		[S_IFREG >> 12] = 'f',  [S_IFLNK >> 12] = 'l',
		[S_IFSOCK >> 12] = 's',
	};
	char type = types[m->st.mode >> 12 & 15];

	if (m->first)
		return 'h';
	return type ? type : '?';
}

static void add_time(struct buf *b, const struct timespec *t)
{
	buf_printf(b, "\t%jd.%09ld", (intmax_t)t->tv_sec, t->tv_nsec);
}

static void add_xattrs(struct buf *b, const struct tree_xattrs *x)
{
	struct digest *d CLEANUP(digest_freep) = NULL;
	char text[DIGEST_HEX], size[24];

	if (x->n == 0) {
		buf_adds(b, "\t-");
		return;
	}
	d = digest_new();
	for (size_t i = 0; i < x->n; i++) {
		int n = snprintf(size, sizeof(size), "%zu", x->v[i].size);

		digest_add(d, x->v[i].name, strlen(x->v[i].name) + 1);
		digest_add(d, size, (size_t)n + 1);
		digest_add(d, x->v[i].value, x->v[i].size);
	}
	digest_end(d, text);
	d = NULL;
	buf_printf(b, "\t%s", text);
}

static void add_content(struct buf *b, const struct member *m,
			const char *content)
{
	buf_addc(b, '\t');
	if (m->first) {
		buf_addc(b, '/');
		add_escaped(b, m->first);
	} else if (m->target) {
		add_escaped(b, m->target);
	} else if (S_ISCHR(m->st.mode) || S_ISBLK(m->st.mode)) {
		buf_printf(b, "%u:%u", m->st.rdev_major, m->st.rdev_minor);
	} else {
		buf_adds(b, content && S_ISREG(m->st.mode) ? content : "-");
	}
}

void list_line(const struct member *m, const char *content, struct buf *ret)
{
	const struct tree_stat *st = &m->st;

	buf_addc(ret, '/');
	add_escaped(ret, m->path);
	buf_printf(ret, "\t%c\t%04o\t%u:%u\t%" PRIu64, type_of(m),
		   st->mode & 07777, st->uid, st->gid,
		   S_ISREG(st->mode) && !m->first ? st->size : 0);
	add_time(ret, &st->mtime);
	if (m->edit)
		buf_adds(ret, "\t-");
	else
		add_time(ret, &st->ctime);
	buf_printf(ret, "\t%u", st->nlink);
	add_xattrs(ret, &m->xattrs);
	add_content(ret, m, content);
	buf_printf(ret, "\t%s", m->edit ? m->edit : "-");
}

static void add_variants(const struct list *l, uint64_t variants, struct buf *b)
{
	const char *comma = "";

	buf_addc(b, '\t');
	if (variants == UINT64_MAX >> (64 - l->n_variants)) {
		buf_addc(b, '*');
		return;
	}
	for (size_t i = 0; i < l->n_variants; i++) {
		if (!(variants >> i & 1))
			continue;
		buf_printf(b, "%s%zu", comma, i);
		comma = ",";
	}
}

static int flush(struct list *l, struct err *e)
{
	for (size_t i = 0; i < l->n_wait; i++) {
		struct line *x = &l->wait[i];

		add_variants(l, x->variants, &x->text);
		buf_addc(&x->text, '\n');
		if (out_add(l->out, x->text.p, x->text.n, e))
			return -1;
		buf_clear(&x->text);
		x->variants = 0;
		l->lines++;
	}
	l->n_wait = 0;
	return 0;
}

int list_add(struct list *l, size_t variant, const struct member *m,
	     const char *content, struct err *e)
{
	struct line *x;
	size_t i = 0;

	if (!str_eq(buf_str(&l->path), m->path) && flush(l, e))
		return -1;
	buf_clear(&l->path);
	buf_adds(&l->path, m->path);
	buf_clear(&l->line);
	list_line(m, content, &l->line);
	while (i < l->n_wait && !str_eq(l->wait[i].text.p, l->line.p))
		i++;
	x = &l->wait[i];
	if (i == l->n_wait) {
		buf_add(&x->text, l->line.p, l->line.n);
		l->n_wait++;
	}
	x->variants |= UINT64_C(1) << variant;
	return 0;
}

static int put_head(struct list *l, const char *const *names, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	buf_printf(&b, "%s\n%s", list_magic, head);
	for (size_t i = 0; i < l->n_variants; i++)
		buf_printf(&b, "# variant %zu is %s\n", i, names[i]);
	return out_add(l->out, b.p, b.n, e);
}

int list_open(int dirfd, const char *name, const char *const *names, size_t n,
	      struct list **ret, struct err *e)
{
	const struct out_options o = {
		.format = { .kind = FORMAT_ZSTD, .level = LEVEL },
		.block = BLOCK,
	};
	struct arena *mem = arena_new();
	struct list *l CLEANUP(list_closep) = arena_alloc(mem, sizeof(*l));

	l->mem = mem;
	l->n_variants = n;
	l->wait = arena_alloc(mem, n * sizeof(*l->wait));
	if (out_open(dirfd, name, &o, &l->out, e) || put_head(l, names, e))
		return -1;
	*ret = l;
	l = NULL;
	return 0;
}

int list_finish(struct list *l, struct out_totals *ret, uint64_t *ret_lines,
		struct err *e)
{
	if (flush(l, e) || out_finish(l->out, ret, e))
		return -1;
	*ret_lines = l->lines;
	return 0;
}

int list_place(struct list *l, struct err *e)
{
	return out_place(l->out, e);
}

void list_closep(struct list **l)
{
	struct list *x = *l;

	if (!x)
		return;
	out_closep(&x->out);
	for (size_t i = 0; i < x->n_variants; i++)
		buf_done(&x->wait[i].text);
	buf_done(&x->path);
	buf_done(&x->line);
	arena_free(x->mem);
	*l = NULL;
}
