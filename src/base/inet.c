/* Network addresses, nets, hardware addresses, names of links. */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "base/num.h"
#include "base/str.h"

static int complain(struct err *e, const char *s, const char *what)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return err_set(e, 0, "\"%s\": %s", str_show(mem, s, strlen(s), 64),
		       what);
}

int inet_parse(const char *s, struct inet_addr *ret, struct err *e)
{
	const int family = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;
	struct inet_addr a = { .family = family };

	if (inet_pton(family, s, a.b) != 1)
		return complain(e, s, "not an IP address");
	*ret = a;
	return 0;
}

void inet_show(const struct inet_addr *a, char ret[INET_TEXT])
{
	if (inet_ntop(a->family, a->b, ret, INET_TEXT) == NULL)
		ret[0] = '\0';
}

static size_t length(const struct inet_addr *a)
{
	return a->family == AF_INET6 ? 16 : 4;
}

unsigned inet_bits(const struct inet_addr *a)
{
	return (unsigned)length(a) * 8;
}

int inet_cmp(const struct inet_addr *a, const struct inet_addr *b)
{
	if (a->family != b->family)
		return a->family == AF_INET6 ? 1 : -1;
	return memcmp(a->b, b->b, length(a));
}

bool inet_equal(const struct inet_addr *a, const struct inet_addr *b)
{
	return inet_cmp(a, b) == 0;
}

/* Whether the first bits of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned rest = bits % 8;
	const uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

/* The nets with a meaning of their own (RFC 6890, RFC 4291), by family. */
enum block { LOOPBACK, MULTICAST, ANY, LINK_LOCAL };

static const struct inet_net blocks[][2] = {
	[LOOPBACK] = { { { AF_INET, { 127 } }, 8 },
		       { { AF_INET6, { [15] = 1 } }, 128 } },
	[MULTICAST] = { { { AF_INET, { 224 } }, 4 },
			{ { AF_INET6, { 0xff } }, 8 } },
	[ANY] = { { { AF_INET, { 0 } }, 32 }, { { AF_INET6, { 0 } }, 128 } },
	[LINK_LOCAL] = { { { AF_INET, { 169, 254 } }, 16 },
			 { { AF_INET6, { 0xfe, 0x80 } }, 10 } },
};

static bool is_in(const struct inet_addr *a, enum block block)
{
	return inet_net_has(&blocks[block][a->family == AF_INET6], a);
}

bool inet_is_loopback(const struct inet_addr *a)
{
	return is_in(a, LOOPBACK);
}

bool inet_is_multicast(const struct inet_addr *a)
{
	return is_in(a, MULTICAST);
}

bool inet_is_any(const struct inet_addr *a)
{
	return is_in(a, ANY);
}

bool inet_is_linklocal(const struct inet_addr *a)
{
	return is_in(a, LINK_LOCAL);
}

static int parse_prefix(const char *s, unsigned most, unsigned *ret)
{
	struct err unused;
	uint64_t n;

	if (num_u64(s, &n, &unused) || n > most)
		return -1;
	*ret = (unsigned)n;
	return 0;
}

int inet_net_parse(const char *s, struct inet_net *ret, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const size_t n = strcspn(s, "/");
	struct inet_net net;

	if (inet_parse(arena_strndup(mem, s, n), &net.addr, e))
		return -1;
	net.prefix = inet_bits(&net.addr);
	if (s[n] == '/' && parse_prefix(s + n + 1, net.prefix, &net.prefix))
		return complain(e, s, "not a prefix of its address");
	*ret = net;
	return 0;
}

bool inet_net_has(const struct inet_net *net, const struct inet_addr *a)
{
	return net->addr.family == a->family &&
	       same_bits(net->addr.b, a->b, net->prefix);
}

/* The address with the bits after the prefix all 0 or all 1. */
static struct inet_addr with_host_bits(const struct inet_net *net, bool ones)
{
	struct inet_addr a = net->addr;

	for (unsigned bit = net->prefix; bit < inet_bits(&a); bit++) {
		const uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if (ones)
			a.b[bit / 8] |= mask;
		else
			a.b[bit / 8] &= (uint8_t)~mask;
	}
	return a;
}

bool inet_broadcast(const struct inet_net *net, struct inet_addr *ret)
{
	if (net->addr.family != AF_INET || net->prefix > 30)
		return false;
	*ret = with_host_bits(net, true);
	return true;
}

void inet_net_first(const struct inet_net *net, struct inet_addr *ret)
{
	*ret = with_host_bits(net, false);
}

int inet_mask(const char *s, unsigned *ret, struct err *e)
{
	static const uint8_t ones[4] = { 255, 255, 255, 255 };
	struct inet_net net = { .addr = { .family = AF_INET } };
	struct inet_addr first;

	if (inet_pton(AF_INET, s, net.addr.b) != 1)
		return complain(e, s, "not an IPv4 mask");
	while (net.prefix < 32 && same_bits(net.addr.b, ones, net.prefix + 1))
		net.prefix++;
	inet_net_first(&net, &first);
	if (!inet_equal(&first, &net.addr))
		return complain(e, s, "a mask with holes");
	*ret = net.prefix;
	return 0;
}

/* -1 for what is no hexadecimal digit. */
static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	p = c == '\0' ? NULL : strchr(digits, c);
	return p == NULL ? -1 : (int)(p - digits);
}

int inet_mac_parse(const char *s, uint8_t ret[6], struct err *e)
{
	uint8_t mac[6];

	if (strlen(s) != 17 || (s[2] != ':' && s[2] != '-'))
		return complain(e, s, "not a hardware address");
	for (size_t i = 0; i < 6; i++) {
		const char *octet = s + 3 * i;
		const int high = hex_digit(octet[0]), low = hex_digit(octet[1]);

		if (high < 0 || low < 0 || (i < 5 && octet[2] != s[2]))
			return complain(e, s, "not a hardware address");
		mac[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

void inet_mac_show(const uint8_t mac[6], char ret[18])
{
	snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
}

/* As the kernel's dev_valid_name, for which also A0 is a blank. */
bool inet_ifname_ok(const char *s)
{
	const size_t n = strlen(s);

	return n > 0 && n < IFNAMSIZ && !str_eq(s, ".") && !str_eq(s, "..") &&
	       s[0] != '-' &&
	       strcspn(s, "/: \t\n\v\f\r\xa0"
			  "!\"#$&'()*;<=>?[\\]^`{|}~") == n;
}
