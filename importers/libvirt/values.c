/* Numbers, sizes, sets and addresses as libvirt takes them; libvirt.md 2.2. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/inet.h"
#include "base/num.h"
#include "importers/libvirt/libvirt.h"

enum { CPU_MAX = 16384 }; /* what libvirt's sets hold */

int libvirt_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
		   struct err *e)
{
	const char *s = text + strspn(text, " \t\n\r\v\f");
	uint64_t n;

	s += *s == '+';
	if (num_u64(s, &n, e) < 0)
		return -1;
	if (n < min || n > max)
		return err_set(e, 0,
			       "%" PRIu64 " is not from %" PRIu64
			       " to %" PRIu64,
			       n, min, max);
	*ret = n;
	return 0;
}

/* Bytes of a unit; 0: none of that name. */
static uint64_t unit_bytes(const char *unit)
{
	static const char letters[] = "kmgtpe";
	static const char *const bytes[] = { "b", "byte", "bytes" };
	const char *at;
	char first[2] = { unit[0], '\0' };
	uint64_t base, n = 1;

	for (size_t i = 0; i < COUNT(bytes); i++)
		if (str_caseeq(unit, bytes[i]))
			return 1;
	if (unit[0] == '\0')
		return 0;
	if (unit[1] == '\0' || str_caseeq(unit + 1, "ib"))
		base = 1024;
	else if (str_caseeq(unit + 1, "b"))
		base = 1000;
	else
		return 0;
	for (at = letters; *at != '\0'; at++) {
		const char letter[2] = { *at, '\0' };

		n *= base;
		if (str_caseeq(first, letter))
			return n;
	}
	return 0;
}

int libvirt_size(const char *text, const char *unit, uint64_t base,
		 uint64_t *ret, struct err *e)
{
	uint64_t n, factor = unit == NULL ? base : unit_bytes(unit);

	if (factor == 0)
		return err_set(e, 0, "\"%.20s\" is no unit", unit);
	if (libvirt_number(text, 0, UINT64_MAX, &n, e) < 0)
		return -1;
	if (!num_mul(n, factor, &n) || n > INT64_MAX)
		return err_set(e, 0, "larger than 2^63 bytes");
	*ret = n;
	return 0;
}

/* --- sets of processors --- */

static const char *show_set(const bool *set, struct arena *mem)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	for (size_t i = 0; i < CPU_MAX; i++) {
		const size_t first = i;

		if (!set[i])
			continue;
		while (i + 1 < CPU_MAX && set[i + 1])
			i++;
		buf_printf(&b, "%s%zu", b.n == 0 ? "" : ",", first);
		if (i > first)
			buf_printf(&b, "-%zu", i);
	}
	return arena_strdup(mem, buf_str(&b));
}

static int take_cpu(const char **at, uint64_t *ret, struct err *e)
{
	char digits[8] = "";
	const size_t n = strspn(*at, "0123456789");

	if (n == 0)
		return err_set(e, 0, "a number is missing");
	if (n >= sizeof(digits))
		return err_set(e, 0, "no processor has such a number");
	memcpy(digits, *at, n);
	*at += n;
	return num_u64(digits, ret, e);
}

/* "3", "0-3", "^2"; *at stays behind it. */
static int take_range(const char **at, bool *set, struct err *e)
{
	const char *s = *at + strspn(*at, " \t\n");
	const bool on = *s != '^';
	uint64_t a, b;

	s += !on;
	if (take_cpu(&s, &a, e) < 0)
		return -1;
	b = a;
	if (on && *s == '-') {
		s++;
		if (take_cpu(&s, &b, e) < 0)
			return -1;
	}
	if (a > b || b >= CPU_MAX)
		return err_set(e, 0,
			       "%" PRIu64 "-%" PRIu64 " is no range below %d",
			       a, b, CPU_MAX);
	for (; a <= b; a++)
		set[a] = on;
	*at = s + strspn(s, " \t\n");
	return 0;
}

int libvirt_cpu_set(const char *text, struct arena *mem, const char **ret,
		    struct err *e)
{
	bool set[CPU_MAX] = { false };
	const char *shown;

	for (;;) {
		if (take_range(&text, set, e) < 0)
			return -1;
		if (*text == '\0')
			break;
		if (*text != ',')
			return err_set(e, 0, "no list of numbers and ranges");
		text++;
	}
	shown = show_set(set, mem);
	if (shown[0] == '\0')
		return err_set(e, 0, "it names none");
	*ret = shown;
	return 0;
}

/* --- addresses --- */

int libvirt_ip(const char *text, bool v6, char ret[48], struct err *e)
{
	struct inet_addr a = { .family = v6 ? AF_INET6 : AF_INET };
	struct in_addr v4;

	if (v6) {
		if (inet_parse(text, &a, e) < 0)
			return -1;
		if (a.family != AF_INET6)
			return err_set(e, 0, "not an IPv6 address");
	} else {
		if (strchr(text, ' ') != NULL || inet_aton(text, &v4) == 0)
			return err_set(e, 0,
				       "\"%.40s\" is not an IPv4 address%s",
				       text,
				       strchr(text, ':') == NULL ?
					       "" :
					       ": family is not ipv6");
		memcpy(a.b, &v4, sizeof(v4));
	}
	inet_show(&a, ret);
	return 0;
}
