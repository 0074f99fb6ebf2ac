/* Strings: slices, trimming, words, lists, and text made safe to print. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

bool str_eq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* The locale has no say in what a configuration file means. */
static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool str_caseeq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool slice_eq(struct slice s, const char *t)
{
	size_t n = strlen(t);

	return s.n == n && (n == 0 || memcmp(s.p, t, n) == 0);
}

char *slice_dup(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return p;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The first n bytes of *rest, which then begins `skip` bytes after them. */
static struct slice cut(struct slice *rest, size_t n, size_t skip)
{
	struct slice piece = { rest->p, n };

	rest->p += n + skip;
	rest->n -= n + skip;
	return piece;
}

bool slice_next(struct slice *rest, char sep, struct slice *ret)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, sep, rest->n);
	if (end == NULL)
		*ret = cut(rest, rest->n, 0);
	else
		*ret = cut(rest, (size_t)(end - rest->p), 1);
	return true;
}

bool slice_word(struct slice *rest, struct slice *ret)
{
	size_t n = 0;

	while (n < rest->n && is_blank(rest->p[n]))
		n++;
	cut(rest, n, 0);
	if (rest->n == 0)
		return false;
	n = 0;
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	*ret = cut(rest, n, 0);
	return true;
}

struct strv strv_split(struct arena *a, const char *s, const char *seps)
{
	struct strv v = { 0 };

	for (s += strspn(s, seps); *s != '\0'; s += strspn(s, seps)) {
		size_t n = strcspn(s, seps);

		strv_add(a, &v, arena_strndup(a, s, n));
		s += n;
	}
	if (v.n == 0)
		v.v = arena_alloc(a, sizeof(*v.v));
	return v;
}

/*
 * How many pointers were allocated for n strings and the NULL: a power of
 * two, so that the struct need not remember it. 0 strings may have no array.
 */
static size_t room_for(size_t n)
{
	size_t room = 4;

	while (room < n + 1)
		room *= 2;
	return room;
}

void strv_add(struct arena *a, struct strv *v, const char *s)
{
	if (v->n == 0 || room_for(v->n + 1) != room_for(v->n)) {
		const char **old = v->v;

		/* the old array stays: the struct may have been copied */
		v->v = arena_alloc(a, room_for(v->n + 1) * sizeof(*v->v));
		if (v->n != 0)
			memcpy(v->v, old, v->n * sizeof(*v->v));
	}
	v->v[v->n++] = s;
	v->v[v->n] = NULL;
}

bool strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (str_eq(v->v[i], s))
			return true;
	return false;
}

char *strv_join(struct arena *a, const struct strv *v, const char *sep)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	for (size_t i = 0; i < v->n; i++) {
		if (i != 0)
			buf_adds(&b, sep);
		buf_adds(&b, v->v[i]);
	}
	return arena_strdup(a, buf_str(&b));
}

/*
 * Well-formed sequences (Unicode 15, table 3-7): by first byte, the length
 * and the bounds of the second byte; all further ones are 80..BF.
 */
static const struct utf8 {
	unsigned char first, last, len, low, high;
} utf8[] = {
	{ .first = 0x01, .last = 0x7f, .len = 1 },
	{ .first = 0xc2, .last = 0xdf, .len = 2, .low = 0x80, .high = 0xbf },
	{ .first = 0xe0, .last = 0xe0, .len = 3, .low = 0xa0, .high = 0xbf },
	{ .first = 0xe1, .last = 0xec, .len = 3, .low = 0x80, .high = 0xbf },
	{ .first = 0xed, .last = 0xed, .len = 3, .low = 0x80, .high = 0x9f },
	{ .first = 0xee, .last = 0xef, .len = 3, .low = 0x80, .high = 0xbf },
	{ .first = 0xf0, .last = 0xf0, .len = 4, .low = 0x90, .high = 0xbf },
	{ .first = 0xf1, .last = 0xf3, .len = 4, .low = 0x80, .high = 0xbf },
	{ .first = 0xf4, .last = 0xf4, .len = 4, .low = 0x80, .high = 0x8f },
};

static const struct utf8 *utf8_row(unsigned char first)
{
	for (size_t i = 0; i < COUNT(utf8); i++)
		if (first >= utf8[i].first && first <= utf8[i].last)
			return &utf8[i];
	return NULL;
}

/* How many of the n bytes are the first character; 0 when it is none. */
static size_t utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	const struct utf8 *row = n == 0 ? NULL : utf8_row(u[0]);

	if (row == NULL || row->len > n)
		return 0;
	if (row->len > 1 && (u[1] < row->low || u[1] > row->high))
		return 0;
	for (size_t i = 2; i < row->len; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return row->len;
}

/* How many bytes at the beginning are ASCII and stand for themselves. */
static size_t plain_len(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' &&
	       s[i] != '\\')
		i++;
	return i;
}

bool str_utf8(const char *s, size_t n)
{
	while (n > 0) {
		size_t len = plain_len(s, n);

		if (len == 0)
			len = utf8_len(s, n);

		if (len == 0)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

/* The escape of a byte that has one of its own, else 0. */
static char escape_of(char c)
{
	switch (c) {
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	case '"':
	case '\\':
		return c;
	default:
		return '\0';
	}
}

/*
 * Also control: DEL, and C1 as UTF-8 writes it (C2 80 to C2 9F), which some
 * terminals obey, and the marks that turn the direction or break the line
 * (U+200B to U+200F, U+2028 to U+202E, U+2066 to U+2069).
 */
static bool is_control(const char *s, size_t len)
{
	unsigned char a = (unsigned char)s[0], b, c;

	if (len == 1)
		return a < 0x20 || a == 0x7f;
	b = (unsigned char)s[1];
	if (len == 2)
		return a == 0xc2 && b < 0xa0;
	c = (unsigned char)s[2];
	if (len != 3 || a != 0xe2)
		return false;
	if (b == 0x80)
		return (c >= 0x8b && c <= 0x8f) || (c >= 0xa8 && c <= 0xae);
	return b == 0x81 && c >= 0xa6 && c <= 0xa9;
}

/* Adds the next character as it is shown; how many bytes of s it took. */
static size_t show_one(struct buf *b, const char *s, size_t n)
{
	size_t len = utf8_len(s, n);
	char escape = escape_of(s[0]);

	if (escape != '\0') {
		buf_printf(b, "\\%c", escape);
		return 1;
	}
	if (len != 0 && !is_control(s, len)) {
		buf_add(b, s, len);
		return len;
	}
	if (len == 0)
		len = 1;
	for (size_t i = 0; i < len; i++)
		buf_printf(b, "\\x%02x", (unsigned)(unsigned char)s[i]);
	return len;
}

char *str_show(struct arena *a, const char *s, size_t n, size_t max)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	for (size_t i = 0; i < n;) {
		size_t before = b.n, plain = plain_len(s + i, n - i);

		if (max != 0 && plain > max - b.n)
			plain = max - b.n;
		buf_add(&b, s + i, plain);
		i += plain != 0 ? plain : show_one(&b, s + i, n - i);
		if (max != 0 && b.n > max)
			return arena_printf(a, "%.*s...", (int)before, b.p);
	}
	return arena_strdup(a, buf_str(&b));
}

/* The last '*' can always take more: going back to it alone is enough. */
bool str_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *from = NULL;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star;
			s = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

const char *str_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

const char *str_dir(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash == path ?
		       "/" :
		       arena_strndup(mem, path, (size_t)(slash - path));
}
