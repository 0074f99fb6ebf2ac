/*
 * Network addresses: IPv4, IPv6, prefixes, hardware addresses, link names.
 * An address is canonical text (inet_ntop form) plus its family, so that two
 * spellings of one address compare equal.
 */
#ifndef REHOST_BASE_INET_H
#define REHOST_BASE_INET_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct inet_addr {
	int family; /* AF_INET or AF_INET6 */
	uint8_t b[16];
};

struct inet_net {
	struct inet_addr addr; /* with its host bits */
	unsigned prefix;
};

enum { INET_TEXT = 48 }; /* room for any address as text, with NUL */

int inet_parse(const char *s, struct inet_addr *ret, struct err *e);
void inet_show(const struct inet_addr *a, char ret[INET_TEXT]);
bool inet_equal(const struct inet_addr *a, const struct inet_addr *b);
int inet_cmp(const struct inet_addr *a, const struct inet_addr *b);
unsigned inet_bits(const struct inet_addr *a); /* 32 or 128 */
bool inet_is_loopback(const struct inet_addr *a);
bool inet_is_multicast(const struct inet_addr *a);
bool inet_is_any(const struct inet_addr *a);
bool inet_is_linklocal(const struct inet_addr *a);

/* "a.b.c.d/24", "x::y/64"; without a slash the prefix is that of a host. */
int inet_net_parse(const char *s, struct inet_net *ret, struct err *e);
bool inet_net_has(const struct inet_net *net, const struct inet_addr *a);
/* The last address of an IPv4 net; false for /31, /32 and IPv6. */
bool inet_broadcast(const struct inet_net *net, struct inet_addr *ret);
/* The first address of the net (host bits zero). */
void inet_net_first(const struct inet_net *net, struct inet_addr *ret);

/* Prefix of a dotted IPv4 mask; an error when its ones are not contiguous. */
int inet_mask(const char *s, unsigned *ret, struct err *e);

/* "02:00:5e:10:00:01" in lower case; also accepts '-' between the octets. */
int inet_mac_parse(const char *s, uint8_t ret[6], struct err *e);
void inet_mac_show(const uint8_t mac[6], char ret[18]);

/*
 * A name the kernel takes for a link, 1 to 15 bytes without '/' and blank, that
 * is nothing else to a shell and no option.
 */
bool inet_ifname_ok(const char *s);

#endif
