/*
 * Addresses, capabilities, device rules, digests and JSON: tables of what goes
 * in and what comes out.
 */
#include <check.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>

#include "base/cap.h"
#include "base/devrule.h"
#include "base/digest.h"
#include "base/inet.h"
#include "base/json.h"
#include "base/str.h"

/* ---- inet ---- */

enum { LOOP = 1, MULTI = 2, ANYADDR = 4, LINK = 8 };

/* text NULL: no address */
static const struct {
	const char *in, *text;
	unsigned bits, is;
} addrs[] = {
	{ "192.0.2.1", "192.0.2.1", 32, 0 },
	{ "127.0.0.1", "127.0.0.1", 32, LOOP },
	{ "127.255.0.9", "127.255.0.9", 32, LOOP },
	{ "0.0.0.0", "0.0.0.0", 32, ANYADDR },
	{ "224.0.0.5", "224.0.0.5", 32, MULTI },
	{ "239.255.255.255", "239.255.255.255", 32, MULTI },
	{ "240.0.0.1", "240.0.0.1", 32, 0 },
	{ "169.254.1.1", "169.254.1.1", 32, LINK },
	{ "::1", "::1", 128, LOOP },
	{ "::", "::", 128, ANYADDR },
	{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", 128, 0 },
	{ "ff02::1", "ff02::1", 128, MULTI },
	{ "fe80::1", "fe80::1", 128, LINK },
	{ "febf::1", "febf::1", 128, LINK },
	{ "fec0::1", "fec0::1", 128, 0 },
	{ "", NULL, 0, 0 },
	{ "1.2.3", NULL, 0, 0 },
	{ "1.2.3.256", NULL, 0, 0 },
	{ "1.2.3.4 ", NULL, 0, 0 },
	{ "01.2.3.4", NULL, 0, 0 },
	{ "1.2.3.4/24", NULL, 0, 0 },
	{ "2001:db8:::1", NULL, 0, 0 },
	{ "fe80::1%eth0", NULL, 0, 0 },
	{ "localhost", NULL, 0, 0 },
};

START_TEST(test_inet_parse)
{
	struct inet_addr a = { .family = 77 };
	char text[INET_TEXT];
	struct err e;

	if (addrs[_i].text == NULL) {
		ck_assert_int_eq(inet_parse(addrs[_i].in, &a, &e), -1);
		ck_assert_int_eq(a.family, 77);
		return;
	}
	ck_assert_int_eq(inet_parse(addrs[_i].in, &a, &e), 0);
	inet_show(&a, text);
	ck_assert_str_eq(text, addrs[_i].text);
	ck_assert_uint_eq(inet_bits(&a), addrs[_i].bits);
	ck_assert_int_eq(inet_is_loopback(&a), addrs[_i].is == LOOP);
	ck_assert_int_eq(inet_is_multicast(&a), addrs[_i].is == MULTI);
	ck_assert_int_eq(inet_is_any(&a), addrs[_i].is == ANYADDR);
	ck_assert_int_eq(inet_is_linklocal(&a), addrs[_i].is == LINK);
}
END_TEST

/* In ascending order: each is compared with each. */
static const char *const ordered[] = {
	"9.0.0.1", "10.0.0.1", "192.0.2.1", "::", "::1", "2001:db8::1",
};

START_TEST(test_inet_cmp)
{
	struct inet_addr a, b;
	struct err e;

	ck_assert_int_eq(inet_parse(ordered[_i], &a, &e), 0);
	for (int j = 0; j < (int)COUNT(ordered); j++) {
		ck_assert_int_eq(inet_parse(ordered[j], &b, &e), 0);
		ck_assert_int_eq(inet_cmp(&a, &b) < 0, _i < j);
		ck_assert_int_eq(inet_cmp(&a, &b) > 0, _i > j);
		ck_assert_int_eq(inet_equal(&a, &b), _i == j);
	}
}
END_TEST

/* first NULL: no net; last NULL: no broadcast address */
static const struct {
	const char *in;
	unsigned prefix;
	const char *first, *last, *inside, *outside;
} nets[] = {
	{ "192.0.2.9/24", 24, "192.0.2.0", "192.0.2.255", "192.0.2.77",
	  "192.0.3.1" },
	{ "10.1.2.3/20", 20, "10.1.0.0", "10.1.15.255", "10.1.15.1",
	  "10.1.16.1" },
	{ "10.1.2.3/30", 30, "10.1.2.0", "10.1.2.3", "10.1.2.1", "10.1.2.4" },
	{ "10.1.2.3/31", 31, "10.1.2.2", NULL, "10.1.2.2", "10.1.2.4" },
	{ "10.1.2.3", 32, "10.1.2.3", NULL, "10.1.2.3", "10.1.2.2" },
	{ "10.1.2.3/0", 0, "0.0.0.0", "255.255.255.255", "8.8.8.8", "::1" },
	{ "2001:db8::9/64", 64, "2001:db8::", NULL, "2001:db8::ffff:1",
	  "2001:db8:0:1::1" },
	{ "2001:db8::9", 128, "2001:db8::9", NULL, "2001:db8::9",
	  "2001:db8::8" },
	{ "10.1.2.3/33", 0, NULL, NULL, NULL, NULL },
	{ "2001:db8::9/129", 0, NULL, NULL, NULL, NULL },
	{ "10.1.2.3/", 0, NULL, NULL, NULL, NULL },
	{ "10.1.2.3/-1", 0, NULL, NULL, NULL, NULL },
	{ "10.1.2.3/24/8", 0, NULL, NULL, NULL, NULL },
	{ "10.1.2.3/99999999999999999999", 0, NULL, NULL, NULL, NULL },
	{ "/24", 0, NULL, NULL, NULL, NULL },
};

static struct inet_addr addr_of(const char *s)
{
	struct inet_addr a = { 0 };
	struct err e;

	ck_assert_int_eq(inet_parse(s, &a, &e), 0);
	return a;
}

START_TEST(test_inet_net)
{
	struct inet_addr a, inside, outside;
	struct inet_net net = { .prefix = 77 };
	char text[INET_TEXT];
	struct err e;

	if (nets[_i].first == NULL) {
		ck_assert_int_eq(inet_net_parse(nets[_i].in, &net, &e), -1);
		ck_assert_uint_eq(net.prefix, 77);
		return;
	}
	ck_assert_int_eq(inet_net_parse(nets[_i].in, &net, &e), 0);
	ck_assert_uint_eq(net.prefix, nets[_i].prefix);
	inet_net_first(&net, &a);
	inet_show(&a, text);
	ck_assert_str_eq(text, nets[_i].first);
	ck_assert_int_eq(inet_broadcast(&net, &a), nets[_i].last != NULL);
	inet_show(&a, text);
	if (nets[_i].last != NULL)
		ck_assert_str_eq(text, nets[_i].last);
	inside = addr_of(nets[_i].inside);
	outside = addr_of(nets[_i].outside);
	ck_assert(inet_net_has(&net, &inside));
	ck_assert(!inet_net_has(&net, &outside));
}
END_TEST

/* prefix -1: no mask */
static const struct {
	const char *in;
	int prefix;
} masks[] = {
	{ "255.255.255.0", 24 },
	{ "255.255.255.255", 32 },
	{ "0.0.0.0", 0 },
	{ "255.255.252.0", 22 },
	{ "128.0.0.0", 1 },
	{ "255.0.255.0", -1 },
	{ "0.0.0.255", -1 },
	{ "255.255.253.0", -1 },
	{ "24", -1 },
	{ "", -1 },
	{ "255.255.255.0.0", -1 },
	{ "ffff::", -1 },
};

START_TEST(test_inet_mask)
{
	const int prefix = masks[_i].prefix;
	unsigned n = 77;
	struct err e;

	ck_assert_int_eq(inet_mask(masks[_i].in, &n, &e), prefix < 0 ? -1 : 0);
	ck_assert_uint_eq(n, prefix < 0 ? 77 : (unsigned)prefix);
}
END_TEST

static const struct {
	const char *in, *out;
} macs[] = {
	{ "02:00:5e:10:00:01", "02:00:5e:10:00:01" },
	{ "02-00-5E-10-00-aF", "02:00:5e:10:00:af" },
	{ "02:00:5e:10:00", NULL },
	{ "02:00:5e:10:00:01:02", NULL },
	{ "02:00:5e:10:00-01", NULL },
	{ "02.00.5e.10.00.01", NULL },
	{ "0g:00:5e:10:00:01", NULL },
	{ " 2:00:5e:10:00:01", NULL },
	{ "02:00:5e:10:00:-1", NULL },
	{ "2:0:5e:10:0:1", NULL },
	{ "", NULL },
};

START_TEST(test_inet_mac)
{
	uint8_t mac[6] = { 77 };
	char text[18];
	struct err e;
	int r = inet_mac_parse(macs[_i].in, mac, &e);

	ck_assert_int_eq(r, macs[_i].out == NULL ? -1 : 0);
	inet_mac_show(mac, text);
	ck_assert_str_eq(text, macs[_i].out == NULL ? "4d:00:00:00:00:00" :
						      macs[_i].out);
}
END_TEST

static const struct {
	const char *name;
	bool ok;
} ifnames[] = {
	{ "eth0", true },
	{ "eth0.100", true },
	{ "a", true },
	{ "veth1234567890a", true },
	{ "veth1234567890ab", false },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ "a/b", false },
	{ "a b", false },
	{ "eth0:1", false },
	{ "a\n", false },
	{ "eth0.4094", true },
	{ "wl-p_1+@x", true },
	{ "-a", false },
	{ "eth0;reboot", false },
	{ "$(id)", false },
	{ "a`b`", false },
	{ "a|b", false },
	{ "eth\xb2", true },
	{ "eth\xa0", false },
};

START_TEST(test_inet_ifname)
{
	ck_assert_int_eq(inet_ifname_ok(ifnames[_i].name), ifnames[_i].ok);
}
END_TEST

/* ---- cap ---- */

/* libcap may know fewer or more: what both name is the same. */
START_TEST(test_cap_names)
{
	char *name = cap_to_name((cap_value_t)_i);

	ck_assert_ptr_nonnull(name);
	if (str_starts(name, "cap_"))
		ck_assert_str_eq(name + 4, cap_name((unsigned)_i));
	cap_free(name);
	ck_assert_int_eq(cap_find(cap_name((unsigned)_i)), _i);
	ck_assert_ptr_null(cap_name(CAP_N));
}
END_TEST

static const struct {
	const char *name;
	int bit;
} cap_names[] = {
	{ "chown", CAP_CHOWN },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
	{ "cap_net_raw", CAP_NET_RAW },
	{ "Net_Admin", CAP_NET_ADMIN },
	{ "MKNOD", CAP_MKNOD },
	{ "cap_", -1 },
	{ "cap_cap_chown", -1 },
	{ "", -1 },
	{ "sys_admi", -1 },
	{ "sys_admins", -1 },
	{ "ca", -1 },
};

START_TEST(test_cap_find)
{
	ck_assert_int_eq(cap_find(cap_names[_i].name), cap_names[_i].bit);
}
END_TEST

START_TEST(test_cap_show)
{
	struct arena *a CLEANUP(arena_freep) = arena_new();

	ck_assert_str_eq(cap_show(a, 0, " "), "");
	ck_assert_str_eq(cap_show(a, 1, " "), "chown");
	ck_assert_str_eq(cap_show(a, CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_KILL),
				  " "),
			 "kill net_raw");
	ck_assert_str_eq(cap_show(a, CAP_BIT(63) | 1, ", "), "chown, 63");
	ck_assert_uint_eq(CAP_ALL, (UINT64_C(1) << 41) - 1);
}
END_TEST

/* ---- devrule ---- */

/* out NULL: no rule */
static const struct {
	const char *in, *out, *id;
} rules[] = {
	{ "c 1:3 rwm", "c 1:3 rwm", "c 1:3" },
	{ "c 1:3 mr", "c 1:3 rm", "c 1:3" },
	{ "c 1:3", "c 1:3 rwm", "c 1:3" },
	{ "b *:* m", "b *:* m", "b *:*" },
	{ "c 136:* rw\n", "c 136:* rw", "c 136:*" },
	{ "  c\t5:1   w ", "c 5:1 w", "c 5:1" },
	{ "a", "a *:* rwm", "a *:*" },
	{ "a *:* rwm", "a *:* rwm", "a *:*" },
	{ "b 4294967295:4294967295 r", "b 4294967295:4294967295 r",
	  "b 4294967295:4294967295" },
	{ "b 4294967296:0 r", NULL, NULL },
	{ "", NULL, NULL },
	{ "c", NULL, NULL },
	{ "c 1 rwm", NULL, NULL },
	{ "c 1: r", NULL, NULL },
	{ "c :3 r", NULL, NULL },
	{ "c 1:3 rx", NULL, NULL },
	{ "c 1:3 rwm x", NULL, NULL },
	{ "c -1:3 r", NULL, NULL },
	{ "c 1:3:4 r", NULL, NULL },
	{ "p 1:3 r", NULL, NULL },
	{ "cc 1:3 r", NULL, NULL },
};

START_TEST(test_devrule_parse)
{
	struct devrule r = { .type = 'x' };
	char text[DEVRULE_TEXT];
	struct err e;

	if (rules[_i].out == NULL) {
		ck_assert_int_eq(devrule_parse(rules[_i].in, &r, &e), -1);
		ck_assert_int_eq(r.type, 'x');
		return;
	}
	ck_assert_int_eq(devrule_parse(rules[_i].in, &r, &e), 0);
	devrule_show(&r, text);
	ck_assert_str_eq(text, rules[_i].out);
	devrule_show_id(&r, text);
	ck_assert_str_eq(text, rules[_i].id);
}
END_TEST

START_TEST(test_devrule_access)
{
	static const char *const texts[] = { "",  "m",  "w",  "wm",
					     "r", "rm", "rw", "rwm" };
	char text[4];

	devrule_show_access((unsigned)_i, text);
	ck_assert_str_eq(text, texts[_i]);
}
END_TEST

/* order: of devrule_cmp(a, b), as its sign */
static const struct {
	const char *a, *b;
	int order;
	bool covers;
} pairs[] = {
	{ "c 1:3 r", "c 1:3 r", 0, true },
	{ "c 1:3 r", "c 1:3 w", 1, true },
	{ "c 1:3 r", "c 1:5 r", -1, false },
	{ "c 1:3 r", "b 1:3 r", 1, false },
	{ "c 1:* r", "c 1:3 rwm", -1, true },
	{ "c 1:3 rwm", "c 1:* r", 1, false },
	{ "c *:3 r", "c 1:3 r", -1, true },
	{ "c *:3 r", "c *:* r", 1, false },
	{ "c *:* r", "c *:3 r", -1, true },
	{ "c 2:3 r", "c 10:3 r", -1, false },
	{ "a", "b 8:0 r", -1, true },
	{ "b *:*", "a", 1, false },
};

START_TEST(test_devrule_pairs)
{
	struct devrule a, b;
	struct err e;
	int order;

	ck_assert_int_eq(devrule_parse(pairs[_i].a, &a, &e), 0);
	ck_assert_int_eq(devrule_parse(pairs[_i].b, &b, &e), 0);
	order = devrule_cmp(&a, &b);
	ck_assert_int_eq((order > 0) - (order < 0), pairs[_i].order);
	order = devrule_cmp(&b, &a);
	ck_assert_int_eq((order > 0) - (order < 0), -pairs[_i].order);
	ck_assert_int_eq(devrule_covers(&a, &b), pairs[_i].covers);
}
END_TEST

/* ---- digest ---- */

/* FIPS 180-2, appendix B, and the empty message. */
static const struct {
	const char *data;
	size_t repeat;
	const char *sum;
} digests[] = {
	{ "", 1,
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", 1,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "aaaaaaaaaa", 100000,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

START_TEST(test_digest)
{
	struct digest *d = digest_new();
	struct digest *unused CLEANUP(digest_freep) = digest_new();
	const char *data = digests[_i].data;
	char sum[DIGEST_HEX];

	digest_add(unused, data, strlen(data));
	for (size_t i = 0; i < digests[_i].repeat; i++)
		digest_add(d, data, strlen(data));
	digest_end(d, sum);
	ck_assert_str_eq(sum, digests[_i].sum);
	if (digests[_i].repeat == 1) {
		digest_of(data, strlen(data), sum);
		ck_assert_str_eq(sum, digests[_i].sum);
	}
}
END_TEST

/* ---- json ---- */

static const struct {
	const char *in;
	size_t n;
	const char *out;
} texts[] = {
	{ "abc", 3, "\"abc\"" },
	{ "", 0, "\"\"" },
	{ "a\"\n", 3, "\"a\\\"\\n\"" },
	{ "caf\xc3\xa9", 5, "\"caf\xc3\xa9\"" },
	{ "caf\xe9!", 5, "\"caf\xef\xbf\xbd!\"" },
	{ "\xff\xfe", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "a\0b", 3,
	  "\"a\xef\xbf\xbd"
	  "b\"" },
	{ "\xed\xa0\x80z", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"" },
	{ NULL, 0, "null" },
};

START_TEST(test_json_text)
{
	json_t *j CLEANUP(json_freep) = json_textn(texts[_i].in, texts[_i].n);
	struct buf b CLEANUP(buf_done) = { 0 };

	json_write_compact(&b, j);
	ck_assert_str_eq(buf_str(&b), texts[_i].out);
}
END_TEST

static json_t *sample(void)
{
	json_t *j = json_object();

	json_put_str(j, "zeta", "z");
	json_put_str(j, "none", NULL);
	json_put_int(j, "alpha", -1);
	json_put_u64(j, "big", UINT64_MAX);
	json_put_u64(j, "small", INT64_MAX);
	json_put_bool(j, "yes", true);
	json_put(j, "list", json_array());
	json_put_str(j, "bad\xff", "key");
	return j;
}

START_TEST(test_json_write)
{
	json_t *j CLEANUP(json_freep) = sample();
	struct buf b CLEANUP(buf_done) = { 0 };

	buf_adds(&b, "x");
	json_write(&b, j);
	ck_assert_str_eq(buf_str(&b), "x{\n"
				      "  \"zeta\": \"z\",\n"
				      "  \"none\": null,\n"
				      "  \"alpha\": -1,\n"
				      "  \"big\": \"18446744073709551615\",\n"
				      "  \"small\": 9223372036854775807,\n"
				      "  \"yes\": true,\n"
				      "  \"list\": [],\n"
				      "  \"bad\xef\xbf\xbd\": \"key\"\n"
				      "}\n");
	buf_clear(&b);
	json_put_str(j, "zeta", "changed");
	json_write_compact(&b, j);
	ck_assert(str_starts(buf_str(&b), "{\"zeta\":\"changed\",\"none\":"));
	ck_assert_ptr_null(strchr(buf_str(&b), '\n'));
}
END_TEST

START_TEST(test_json_read)
{
	json_t *j CLEANUP(json_freep) = sample();
	json_t *null CLEANUP(json_freep) = NULL;

	ck_assert_str_eq(json_str(j, "zeta"), "z");
	ck_assert_str_eq(json_str(j, "none"), "");
	ck_assert_str_eq(json_str(j, "absent"), "");
	ck_assert_str_eq(json_str(j, "alpha"), "");
	ck_assert_str_eq(json_str(null, "zeta"), "");
	ck_assert_uint_eq(json_num(j, "big"), UINT64_MAX);
	ck_assert_uint_eq(json_num(j, "small"), INT64_MAX);
	ck_assert_uint_eq(json_num(j, "alpha"), 0);
	ck_assert_uint_eq(json_num(j, "zeta"), 0);
	ck_assert_uint_eq(json_num(j, "absent"), 0);
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
	Suite *s = suite_create("base kinds");

	add(s, "inet_parse", test_inet_parse, COUNT(addrs));
	add(s, "inet_cmp", test_inet_cmp, COUNT(ordered));
	add(s, "inet_net", test_inet_net, COUNT(nets));
	add(s, "inet_mask", test_inet_mask, COUNT(masks));
	add(s, "inet_mac", test_inet_mac, COUNT(macs));
	add(s, "inet_ifname", test_inet_ifname, COUNT(ifnames));
	add(s, "cap_names", test_cap_names, CAP_N);
	add(s, "cap_find", test_cap_find, COUNT(cap_names));
	add(s, "cap_show", test_cap_show, 1);
	add(s, "devrule_parse", test_devrule_parse, COUNT(rules));
	add(s, "devrule_access", test_devrule_access, DEV_RWM + 1);
	add(s, "devrule_pairs", test_devrule_pairs, COUNT(pairs));
	add(s, "digest", test_digest, COUNT(digests));
	add(s, "json_text", test_json_text, COUNT(texts));
	add(s, "json_write", test_json_write, 1);
	add(s, "json_read", test_json_read, 1);
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
