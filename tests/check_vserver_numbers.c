/* Numbers as the old tools read them (vserver.md 2.0): suffixes, no limit. */
#include <check.h>

#include "importers/vserver/vserver.h"

static const struct {
	const char *text;
	bool ok, none, keep;
	uint64_t v;
} numbers[] = {
	{ "0400", true, false, false, 256 },
	{ "4K", true, false, false, 4096 },
	{ "4k", true, false, false, 4000 },
	{ "0x1000", true, false, false, 4096 },
	{ "2M", true, false, false, 2097152 },
	{ "2m", true, false, false, 2000000 },
	{ "inf", true, true, false, 0 },
	{ "infinity", true, true, false, 0 },
	{ "-1", true, true, false, 0 },
	{ "-2", true, false, true, 0 },
	{ "18446744073709551615", true, false, false, INT64_MAX },
	{ "512 MB", false, false, false, 0 },
	{ "1G", false, false, false, 0 },
	{ "unlimited", false, false, false, 0 },
	{ "1.5", false, false, false, 0 },
	{ "", false, false, false, 0 },
	{ "-3", false, false, false, 0 },
	{ "089", false, false, false, 0 },
	{ "0x", false, false, false, 0 },
	{ "M", false, false, false, 0 },
	{ "+5", true, false, false, 5 },
	{ "9223372036854775807K", false, false, false, 0 },
};

START_TEST(test_number)
{
	struct vserver_number n;
	struct err e;
	const int rc = vserver_number(numbers[_i].text, &n, &e);

	ck_assert_int_eq(rc, numbers[_i].ok ? 0 : -1);
	if (rc < 0)
		return;
	ck_assert(n.none == numbers[_i].none);
	ck_assert(n.keep == numbers[_i].keep);
	ck_assert_uint_eq(n.v, numbers[_i].v);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_numbers");
	TCase *t = tcase_create("number");

	tcase_add_loop_test(t, test_number, 0, COUNT(numbers));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
