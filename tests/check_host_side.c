/* Unit tests of the host's part of routed interfaces. */
#include <check.h>
#include <string.h>

#include "base/str.h"
#include "policy/host_side.h"

static struct policy *two_nics(struct arena *mem)
{
	struct policy *p = policy_new(mem);

	policy_add(p, FIELD_NIC_NAME, "venet0", "venet0");
	policy_add(p, FIELD_NIC_HOST_NAME, "venet0", "veth1");
	policy_add(p, FIELD_NIC_NAME, "eth0", "eth0");
	policy_add(p, FIELD_NIC_HOST_NAME, "eth0", "veth101.0");
	policy_sort(p);
	return p;
}

/* What is written is read back: the named interface alone is filtered. */
START_TEST(written_and_read)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct policy *p = two_nics(mem);
	struct strv ends = { 0 };
	const char *text;
	struct err e;

	strv_add(mem, &ends, "veth101.0");
	text = host_side_filter(mem, "rehost-x", &ends);
	ck_assert_ptr_nonnull(strstr(text, "iifname \"veth101.0\" fib saddr"));
	ck_assert_int_eq(host_side_read(text, "f", p, &e), 0);
	ck_assert_pstr_eq(policy_get(p, FIELD_NIC_SOURCE_FILTER, "venet0"),
			  NULL);
	ck_assert_pstr_eq(policy_get(p, FIELD_NIC_SOURCE_FILTER, "eth0"),
			  "yes");
}
END_TEST

#define TABLE "table inet x {\n\tchain source {\n"
#define RULE "iifname \"veth1\" fib saddr . iif oif missing drop\n"

static const struct bad_row {
	const char *text, *message;
} bad_rows[] = {
	{ "flush ruleset\n", "f:1: no table" },
	{ "table inet x {\nset a {\n", "f:2: no chain" },
	{ "}\n", "f:1: a brace too many" },
	{ TABLE "type filter hook output priority raw; policy accept;\n",
	  "f:3: not where packets come in" },
	{ TABLE RULE, "f:3: not where packets come in" },
	{ TABLE HOST_SIDE_CHAIN "\niifname \"veth1\" accept\n",
	  "f:4: no rule of a source filter" },
	{ TABLE HOST_SIDE_CHAIN "\niifname \"\" fib saddr . iif oif missing "
				"drop\n",
	  "f:4: no rule of a source filter" },
	{ TABLE HOST_SIDE_CHAIN "\n" RULE "}\n", "f: ends inside a table" },
};

/* Whatever is not understood may let anything through. */
START_TEST(bad_filter)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct err e;

	ck_assert_int_eq(
		host_side_read(bad_rows[_i].text, "f", two_nics(mem), &e), -1);
	ck_assert_str_eq(e.msg, bad_rows[_i].message);
}
END_TEST

static const struct param_row {
	const char *dev;
	bool ipv6;
	const char *names;
} param_rows[] = {
	{ "br0", false, "net/ipv4/conf/br0/forwarding" },
	{ "eth2.2003", true,
	  "net/ipv4/conf/eth2.2003/forwarding net/ipv6/conf/all/forwarding "
	  "net/ipv6/conf/eth2.2003/proxy_ndp" },
};

START_TEST(params)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct strv names =
		host_side_params(mem, param_rows[_i].dev, param_rows[_i].ipv6);

	ck_assert_str_eq(strv_join(mem, &names, " "), param_rows[_i].names);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host_side");
	TCase *c = tcase_create("filter");
	SRunner *r;
	int failed;

	tcase_add_test(c, written_and_read);
	tcase_add_loop_test(c, bad_filter, 0, COUNT(bad_rows));
	tcase_add_loop_test(c, params, 0, COUNT(param_rows));
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
