/*
 * Numbers as text. The digits are taken by hand: strtoull skips blanks, takes
 * "-1" for the largest number and lets the locale have a say.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

bool num_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

/* The value of a digit; 16, which no base here has, for anything else. */
static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

static const char not_a_number[] = "not a number";
static const char too_large[] = "out of range";

static int complain(struct err *e, const char *s, const char *what)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return err_set(e, 0, "\"%s\": %s", str_show(mem, s, strlen(s), 64),
		       what);
}

/* Digits up to the end of s; NULL, or what is wrong. */
static const char *digits(const char *s, unsigned base, uint64_t *ret)
{
	uint64_t n = 0;

	if (*s == '\0')
		return not_a_number;
	for (const char *p = s; *p != '\0'; p++)
		if (digit_of(*p) >= base)
			return not_a_number;
	for (; *s != '\0'; s++)
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, digit_of(*s), &n))
			return too_large;
	*ret = n;
	return NULL;
}

int num_u64(const char *s, uint64_t *ret, struct err *e)
{
	const char *wrong = digits(s, 10, ret);

	return wrong == NULL ? 0 : complain(e, s, wrong);
}

/* NULL, or what is wrong. */
static const char *with_sign(bool minus, uint64_t n, int64_t *ret)
{
	if (n > (uint64_t)INT64_MAX + minus)
		return too_large;
	*ret = minus ? (int64_t)(0 - n) : (int64_t)n;
	return NULL;
}

/* What the text says in its base; NULL, or what is wrong. */
static const char *signed_number(const char *s, bool any_base, int64_t *ret)
{
	const bool sign = *s == '-' || *s == '+';
	const char *p = s + sign, *wrong;
	unsigned base = 10;
	uint64_t n;

	if (any_base && (str_starts(p, "0x") || str_starts(p, "0X"))) {
		base = 16;
		p += 2;
	} else if (any_base && *p == '0') {
		base = 8;
	}
	wrong = digits(p, base, &n);
	return wrong == NULL ? with_sign(*s == '-', n, ret) : wrong;
}

int num_u64_hex(const char *s, uint64_t *ret, struct err *e)
{
	const char *wrong = digits(s, 16, ret);

	return wrong == NULL ? 0 : complain(e, s, wrong);
}

int num_i64(const char *s, int64_t *ret, struct err *e)
{
	const char *wrong = signed_number(s, false, ret);

	return wrong == NULL ? 0 : complain(e, s, wrong);
}

int num_i64_any(const char *s, int64_t *ret, struct err *e)
{
	const char *wrong = signed_number(s, true, ret);

	return wrong == NULL ? 0 : complain(e, s, wrong);
}

int num_i64_nearest(const char *s, int64_t *ret, struct err *e)
{
	const char *wrong = signed_number(s, true, ret);

	if (wrong != too_large)
		return wrong == NULL ? 0 : complain(e, s, wrong);
	*ret = *s == '-' ? INT64_MIN : INT64_MAX;
	return 0;
}

static const char units[] = "BKMGTP"; /* each 1024 times the one before */

/*
 * The shift of "", "B", "K", "Ki", "KiB" or "KB", where all of the last four
 * are 1024 bytes, as for LXC and vzctl; -1 for anything else.
 */
static int unit_shift(const char *s)
{
	const char first = *s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s;
	const char *unit;

	if (first == '\0')
		return 0;
	unit = strchr(units, first);
	if (unit == NULL)
		return -1;
	s++;
	if (unit != units) {
		s += *s == 'i';
		s += *s == 'B' || *s == 'b';
	}
	return *s == '\0' ? 10 * (int)(unit - units) : -1;
}

enum {
	SIZE_DIGITS = 21, /* before the point: 128 bits hold them as bytes */
	FRACTION_DIGITS = 18,
};

/* The number made of the n digits at s, of which there are few enough. */
static unsigned __int128 few_digits(const char *s, size_t n)
{
	unsigned __int128 value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + digit_of(s[i]);
	return value;
}

static uint64_t power_of_ten(size_t n)
{
	uint64_t value = 1;

	while (n-- > 0)
		value *= 10;
	return value;
}

int num_size(const char *s, uint64_t *ret, struct err *e)
{
	static const char set[] = "0123456789";
	const size_t whole = strspn(s, set);
	const char *point = s + whole, *fraction = point + (*point == '.');
	const size_t n = *point == '.' ? strspn(fraction, set) : 0;
	const int shift = unit_shift(fraction + n);
	unsigned __int128 bytes;

	if (whole == 0 || shift < 0 || n > FRACTION_DIGITS ||
	    (*point == '.' && (n == 0 || shift == 0)))
		return complain(e, s, "not a size");
	if (whole > SIZE_DIGITS)
		return complain(e, s, too_large);
	bytes = few_digits(fraction, n) << shift;
	bytes /= power_of_ten(n);
	bytes += few_digits(s, whole) << shift;
	if (bytes > UINT64_MAX)
		return complain(e, s, too_large);
	*ret = (uint64_t)bytes;
	return 0;
}

/* How many tenths of the unit, rounded. */
static uint64_t tenths_of(uint64_t bytes, unsigned shift)
{
	const unsigned __int128 half = (unsigned __int128)1 << (shift - 1);

	return (uint64_t)(((unsigned __int128)bytes * 10 + half) >> shift);
}

void num_show_size(uint64_t bytes, char ret[24])
{
	unsigned unit = 1;
	uint64_t tenths = tenths_of(bytes, 10);

	/* "4096 B" tells more than "4 KiB" */
	if (bytes < 10000) {
		snprintf(ret, 24, "%" PRIu64 " B", bytes);
		return;
	}
	while (tenths >= 10240 && units[unit + 1] != '\0')
		tenths = tenths_of(bytes, 10 * ++unit);
	if (tenths % 10 == 0)
		snprintf(ret, 24, "%" PRIu64 " %ciB", tenths / 10, units[unit]);
	else
		snprintf(ret, 24, "%" PRIu64 ".%u %ciB", tenths / 10,
			 (unsigned)(tenths % 10), units[unit]);
}
