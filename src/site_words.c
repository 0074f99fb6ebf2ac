/*
 * The top-level words of the site file: every choice that the old tools'
 * documentation, or the lack of it, leaves to the operator. The rows are the
 * documentation (`explain site`) and the check.
 */
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/num.h"
#include "site.h"

/* Page sizes of Linux: 4 KiB on x86 up to 64 KiB on ia64 and ppc64. */
enum { PAGE_MIN = 4096, PAGE_MAX = 65536 };

static const struct site_word words[] = {
	{
		.name = "vserver-release",
		.value = "new",
		.allowed = "new|old",
		.text = "release of util-vserver whose default capabilities "
			"count: new is 0.30.216 and its pre-releases, old "
			"(to 0.30.215) grants SETPCAP as well",
	},
	{
		.name = "page-size",
		.value = "4096",
		.allowed = "PAGE",
		.text = "bytes in a page of the old host, the unit of its "
			"memory limits; what capture recorded wins over the "
			"default",
	},
	{
		.name = "memory-headroom",
		.value = "0%",
		.allowed = "PERCENT",
		.text = "added to a limit of resident memory, because the new "
			"limit counts page cache and kernel memory too",
	},
	{
		.name = "memory-reading",
		.value = "auto",
		.allowed = "auto|enforced|intent",
		.text = "soft below hard limit of memory: enforced takes the "
			"hard one, as the kernel did; intent takes soft as "
			"RAM and the rest as swap, as virt_mem showed it; "
			"auto is intent where virt_mem is set",
	},
	{
		.name = "soft-limit",
		.value = "low",
		.allowed = "low|high",
		.text = "a soft limit of memory of cgroup v1 becomes "
			"memory.low (protection) or memory.high (throttling)",
	},
	{
		.name = "source-hz",
		.value = "auto",
		.allowed = "auto|NUMBER",
		.text = "clock ticks a second of the old kernel, the unit of "
			"token buckets; auto is 1000 for 300 tokens and more, "
			"else 100",
	},
	{
		.name = "source-cpus",
		.value = "auto",
		.allowed = "auto|NUMBER",
		.text = "processors of the old host, for shares of all of "
			"them; auto is what capture recorded",
	},
	{
		.name = "ping",
		.value = "net-raw",
		.allowed = "net-raw|sysctl",
		.text = "how a guest that could use ICMP does so: the "
			"capability NET_RAW, or net.ipv4.ping_group_range, "
			"which old ping programs do not know",
	},
	{
		.name = "default-attach",
		.value = "routed",
		.allowed = "routed|macvlan|ipvlan|none",
		.text = "what an interface gets that no subnet, device or "
			"fact decides, on the device that carried its "
			"addresses",
	},
	{
		.name = "addresses",
		.value = "auto",
		.allowed = "auto|engine|guest",
		.text = "who sets addresses and routes: the engine, or the "
			"guest by files that are written into its copy, which "
			"takes NET_ADMIN; auto is the engine where it can",
	},
	{
		.name = "assume-dev",
		.value = "",
		.allowed = "DEVICE",
		.text = "device of addresses that the old host owned itself "
			"(nodev) where none is found; without it they get no "
			"interface",
	},
};

const struct site_word *site_words(size_t *ret_n)
{
	*ret_n = COUNT(words);
	return words;
}

int site_words_attach(const char *value, struct err *e)
{
	static const char *const kinds[] = { "bridge", "macvlan", "ipvlan",
					     "routed", "phys" };
	const char *colon = strchr(value, ':');

	if (str_eq(value, "none") || str_eq(value, "p2p"))
		return 0;
	for (size_t i = 0; colon != NULL && i < COUNT(kinds); i++) {
		const size_t n = strlen(kinds[i]);

		if ((size_t)(colon - value) == n &&
		    memcmp(value, kinds[i], n) == 0 &&
		    inet_ifname_ok(colon + 1))
			return 0;
	}
	return err_set(e, 0,
		       "\"%s\" is none of bridge:IF, macvlan:IF, ipvlan:IF, "
		       "routed:IF, phys:IF, p2p, none",
		       value);
}

static int check_number(const char *value, struct err *e)
{
	uint64_t n;

	if (num_u64(value, &n, e) < 0)
		return -1;
	if (n == 0 || n > 100000)
		return err_set(e, 0, "%s is out of range", value);
	return 0;
}

static int check_page(const char *value, struct err *e)
{
	uint64_t n;

	if (num_u64(value, &n, e) < 0)
		return -1;
	if (n < PAGE_MIN || n > PAGE_MAX || (n & (n - 1)) != 0)
		return err_set(e, 0, "%s is no size of a page", value);
	return 0;
}

/* "10%" or "10": of a limit, so at most ten times of it. */
static int check_percent(const char *value, struct err *e)
{
	char text[8] = "";
	size_t n = strlen(value);
	uint64_t percent;

	if (n > 0 && value[n - 1] == '%')
		n--;
	if (n == 0 || n >= sizeof(text))
		return err_set(e, 0, "\"%s\" is no percentage", value);
	memcpy(text, value, n);
	if (num_u64(text, &percent, e) < 0)
		return -1;
	if (percent > 1000)
		return err_set(e, 0, "%s is out of range", value);
	return 0;
}

static int check_device(const char *value, struct err *e)
{
	if (*value != '\0' && !inet_ifname_ok(value))
		return err_set(e, 0, "\"%s\" is no name of a device", value);
	return 0;
}

static const struct {
	const char *name; /* as in `allowed` */
	int (*check)(const char *value, struct err *e);
} kinds[] = {
	{ .name = "NUMBER", .check = check_number },
	{ .name = "PAGE", .check = check_page },
	{ .name = "PERCENT", .check = check_percent },
	{ .name = "DEVICE", .check = check_device },
};

/* Whether one alternative takes the value. */
static bool takes(struct slice word, const char *value)
{
	struct err ignored;

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (slice_eq(word, kinds[i].name))
			return kinds[i].check(value, &ignored) == 0;
	return slice_eq(word, value);
}

int site_words_check(const struct site_word *w, const char *value,
		     struct err *e)
{
	struct slice rest = { w->allowed, strlen(w->allowed) };
	struct slice word;

	while (slice_next(&rest, '|', &word))
		if (takes(word, value))
			return 0;
	return err_set(e, 0, "\"%s\" is none of %s", value, w->allowed);
}
