/* Numbers and words; openvz.md 2.4 to 2.7. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "importers/openvz/values.h"

enum {
	TEXT_MAX = 64,  /* bytes of a number */
	CPU_MAX = 4096, /* CONFIG_NR_CPUS is never larger */
	BLOCK = 1024,   /* bytes in a block of DISKSPACE */
};

/* The spellings of "no limit" as a bare number: 2^63-1, 2^31-1 and casts. */
static const uint64_t largest[] = { 2147483647, 4294967295, INT64_MAX,
				    UINT64_MAX };

static bool is_largest(uint64_t n)
{
	for (size_t i = 0; i < sizeof(largest) / sizeof(largest[0]); i++)
		if (n == largest[i])
			return true;
	return n >= INT64_MAX;
}

static uint64_t unit_bytes(enum ov_unit unit, uint64_t page)
{
	switch (unit) {
	case OV_PAGES:
		return page;
	case OV_BLOCKS:
		return BLOCK;
	case OV_BYTES:
	case OV_ITEMS:
	case OV_INODES:
		break;
	}
	return 1;
}

/* Bytes of a suffix; 0: none of that name. */
static uint64_t suffix_bytes(char c, uint64_t page)
{
	switch (toupper((unsigned char)c)) {
	case 'T':
		return UINT64_C(1) << 40;
	case 'G':
		return UINT64_C(1) << 30;
	case 'M':
		return UINT64_C(1) << 20;
	case 'K':
		return UINT64_C(1) << 10;
	case 'P':
		return page;
	case 'B':
		return 1;
	default:
		return 0;
	}
}

/* A number as text: digits, "." and more of them, one letter. */
struct parts {
	uint64_t whole;
	uint64_t part, scale; /* of the fraction: part / scale */
	uint64_t factor;      /* bytes of the suffix; 0: none */
};

static int take_fraction(const char **at, struct parts *p, struct err *e)
{
	p->scale = 1;
	if (**at != '.')
		return 0;
	(*at)++;
	if (!isdigit((unsigned char)**at))
		return err_set(e, 0, "no digits behind the point");
	for (; isdigit((unsigned char)**at); (*at)++)
		if (p->scale < 1000000) {
			p->part = p->part * 10 + (uint64_t)(**at - '0');
			p->scale *= 10;
		}
	return 0;
}

static int cut(const char *s, uint64_t page, struct parts *ret, struct err *e)
{
	const size_t n = strspn(s, "0123456789");
	char digits[TEXT_MAX];
	struct parts p = { 0 };
	const char *at = s + n;

	if (n == 0 || n >= sizeof(digits))
		return err_set(e, 0, "\"%.40s\" is not a number", s);
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (num_u64(digits, &p.whole, e) < 0 || take_fraction(&at, &p, e) < 0)
		return err_wrap(e, "\"%.40s\"", s);
	if (*at != '\0') {
		p.factor = suffix_bytes(*at, page);
		if (p.factor == 0 || at[1] != '\0')
			return err_set(e, 0,
				       "\"%.40s\": what follows the number is "
				       "not one of T G M K P B",
				       s);
	}
	*ret = p;
	return 0;
}

static int scale(const struct parts *p, enum ov_unit unit, uint64_t page,
		 struct ov_number *ret, struct err *e)
{
	const uint64_t own = unit_bytes(unit, page);
	const uint64_t factor = p->factor == 0 ? own : p->factor;
	uint64_t bytes, more;

	if (unit == OV_ITEMS && (p->factor != 0 || p->scale > 1))
		return err_set(e, 0, "a number of things has no suffix");
	if (p->factor == 0 && is_largest(p->whole)) {
		ret->none = true;
		ret->largest = p->whole == 2147483647;
		return 0;
	}
	if (!num_mul(p->whole, factor, &bytes) ||
	    !num_mul(p->part, factor, &more) || bytes >= INT64_MAX) {
		ret->none = true; /* clamped to what means "no limit" */
		return 0;
	}
	bytes += more / p->scale;
	ret->v = bytes / own * own;
	return 0;
}

int openvz_number_parse(const char *s, enum ov_unit unit, uint64_t page,
			struct ov_number *ret, struct err *e)
{
	static const char word[] = "unlimited";
	struct ov_number n = { 0 };
	struct parts p;

	if (str_starts(s, word)) {
		if (s[strlen(word)] != '\0')
			return err_set(e, 0, "\"%.40s\" is not \"unlimited\"",
				       s);
		n.none = true;
	} else if (s[0] == '\0') {
		n.empty = true;
	} else if (str_eq(s, "-1")) {
		n.none = n.odd = true; /* strtoull wraps, and is clamped */
	} else {
		n.odd = *s == '+' || *s == ' ' || *s == '\t';
		s += strspn(s, " \t");
		if (cut(s + (*s == '+'), page, &p, e) < 0 ||
		    scale(&p, unit, page, &n, e) < 0)
			return -1;
	}
	*ret = n;
	return 0;
}

int openvz_yes_no(const char *s, bool *ret, struct err *e)
{
	if (!str_eq(s, "yes") && !str_eq(s, "no"))
		return err_set(e, 0, "\"%.40s\" is neither yes nor no", s);
	*ret = str_eq(s, "yes");
	return 0;
}

int openvz_integer(const char *s, uint64_t min, uint64_t max, uint64_t *ret,
		   struct err *e)
{
	uint64_t n;

	if (num_u64(s, &n, e) < 0)
		return -1;
	if (n < min || n > max)
		return err_set(e, 0,
			       "%" PRIu64 " is not between %" PRIu64
			       " and %" PRIu64,
			       n, min, max);
	*ret = n;
	return 0;
}

/* One number of a list, and what is behind it. */
static int list_number(const char **at, uint64_t *ret, struct err *e)
{
	const size_t n = strspn(*at, "0123456789");
	uint64_t v = 0;

	if (n == 0 || n > 5)
		return err_set(e, 0, "not a list of numbers");
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint64_t)((*at)[i] - '0');
	if (v >= CPU_MAX)
		return err_set(e, 0, "%" PRIu64 " is no number of a processor",
			       v);
	*at += n;
	*ret = v;
	return 0;
}

int openvz_cpu_list(const char *s, struct err *e)
{
	for (;;) {
		uint64_t first, last;

		if (list_number(&s, &first, e) < 0)
			return -1;
		last = first;
		if (*s == '-') {
			s++;
			if (list_number(&s, &last, e) < 0)
				return -1;
		}
		if (last < first)
			return err_set(e, 0, "a range that runs backwards");
		if (*s == '\0')
			return 0;
		if (*s++ != ',')
			return err_set(e, 0, "not a list of numbers");
	}
}
