/* Unit tests of what reports hide (src/base/secret.c). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/secret.h"

static const struct {
	const char *text, *shown;
} rows[] = {
	{ "", "" },
	{ "lxc.environment = DB_PASSWORD=a b,c\nnext = 1\n",
	  "lxc.environment = DB_PASSWORD=(hidden)\nnext = 1\n" },
	{ "//s/x mnt cifs rw,password=a=b,create=dir 0 0\n",
	  "//s/x mnt cifs rw,password=(hidden),create=dir 0 0\n" },
	{ "//s/x mnt cifs rw,passwd=x 0 0",
	  "//s/x mnt cifs rw,passwd=(hidden) 0 0" },
	{ "password=x,uid=1", "password=(hidden)" },
	{ "API_KEY = 'x y'", "API_KEY = (hidden)" },
	{ "my.Secret-1=\"x\"", "my.Secret-1=(hidden)" },
	{ "password", "password" },
	{ "password=", "password=" },
	{ "password=(hidden)   # x", "password=(hidden)   # x" },
	{ "the password is set", "the password is set" },
	{ "sched: token bucket 1/4", "sched: token bucket 1/4" },
	{ "a=b,c=d", "a=b,c=d" },
	{ "\xff,password=x\xff", "\xff,password=(hidden)" },
};

START_TEST(mask)
{
	struct buf out CLEANUP(buf_done) = { 0 };

	secret_mask(&out, rows[_i].text, strlen(rows[_i].text));
	ck_assert_str_eq(buf_str(&out), rows[_i].shown);
}
END_TEST

START_TEST(names)
{
	ck_assert(secret_is_name("DB_PASSWORD"));
	ck_assert(secret_is_name("aws_secret_access"));
	ck_assert(!secret_is_name("credentials")); /* the path of a file */
	ck_assert(!secret_is_name("PATH"));
	ck_assert(!secret_is_name(""));
	ck_assert(!secret_is_name(NULL));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("secret");
	TCase *t = tcase_create("secret");

	tcase_add_loop_test(t, mask, 0, COUNT(rows));
	tcase_add_test(t, names);
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
