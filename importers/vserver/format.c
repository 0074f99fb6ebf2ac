/*
 * Tokenisers. Source: util-vserver scripts (read and read -r loops, arrays
 * filled with IFS set to a newline), lib/parselimit.c, src/secure-mount.c.
 *
 * Nothing is expanded: what a shell would have interpreted is only marked.
 * DOS line ends are taken away, for no value with one ever worked.
 */
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/format.h"

enum { SHOWN_MAX = 64 }; /* bytes of a value in a message */

static const char *const schedule_items[] = {
	"fill-rate",  "interval",   "tokens",
	"tokens-min", "tokens-max", "prio-bias",
};

struct cutter {
	struct arena *mem;
	struct vserver_text *text;
	struct slice rest;
	unsigned line;     /* of the line last taken */
	bool unterminated; /* that line */
};

size_t vserver_format_max(enum vserver_format format)
{
	if (format == VS_SCALAR || format == VS_NUMBER)
		return VSERVER_SCALAR_MAX;
	return VSERVER_TEXT_MAX;
}

bool vserver_format_is_text(enum vserver_format format)
{
	switch (format) {
	case VS_SCALAR:
	case VS_LIST:
	case VS_LINES:
	case VS_ARRAY:
	case VS_RAW:
	case VS_WHOLE:
	case VS_NUMBER:
	case VS_FSTAB:
	case VS_PERSONALITY:
	case VS_SCHEDULE:
		return true;
	case VS_FLAG:
	case VS_LINK:
	case VS_PLACE:
	case VS_PROGRAM:
	case VS_DATA:
	case VS_DIR:
		return false;
	}
	return false;
}

static struct vserver_token *add(struct cutter *c, const char *item,
				 const char *value)
{
	struct vserver_token *t = vec_add(c->mem, &c->text->tokens);

	*t = (struct vserver_token){ .line = c->line,
				     .value = value,
				     .item = item,
				     .unterminated = c->unterminated };
	return t;
}

/* Without byte order mark, NUL bytes and DOS line ends. */
static struct slice clean(struct cutter *c, const char *data, size_t n)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct buf b CLEANUP(buf_done) = { 0 };
	size_t at = 0;

	if (n >= 3 && memcmp(data, bom, 3) == 0) {
		c->text->binary = true;
		at = 3;
	}
	if (!str_utf8(data, n))
		c->text->binary = true;
	for (; at < n; at++) {
		if (data[at] == '\r' && (at + 1 == n || data[at + 1] == '\n'))
			c->text->crlf = true;
		else if (data[at] != '\0')
			buf_addc(&b, data[at]);
		if (data[at] == '\0' || (data[at] == '\r' && !c->text->crlf))
			c->text->binary = true;
	}
	return (struct slice){ arena_memdup(c->mem, buf_str(&b), b.n + 1),
			       b.n };
}

/* The next line as it stands; false at the end. */
static bool next_raw(struct cutter *c, struct slice *ret)
{
	const char *end;

	if (c->rest.n == 0)
		return false;
	end = memchr(c->rest.p, '\n', c->rest.n);
	c->unterminated = end == NULL;
	ret->p = c->rest.p;
	ret->n = end == NULL ? c->rest.n : (size_t)(end - c->rest.p);
	c->rest.p += ret->n + (end != NULL);
	c->rest.n -= ret->n + (end != NULL);
	c->line++;
	return true;
}

/*
 * The next line as the shell's `read` gives it: a backslash goes and what
 * follows it stays, a newline behind one joins two lines, blanks at both ends
 * go. The line number is that of its first line.
 */
static bool next_shell(struct cutter *c, unsigned *ret_line, const char **ret)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct slice raw;
	bool more = true;

	if (!next_raw(c, &raw))
		return false;
	*ret_line = c->line;
	while (more) {
		more = false;
		for (size_t i = 0; i < raw.n; i++) {
			if (raw.p[i] != '\\')
				buf_addc(&b, raw.p[i]);
			else if (i + 1 < raw.n)
				buf_addc(&b, raw.p[++i]);
			else
				more = !c->unterminated && next_raw(c, &raw);
			if (more)
				break;
		}
	}
	*ret = slice_dup(c->mem,
			 slice_trim((struct slice){ buf_str(&b), b.n }));
	return true;
}

static bool is_blank(struct slice s)
{
	return slice_trim(s).n == 0;
}

/* What is left of the file: lines that the tools never looked at. */
static void cut_extra(struct cutter *c)
{
	struct slice raw;

	while (next_raw(c, &raw)) {
		if (is_blank(raw))
			continue;
		add(c, NULL, slice_dup(c->mem, slice_trim(raw)))->extra = true;
	}
}

static void cut_scalar(struct cutter *c, const char *item)
{
	const char *value = "";
	unsigned line = 1;

	if (!next_shell(c, &line, &value)) {
		c->line = 1;
		c->unterminated = false;
	}
	add(c, item, value)->line = line;
}

static const char shell_active[] = "\"$`";

static void add_word(struct cutter *c, unsigned line, const char *item,
		     const char *word)
{
	struct vserver_token *t = add(c, item == NULL ? word : item, word);

	t->line = line;
	t->expanded = strpbrk(word, shell_active) != NULL;
}

/* One line's comma items; a final comma makes none, an empty item counts. */
static void cut_commas(struct cutter *c, unsigned line, const char *item,
		       const char *value)
{
	struct slice rest = { value, strlen(value) };
	struct slice word;

	while (slice_next(&rest, ',', &word))
		add_word(c, line, item, slice_dup(c->mem, word));
}

static void cut_list(struct cutter *c, const char *item, bool commas)
{
	const char *value;
	unsigned line;

	while (next_shell(c, &line, &value)) {
		if (value[0] == '\0' || value[0] == '#')
			continue;
		if (commas)
			cut_commas(c, line, item, value);
		else
			add_word(c, line, item, value);
	}
}

static void cut_array(struct cutter *c)
{
	struct slice raw;
	unsigned n = 0;

	while (next_raw(c, &raw)) {
		const char *value = slice_dup(c->mem, raw);
		struct vserver_token *t;

		if (is_blank(raw))
			continue;
		t = add(c, arena_printf(c->mem, "%u", ++n), value);
		t->expanded = strpbrk(value, "*?[") != NULL;
	}
}

static void cut_raw(struct cutter *c)
{
	struct slice raw;

	while (next_raw(c, &raw)) {
		const char *value = slice_dup(c->mem, raw);

		if (!is_blank(raw))
			add(c, value, value);
	}
}

/* All bytes but the newlines at the end. */
static void cut_whole(struct cutter *c)
{
	struct slice s = c->rest;

	c->unterminated = s.n > 0 && s.p[s.n - 1] != '\n';
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	c->line = 1;
	add(c, NULL, slice_dup(c->mem, s));
}

/* The C tools stop at the first newline; more is kept for the message. */
static void cut_number(struct cutter *c)
{
	struct slice s = { "", 0 };

	next_raw(c, &s);
	c->line = 1;
	add(c, NULL, slice_dup(c->mem, s));
}

static void cut_options(struct cutter *c, struct slice options)
{
	struct slice one;

	while (slice_next(&options, ',', &one))
		if (one.n > 0)
			add(c, "option", slice_dup(c->mem, one));
}

static void cut_entry(struct cutter *c, struct slice line)
{
	struct slice rest = line, w[4], last;
	size_t n = 0;

	while (n < 4 && slice_word(&rest, &w[n]))
		n++;
	if (n < 4) {
		add(c, "malformed", slice_dup(c->mem, line));
		return;
	}
	add(c, "entry",
	    arena_printf(c->mem, "%.*s %.*s %.*s", (int)w[0].n, w[0].p,
			 (int)w[1].n, w[1].p, (int)w[2].n, w[2].p));
	cut_options(c, w[3]);
	if (slice_word(&rest, &last))
		add(c, "dump", slice_dup(c->mem, last));
	rest = slice_trim(rest);
	if (rest.n > 0)
		add(c, "pass", slice_dup(c->mem, rest));
}

static void cut_fstab(struct cutter *c)
{
	struct slice raw;

	while (next_raw(c, &raw)) {
		raw = slice_trim(raw);
		if (raw.n > 0 && raw.p[0] != '#')
			cut_entry(c, raw);
	}
}

static void cut_schedule(struct cutter *c)
{
	const char *value;
	unsigned line;
	size_t n = 0;

	while (n < COUNT(schedule_items) && next_shell(c, &line, &value)) {
		if (value[0] != '\0')
			add(c, schedule_items[n], value)->line = line;
		n++;
	}
	cut_extra(c);
}

void vserver_format_cut(struct arena *mem, enum vserver_format format,
			const char *data, size_t n, struct vserver_text *ret)
{
	struct cutter c = { .mem = mem, .text = ret };

	*ret = (struct vserver_text){ 0 };
	if (!vserver_format_is_text(format)) {
		add(&c, NULL, NULL);
		return;
	}
	c.rest = clean(&c, data, n);
	ret->unterminated = c.rest.n > 0 && c.rest.p[c.rest.n - 1] != '\n';
	if (format == VS_SCALAR) {
		cut_scalar(&c, NULL);
		cut_extra(&c);
	} else if (format == VS_PERSONALITY) {
		cut_scalar(&c, "type");
		cut_list(&c, "flag", true);
	} else if (format == VS_LIST || format == VS_LINES) {
		cut_list(&c, NULL, format == VS_LIST);
	} else if (format == VS_ARRAY) {
		cut_array(&c);
	} else if (format == VS_RAW) {
		cut_raw(&c);
	} else if (format == VS_WHOLE) {
		cut_whole(&c);
	} else if (format == VS_NUMBER) {
		cut_number(&c);
	} else if (format == VS_FSTAB) {
		cut_fstab(&c);
	} else if (format == VS_SCHEDULE) {
		cut_schedule(&c);
	}
}

/* K and M are binary, k and m decimal; no other suffix exists. */
static bool multiplier(char suffix, uint64_t *ret)
{
	static const struct {
		char suffix;
		uint64_t by;
	} rows[] = {
		{ 'K', 1024 },
		{ 'M', 1024 * 1024 },
		{ 'k', 1000 },
		{ 'm', 1000 * 1000 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].suffix == suffix) {
			*ret = rows[i].by;
			return true;
		}
	return false;
}

/* Whether s is a number of strtoll base 0 whatever its size. */
static bool is_literal(const char *s)
{
	const char *set = "0123456789";

	if (*s == '-' || *s == '+')
		s++;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		set = "0123456789abcdefABCDEF";
		s += 2;
	} else if (s[0] == '0') {
		set = "01234567";
	}
	return *s != '\0' && strspn(s, set) == strlen(s);
}

/* A literal beyond 2^63-1 saturates there: the old parser was signed. */
static int saturated(const char *digits, int64_t *ret, struct err *e)
{
	if (num_i64_any(digits, ret, e) == 0)
		return 0;
	if (!is_literal(digits))
		return -1;
	*ret = digits[0] == '-' ? INT64_MIN : INT64_MAX;
	return 0;
}

/* For messages: printable, and short. */
static int bad_number(const char *s, const char *why, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return err_set(e, 0, "\"%s\" is %s",
		       str_show(mem, s, strlen(s), SHOWN_MAX), why);
}

int vserver_number(const char *s, struct vserver_number *ret, struct err *e)
{
	char digits[VSERVER_NUMBER_MAX + 1];
	struct vserver_number number = { 0 };
	const size_t n = strlen(s);
	uint64_t by = 1;
	int64_t i;

	if (n == 0 || n > VSERVER_NUMBER_MAX)
		return bad_number(s, "no number", e);
	if (str_starts(s, "inf")) {
		*ret = (struct vserver_number){ .none = true };
		return 0;
	}
	memcpy(digits, s, n + 1);
	if (multiplier(s[n - 1], &by))
		digits[n - 1] = '\0';
	if (saturated(digits, &i, e) < 0)
		return bad_number(s, "no number of the old tools", e);
	number.none = i == -1 && by == 1;
	number.keep = i == -2 && by == 1;
	if (!number.none && !number.keep &&
	    (i < 0 || !num_mul((uint64_t)i, by, &number.v)))
		return bad_number(s, "out of range", e);
	*ret = number;
	return 0;
}
