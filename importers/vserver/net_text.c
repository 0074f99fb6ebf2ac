/*
 * The texts of an interface's files: masks, lengths, VLAN ids, addresses. What
 * the old tools made of a text, and what was meant by it. Source: util-vserver
 * src/mask2prefix.c, src/naddress.c; iproute2 lib/utils.c, which both read
 * lengths in any base.
 */
#include <net/if.h>
#include <string.h>

#include "base/inet.h"
#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/net.h"

enum { VLAN_MAX = 4094 };

static const char digits[] = "0123456789";

bool vserver_net_mask(const char *mask, unsigned *ret)
{
	unsigned n = 0;

	for (unsigned octet = 0; octet < 4; octet++) {
		const size_t len = strspn(mask, digits);
		unsigned v = 0;

		if (len == 0 || len > 3 ||
		    (mask[len] != '.' && mask[len] != '\0'))
			return false;
		for (size_t k = 0; k < len; k++)
			v = v * 10 + (unsigned)(mask[k] - '0');
		if (v > 255)
			return false;
		for (unsigned bit = 0x80; (v & bit) != 0; bit >>= 1)
			n++;
		if (v != 255 || mask[len] == '\0')
			break;
		mask += len + 1;
	}
	*ret = n;
	return true;
}

/* 0xffffff00: ones in front, then zeros. */
static bool hex_mask(const char *text, unsigned *ret)
{
	uint64_t mask;
	struct err e;
	unsigned n = 0;

	if (!str_starts(text, "0x") || strlen(text) != 10 ||
	    num_u64_hex(text + 2, &mask, &e) < 0)
		return false;
	while (n < 32 && (mask & (UINT32_C(1) << (31 - n))) != 0)
		n++;
	*ret = n;
	return n > 0 && (mask << n & UINT32_MAX) == 0;
}

bool vserver_net_mask_meant(const char *text, unsigned *ret)
{
	uint64_t n;
	struct err e;

	if (hex_mask(text, ret))
		return true;
	if (num_u64(text + (text[0] == '/'), &n, &e) < 0 || n == 0 || n > 32)
		return false;
	*ret = (unsigned)n;
	return true;
}

bool vserver_net_length(struct arena *mem, const char *text, uint64_t *ret,
			const char **ret_odd)
{
	const char *plain = text + (text[0] == '/');
	int64_t any;
	uint64_t n;
	struct err e;

	if (num_u64(plain, &n, &e) < 0)
		return false;
	*ret = n;
	*ret_odd = NULL;
	if (plain != text) {
		*ret_odd = "the old tools stopped at the slash";
	} else if (text[0] == '0' && text[1] != '\0') {
		*ret_odd = "the old tools stopped at it, for a number with "
			   "leading zeros is octal";
		if (num_i64_any(text, &any, &e) < 0)
			return true;
		*ret = (uint64_t)any;
		*ret_odd = arena_printf(mem,
					"a number with leading zeros is "
					"octal; /%s was probably meant",
					text + strspn(text, "0"));
	}
	return true;
}

unsigned vserver_net_vlan_id(const char *text)
{
	uint64_t id;
	struct err e;

	if (num_u64(text, &id, &e) < 0 || id > VLAN_MAX)
		return 0;
	return (unsigned)id;
}

/* What stands where a VLAN id does; NULL: the name has no such place. */
static const char *vlan_part(const char *dev)
{
	const char *dot = strrchr(dev, '.');

	if (str_starts(dev, "vlan"))
		return dev + 4;
	return dot == NULL || dot == dev ? NULL : dot + 1;
}

unsigned vserver_net_vlan(struct arena *mem, const char *dev,
			  const char **ret_parent)
{
	const char *part = vlan_part(dev);

	*ret_parent = NULL;
	if (part == NULL)
		return 0;
	if (part[-1] == '.')
		*ret_parent = arena_strndup(mem, dev, (size_t)(part - dev) - 1);
	return vserver_net_vlan_id(part);
}

const char *vserver_net_no_vlan(const char *dev)
{
	const char *part = vlan_part(dev);

	if (part == NULL || part[0] == '\0' ||
	    strspn(part, digits) < strlen(part) ||
	    vserver_net_vlan_id(part) != 0)
		return NULL;
	return part;
}

/* "192.000.002.010" without the zeros; NULL: not of that form. */
static const char *without_zeros(struct arena *mem, const char *text)
{
	const struct strv parts = strv_split(mem, text, ".");
	struct strv out = { 0 };

	if (parts.n != 4 || strspn(text, "0123456789.") < strlen(text))
		return NULL;
	for (size_t k = 0; k < parts.n; k++) {
		const char *p = parts.v[k];

		p += strspn(p, "0");
		strv_add(mem, &out, *p == '\0' ? "0" : p);
	}
	return strv_join(mem, &out, ".");
}

/* What a text that is no literal is. */
static const char *not_a_literal(const char *text)
{
	if (strpbrk(text, " \t") != NULL)
		return "more than one word: one address stands in a file";
	if (strchr(text, ',') != NULL)
		return "no list: one address stands in a file";
	if (strchr(text, '%') != NULL)
		return "an address with a zone index";
	if (strchr(text, '[') != NULL)
		return "an address in brackets";
	if (strchr(text, ':') != NULL ||
	    strspn(text, "0123456789abcdefxABCDEFX.+-") == strlen(text))
		return "no legal address";
	return "a host name or the name of a device: resolve it on the old "
	       "host";
}

static bool is_mapped(const struct inet_addr *ip)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return ip->family == AF_INET6 && memcmp(ip->b, head, 12) == 0;
}

/* 255.255.255.255 */
static bool is_everybody(const struct inet_addr *ip)
{
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };

	return ip->family == AF_INET && memcmp(ip->b, ones, 4) == 0;
}

/* Why no guest can own it; NULL: one can. */
static const char *refuse(const struct inet_addr *ip)
{
	if (inet_is_any(ip))
		return "every address of the host, none of the guest's own";
	if (inet_is_multicast(ip))
		return "a multicast address";
	if (is_everybody(ip))
		return "the broadcast address of every network";
	if (inet_is_loopback(ip))
		return "a loopback address: every guest has its own";
	if (is_mapped(ip))
		return "an IPv4 address in IPv6 form: give the IPv4 one";
	return NULL;
}

const char *vserver_net_ip(struct arena *mem, const char *text,
			   struct inet_addr *ret, const char **ret_odd)
{
	const char *plain = without_zeros(mem, text);
	struct err e;

	*ret_odd = NULL;
	if (inet_parse(text, ret, &e) < 0) {
		if (plain == NULL || inet_parse(plain, ret, &e) < 0)
			return not_a_literal(text);
		*ret_odd = "leading zeros are octal to some tools";
	}
	return refuse(ret);
}
