/*
 * Errors, memory, strings and numbers: tables of what goes in and what comes
 * out. Addresses, rules and documents are in check_base_kinds.c, descriptors
 * and children in check_base_sys.c.
 */
#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/str.h"

/* ---- err ---- */

START_TEST(test_err)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, 0, "line %d", 3), -1);
	ck_assert_str_eq(e.msg, "line 3");
	ck_assert_int_eq(e.code, 0);
	ck_assert_int_eq(err_set(&e, ENOENT, "open %s", "/x"), -1);
	ck_assert_str_eq(e.msg, "open /x: No such file or directory");
	ck_assert_int_eq(err_wrap(&e, "guest %d", 7), -1);
	ck_assert_str_eq(e.msg, "guest 7: open /x: No such file or directory");
	ck_assert_int_eq(e.code, ENOENT);
	err_fill(&e, 0, "again: %s", e.msg);
	ck_assert_str_eq(e.msg, "again: guest 7: open /x: "
				"No such file or directory");
}
END_TEST

START_TEST(test_err_long)
{
	char name[2000];
	struct err e;

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	err_fill(&e, EACCES, "open %s", name);
	ck_assert(str_ends(e.msg, "n: Permission denied"));
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	err_push(&e, "guest %d", 101);
	ck_assert(str_starts(e.msg, "guest 101: open nnn"));
	err_fill(&e, EACCES, "open x");
	err_push(&e, "%s", name);
	ck_assert(str_ends(e.msg, "n: open x: Permission denied"));
}
END_TEST

/* ---- arena ---- */

START_TEST(test_arena_alloc)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();
	const size_t before = arena_size(a);
	char *p = arena_alloc(a, 100);

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(p[i], 0);
	ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
	ck_assert_uint_eq(arena_size(a) - before, 100);
	ck_assert_ptr_nonnull(arena_alloc(a, 0));
	arena_free(NULL);
}
END_TEST

START_TEST(test_arena_text)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();

	ck_assert_str_eq(arena_strdup(a, "abc"), "abc");
	ck_assert_str_eq(arena_strndup(a, "abc", 2), "ab");
	ck_assert_str_eq(arena_strndup(a, "abc", 9), "abc");
	ck_assert_str_eq(arena_printf(a, "%s-%d", "n", 12), "n-12");
	ck_assert_str_eq(arena_printf(a, "%s", ""), "");
	ck_assert_mem_eq(arena_memdup(a, "a\0b", 3), "a\0b", 3);
}
END_TEST

START_TEST(test_arena_vec)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();
	struct pair {
		int x, y;
	} * first;
	VEC(int) ids = { 0 };
	PVEC(struct pair) pairs = { 0 };

	first = pvec_add(a, &pairs);
	first->x = 42;
	for (int i = 0; i < 1000; i++) {
		*vec_add(a, &ids) = i;
		ck_assert_int_eq(pvec_add(a, &pairs)->y, 0);
	}
	ck_assert_uint_eq(ids.n, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(ids.v[i], i);
	ck_assert_uint_eq(pairs.n, 1001);
	ck_assert_ptr_eq(pairs.v[0], first);
	ck_assert_int_eq(pairs.v[0]->x, 42);
}
END_TEST

START_TEST(test_arena_grow)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();
	size_t cap = 0;
	int *v = arena_grow(a, NULL, &cap, 1000, sizeof(int));

	ck_assert_uint_ge(cap, 1000);
	v[2] = 5;
	ck_assert_ptr_eq(arena_grow(a, v, &cap, cap, sizeof(int)), v);
	v = arena_grow(a, v, &cap, 5000, sizeof(int));
	ck_assert_uint_ge(cap, 5000);
	ck_assert_int_eq(v[2], 5);
	ck_assert_int_eq(v[4999], 0);
	/* the old block, which is not small, is given back */
	ck_assert_uint_eq(arena_size(a), cap * sizeof(int));
}
END_TEST

/* ---- buf ---- */

START_TEST(test_buf)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	ck_assert_str_eq(buf_str(&b), "");
	buf_adds(&b, "ab");
	buf_addc(&b, 'c');
	buf_add(&b, "d\0e", 3);
	ck_assert_uint_eq(b.n, 6);
	ck_assert_mem_eq(b.p, "abcd\0e", 7);
	buf_clear(&b);
	ck_assert_str_eq(b.p, "");
	ck_assert_uint_eq(b.n, 0);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%04d", i);
	ck_assert_uint_eq(b.n, 4000);
	ck_assert_uint_eq(strlen(b.p), 4000);
	ck_assert(str_ends(b.p, "09980999"));
	buf_done(&b);
	ck_assert_str_eq(buf_str(&b), "");
	buf_add(&b, NULL, 0);
	ck_assert_str_eq(b.p, "");
}
END_TEST

/* ---- str ---- */

static const struct {
	const char *a, *b;
	bool eq, caseeq;
} equals[] = {
	{ "", "", true, true },           { "a", "a", true, true },
	{ "a", "A", false, true },        { "a", "ab", false, false },
	{ "ab", "a", false, false },      { NULL, NULL, true, true },
	{ NULL, "", false, false },       { "", NULL, false, false },
	{ "[", "{", false, false },       { "@", "`", false, false },
	{ "\xc4", "\xe4", false, false },
};

START_TEST(test_str_eq)
{
	ck_assert_int_eq(str_eq(equals[_i].a, equals[_i].b), equals[_i].eq);
	ck_assert_int_eq(str_caseeq(equals[_i].a, equals[_i].b),
			 equals[_i].caseeq);
}
END_TEST

static const struct {
	const char *s, *part;
	bool starts, ends;
} parts[] = {
	{ "abc", "ab", true, false },    { "abc", "bc", false, true },
	{ "abc", "", true, true },       { "abc", "abc", true, true },
	{ "abc", "abcd", false, false }, { "", "a", false, false },
};

START_TEST(test_str_parts)
{
	ck_assert_int_eq(str_starts(parts[_i].s, parts[_i].part),
			 parts[_i].starts);
	ck_assert_int_eq(str_ends(parts[_i].s, parts[_i].part), parts[_i].ends);
}
END_TEST

static struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static const struct {
	const char *in, *out;
} trims[] = {
	{ "", "" },          { " \t\r\n\v\f", "" }, { "a", "a" },
	{ " a b\n", "a b" }, { "\ta", "a" },        { "a\r\n", "a" },
};

START_TEST(test_slice_trim)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();
	struct slice s = slice_trim(slice_of(trims[_i].in));

	ck_assert(slice_eq(s, trims[_i].out));
	ck_assert(!slice_eq(s, "other"));
	ck_assert_str_eq(slice_dup(a, s), trims[_i].out);
}
END_TEST

/* Pieces are shown as [one][two]. */
static const struct {
	const char *in, *at_comma, *words;
} cuts[] = {
	{ "", "", "" },
	{ "a", "[a]", "[a]" },
	{ "a,b", "[a][b]", "[a,b]" },
	{ "a,,b", "[a][][b]", "[a,,b]" },
	{ "a,", "[a]", "[a,]" },
	{ ",a", "[][a]", "[,a]" },
	{ ",", "[]", "[,]" },
	{ " a \t b ", "[ a \t b ]", "[a][b]" },
	{ " ", "[ ]", "" },
};

START_TEST(test_slice_cut)
{
	struct slice rest = slice_of(cuts[_i].in), piece;
	struct buf b CLEANUP(buf_done) = { 0 };

	while (slice_next(&rest, ',', &piece))
		buf_printf(&b, "[%.*s]", (int)piece.n, piece.p);
	ck_assert_str_eq(buf_str(&b), cuts[_i].at_comma);
	buf_clear(&b);
	rest = slice_of(cuts[_i].in);
	while (slice_word(&rest, &piece))
		buf_printf(&b, "[%.*s]", (int)piece.n, piece.p);
	ck_assert_str_eq(buf_str(&b), cuts[_i].words);
}
END_TEST

static const struct {
	const char *in, *joined;
	size_t n;
} splits[] = {
	{ "", "", 0 },
	{ " , ", "", 0 },
	{ "a", "a", 1 },
	{ " a, b,,c ", "a+b+c", 3 },
	{ "a b c d e", "a+b+c+d+e", 5 },
};

START_TEST(test_strv_split)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();
	struct strv v = strv_split(a, splits[_i].in, ", ");

	ck_assert_uint_eq(v.n, splits[_i].n);
	ck_assert_ptr_null(v.v[v.n]);
	ck_assert_str_eq(strv_join(a, &v, "+"), splits[_i].joined);
}
END_TEST

START_TEST(test_strv_add)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();
	struct strv v = { 0 }, old = { 0 };

	ck_assert_str_eq(strv_join(a, &v, " "), "");
	for (size_t i = 0; i < 100; i++) {
		if (i == 50)
			old = v;
		strv_add(a, &v, arena_printf(a, "%zu", i));
		ck_assert_uint_eq(v.n, i + 1);
		ck_assert_ptr_null(v.v[v.n]);
	}
	ck_assert_str_eq(v.v[0], "0");
	ck_assert_str_eq(v.v[99], "99");
	ck_assert(strv_has(&v, "57"));
	ck_assert(!strv_has(&v, "100"));
	/* a copy of the struct stays what it was */
	ck_assert_uint_eq(old.n, 50);
	ck_assert_str_eq(old.v[49], "49");
	ck_assert(!strv_has(&old, "57"));
}
END_TEST

static const struct {
	const char *in;
	size_t n, max;
	const char *out;
} shows[] = {
	{ "plain", 5, 0, "plain" },
	{ "", 0, 0, "" },
	{ "a\nb\tc\r", 6, 0, "a\\nb\\tc\\r" },
	{ "say \"x\"", 7, 0, "say \\\"x\\\"" },
	{ "back\\n", 6, 0, "back\\\\n" },
	{ "\x1b[31m", 5, 0, "\\x1b[31m" },
	{ "a\0b", 3, 0, "a\\x00b" },
	{ "\x7f", 1, 0, "\\x7f" },
	{ "caf\xc3\xa9", 5, 0, "caf\xc3\xa9" },
	{ "caf\xe9", 4, 0, "caf\\xe9" },
	{ "\xc3", 1, 0, "\\xc3" },
	{ "\xc2\x9b"
	  "31m",
	  5, 0, "\\xc2\\x9b31m" }, /* CSI of C1 */
	{ "\xe2\x80\xae"
	  "x",
	  4, 0, "\\xe2\\x80\\xaex" }, /* right to left */
	{ "\xe2\x82\xac", 3, 0, "\xe2\x82\xac" },
	{ "abcdef", 6, 3, "abc..." },
	{ "abc", 3, 3, "abc" },
	{ "ab\nd", 4, 3, "ab..." }, /* no half of an escape */
	{ "ab\xc3\xa9", 4, 3, "ab..." },
};

START_TEST(test_str_show)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();

	ck_assert_str_eq(str_show(a, shows[_i].in, shows[_i].n, shows[_i].max),
			 shows[_i].out);
}
END_TEST

static const struct {
	const char *s;
	size_t n;
	bool valid;
} utf8s[] = {
	{ "", 0, true },
	{ "abc\n", 4, true },
	{ "a\0b", 3, false },
	{ "\xc3\xa9", 2, true },
	{ "\xc3", 1, false },
	{ "\xa9", 1, false },
	{ "\xc0\x80", 2, false },
	{ "\xc1\xbf", 2, false },
	{ "\xe0\x9f\xbf", 3, false },
	{ "\xe0\xa0\x80", 3, true },
	{ "\xed\xa0\x80", 3, false },
	{ "\xed\x9f\xbf", 3, true },
	{ "\xef\xbf\xbd", 3, true },
	{ "\xe2\x82", 2, false },
	{ "\xe2\x82\x41", 3, false },
	{ "\xf0\x8f\xbf\xbf", 4, false },
	{ "\xf0\x9f\x98\x80", 4, true },
	{ "\xf4\x8f\xbf\xbf", 4, true },
	{ "\xf4\x90\x80\x80", 4, false },
	{ "\xf5\x80\x80\x80", 4, false },
	{ "\xff", 1, false },
};

START_TEST(test_str_utf8)
{
	ck_assert_int_eq(str_utf8(utf8s[_i].s, utf8s[_i].n), utf8s[_i].valid);
}
END_TEST

static const struct {
	const char *pattern, *s;
	bool match;
} globs[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "*", "", true },
	{ "*", "a/b", true },
	{ "a*", "abc", true },
	{ "a*c", "abcbc", true },
	{ "a*b*c", "axxbyyc", true },
	{ "a*b*c", "axxbyy", false },
	{ "?", "a", true },
	{ "?", "", false },
	{ "a?c", "abc", true },
	{ "a?c", "ac", false },
	{ "**a", "a", true },
	{ "[a]", "a", false },
	{ "[a]", "[a]", true },
	{ "web*", "mail", false },
	{ "a", "ab", false },
	{ "*.example", "x.example", true },
	{ "a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

START_TEST(test_str_glob)
{
	ck_assert_int_eq(str_glob(globs[_i].pattern, globs[_i].s),
			 globs[_i].match);
}
END_TEST

/* ---- num ---- */

static const struct {
	const char *s;
	bool good;
	uint64_t n;
} u64s[] = {
	{ "0", true, 0 },
	{ "007", true, 7 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "+1", false, 0 },
	{ "-1", false, 0 },
	{ "0x1", false, 0 },
	{ "1a", false, 0 },
};

START_TEST(test_num_u64)
{
	uint64_t n = 77;
	struct err e = { 0 };

	if (u64s[_i].good) {
		ck_assert_int_eq(num_u64(u64s[_i].s, &n, &e), 0);
		ck_assert_uint_eq(n, u64s[_i].n);
	} else {
		ck_assert_int_eq(num_u64(u64s[_i].s, &n, &e), -1);
		ck_assert_uint_eq(n, 77);
		ck_assert(str_starts(e.msg, "\""));
	}
}
END_TEST

static const struct {
	const char *s;
	bool good, good_any;
	int64_t n, any;
} i64s[] = {
	{ "0", true, true, 0, 0 },
	{ "-5", true, true, -5, -5 },
	{ "+5", true, true, 5, 5 },
	{ "010", true, true, 10, 8 },
	{ "-010", true, true, -10, -8 },
	{ "0x1F", false, true, 0, 31 },
	{ "-0x10", false, true, 0, -16 },
	{ "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
	{ "-9223372036854775808", true, true, INT64_MIN, INT64_MIN },
	{ "9223372036854775808", false, false, 0, 0 },
	{ "-9223372036854775809", false, false, 0, 0 },
	{ "0x7fffffffffffffff", false, true, 0, INT64_MAX },
	{ "0x8000000000000000", false, false, 0, 0 },
	{ "08", true, false, 8, 0 },
	{ "0x", false, false, 0, 0 },
	{ "--1", false, false, 0, 0 },
	{ "-", false, false, 0, 0 },
	{ "", false, false, 0, 0 },
	{ "1 ", false, false, 0, 0 },
};

START_TEST(test_num_i64)
{
	int64_t n = 77;
	struct err e;
	int r = num_i64(i64s[_i].s, &n, &e);

	ck_assert_int_eq(r, i64s[_i].good ? 0 : -1);
	ck_assert_int_eq(n, i64s[_i].good ? i64s[_i].n : 77);
	n = 77;
	r = num_i64_any(i64s[_i].s, &n, &e);
	ck_assert_int_eq(r, i64s[_i].good_any ? 0 : -1);
	ck_assert_int_eq(n, i64s[_i].good_any ? i64s[_i].any : 77);
}
END_TEST

static const struct {
	const char *s;
	int rc;
	int64_t n; /* nearest of any base */
} nearest[] = {
	{ "0x1F", 0, 31 },
	{ "-1", 0, -1 },
	{ "9223372036854775808", 0, INT64_MAX },
	{ "0xffffffffffffffff", 0, INT64_MAX },
	{ "99999999999999999999", 0, INT64_MAX },
	{ "-99999999999999999999", 0, INT64_MIN },
	{ "1x", -1, 77 },
	{ "", -1, 77 },
};

START_TEST(test_num_nearest)
{
	int64_t n = 77;
	struct err e;

	ck_assert_int_eq(num_i64_nearest(nearest[_i].s, &n, &e),
			 nearest[_i].rc);
	ck_assert_int_eq(n, nearest[_i].n);
}
END_TEST

START_TEST(test_num_hex)
{
	uint64_t n = 77;
	struct err e;

	ck_assert_int_eq(num_u64_hex("0x1f", &n, &e), -1);
	ck_assert_int_eq(num_u64_hex("10000000000000000", &n, &e), -1);
	ck_assert_uint_eq(n, 77);
	ck_assert_int_eq(num_u64_hex("ffffFFFFb44c04ff", &n, &e), 0);
	ck_assert_uint_eq(n, UINT64_C(0xffffffffb44c04ff));
}
END_TEST

static const struct {
	const char *s;
	bool good;
	uint64_t n;
} sizes[] = {
	{ "512", true, 512 },
	{ "512B", true, 512 },
	{ "4K", true, 4096 },
	{ "4k", true, 4096 },
	{ "4KiB", true, 4096 },
	{ "4KB", true, 4096 },
	{ "4Ki", true, 4096 },
	{ "64M", true, UINT64_C(64) << 20 },
	{ "1.5G", true, UINT64_C(3) << 29 },
	{ "0.5K", true, 512 },
	{ "2T", true, UINT64_C(2) << 40 },
	{ "1P", true, UINT64_C(1) << 50 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "16384P", false, 0 },
	{ "999999999999999999999999", false, 0 },
	{ "", false, 0 },
	{ "M", false, 0 },
	{ "1.5", false, 0 },
	{ "1.5B", false, 0 },
	{ "1.G", false, 0 },
	{ ".5G", false, 0 },
	{ "1..5G", false, 0 },
	{ "-1M", false, 0 },
	{ "+1M", false, 0 },
	{ "1 M", false, 0 },
	{ "1M ", false, 0 },
	{ "1MM", false, 0 },
	{ "1Bi", false, 0 },
	{ "1X", false, 0 },
	{ "0x10", false, 0 },
	{ "1e3", false, 0 },
	{ "unlimited", false, 0 },
};

START_TEST(test_num_size)
{
	uint64_t n = 77;
	struct err e;
	int r = num_size(sizes[_i].s, &n, &e);

	ck_assert_int_eq(r, sizes[_i].good ? 0 : -1);
	ck_assert_uint_eq(n, sizes[_i].good ? sizes[_i].n : 77);
}
END_TEST

static const struct {
	uint64_t n;
	const char *text;
} size_texts[] = {
	{ 0, "0 B" },
	{ 4096, "4096 B" },
	{ 9999, "9999 B" },
	{ 10240, "10 KiB" },
	{ UINT64_C(512) << 20, "512 MiB" },
	{ UINT64_C(3) << 29, "1.5 GiB" },
	{ (UINT64_C(1) << 30) - 1, "1 GiB" }, /* not "1024 MiB" */
	{ UINT64_C(1) << 40, "1 TiB" },
	{ UINT64_MAX, "16384 PiB" },
};

START_TEST(test_num_show_size)
{
	char text[24];

	num_show_size(size_texts[_i].n, text);
	ck_assert_str_eq(text, size_texts[_i].text);
}
END_TEST

START_TEST(test_num_mul)
{
	uint64_t n = 77;

	ck_assert(num_mul(UINT64_C(1) << 32, 4096, &n));
	ck_assert_uint_eq(n, UINT64_C(1) << 44);
	ck_assert(!num_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &n));
	ck_assert_uint_eq(n, UINT64_C(1) << 44);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, size_t rows)
{
	TCase *tc = tcase_create(name);

	tcase_add_loop_test(tc, test, 0, (int)rows);
	suite_add_tcase(s, tc);
}

static Suite *suite(void)
{
	Suite *s = suite_create("base");

	add(s, "err", test_err, 1);
	add(s, "err_long", test_err_long, 1);
	add(s, "arena_alloc", test_arena_alloc, 1);
	add(s, "arena_text", test_arena_text, 1);
	add(s, "arena_vec", test_arena_vec, 1);
	add(s, "arena_grow", test_arena_grow, 1);
	add(s, "buf", test_buf, 1);
	add(s, "str_eq", test_str_eq, COUNT(equals));
	add(s, "str_parts", test_str_parts, COUNT(parts));
	add(s, "slice_trim", test_slice_trim, COUNT(trims));
	add(s, "slice_cut", test_slice_cut, COUNT(cuts));
	add(s, "strv_split", test_strv_split, COUNT(splits));
	add(s, "strv_add", test_strv_add, 1);
	add(s, "str_show", test_str_show, COUNT(shows));
	add(s, "str_utf8", test_str_utf8, COUNT(utf8s));
	add(s, "str_glob", test_str_glob, COUNT(globs));
	add(s, "num_u64", test_num_u64, COUNT(u64s));
	add(s, "num_i64", test_num_i64, COUNT(i64s));
	add(s, "num_nearest", test_num_nearest, COUNT(nearest));
	add(s, "num_hex", test_num_hex, 1);
	add(s, "num_size", test_num_size, COUNT(sizes));
	add(s, "num_show_size", test_num_show_size, COUNT(size_texts));
	add(s, "num_mul", test_num_mul, 1);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
