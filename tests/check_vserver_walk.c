/*
 * The walk over a guest's files: what counts as a setting, odd files, the
 * defaults of the host; which guests there are. Vectors: vserver.md 1.3, 1.8,
 * 1.9, 2.0 and 6.11.
 */
#include "check_vserver.h"
#include "importers/vserver/format.h"

/* --- the walk ---------------------------------------------------------- */

static const struct {
	const char *file, *text;
	size_t settings;
} counts[] = {
	{ "cflags", "lock\n# no\n\n  nproc,ulimit\n", 3 },
	{ "cflags", "lock,,nproc\n", 3 },
	{ "cflags", "lock,\n", 1 },
	{ "cflags", "# nothing\n", 1 },
	{ "cflags", "", 1 },
	{ "fstab", "# no entry\n\n", 1 },
	{ "apps/init/mark", "# default\n a \n\nb", 3 },
	{ ".defaults/apps/build/options", "\n", 1 },
	/* Files below a directory, whatever its name stands for. */
	{ "apps/vunify/hash/method", "SHA1\n", 1 },
	{ "apps/vunify/hash/sub/blocks", "1\n", 0 },
	{ "apps/vunify/other/x", "1\n", 1 },
	{ "noisy/x", "1\n", 1 },
	{ "interfaces/0/nodev/x", "1\n", 1 },
	{ "sched/idle-time/fill-rate", "1\n", 1 },
	{ "run/x/y", "1\n", 1 },
	{ "apps/pkgmgmt/rpmstate/Packages", "1\n", 0 },
	{ "name", "web\nmore\n\nagain\n", 3 },
	{ "name", "", 1 },
	{ "apps/init/killseq", "15\n\n5\n9", 3 },
	{ "uts/nodename", "a\nb\n", 1 },
	{ "rlimits/nproc", "12\n13\n", 1 },
	{ "fstab", "none /proc proc defaults 0 0\n", 4 },
	{ "fstab", "# x\n/a /b none bind,ro,,\n", 3 },
	{ "fstab", "/a /b none\n", 1 },
	{ "personality", "linux32\nUNAME26\nSHORT_INODE\n", 3 },
	{ "schedule", "7\n32\n500\n10\n500\n0\n\nextra\n", 7 },
	{ "noisy", "any\ncontent\n", 1 },
	{ "unknown", "a\nb\n", 1 },
	{ "bcaps", "CAP_KILL\n", 1 },
	{ "limits/a/b", "x", 1 },
};

START_TEST(test_count)
{
	struct box b;

	box_open(&b);
	if (str_starts(counts[_i].file, ".defaults/"))
		box_put(&b, counts[_i].file, counts[_i].text);
	else
		box_file(&b, counts[_i].file, counts[_i].text);
	box_read(&b);
	ck_assert_uint_eq(box_count(&b, counts[_i].file), counts[_i].settings);
	ck_assert_uint_eq(box_found(&b, FIND_SYN_UNACCOUNTED), 0);
	box_close(&b);
}
END_TEST

/* A directory of settings that a row with '*' fits too; its flag counts. */
START_TEST(test_swallowed)
{
	struct box b;

	box_open(&b);
	box_file(&b, "apps/vunify/hash/method", "SHA1\n");
	box_file(&b, "noncontext/0/x", "");
	box_dir(&b, "etc/vservers/web/apps/vunify/hash/00/pool");
	box_link(&b, "/vservers", "nonetns");
	box_read(&b);
	ck_assert_str_eq(box_value(&b, FIELD_UNIFIED), "yes");
	ck_assert_uint_eq(box_count(&b, "apps/vunify/hash"), 0);
	ck_assert_uint_eq(box_count(&b, "apps/vunify/hash/00"), 1);
	ck_assert_uint_eq(box_count(&b, "noncontext"), 1);
	ck_assert_int_eq(box_setting(&b, "noncontext/0/x", NULL)->bin,
			 BIN_UNKNOWN);
	ck_assert_uint_eq(box_count(&b, "nonetns"), 1);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_UNKNOWN_FILE), 1);
	box_close(&b);
}
END_TEST

START_TEST(test_odd_files)
{
	struct box b;

	box_open(&b);
	box_link(&b, "loop", "loop");
	box_link(&b, "/nowhere", "noisy");
	box_link(&b, "/vservers", "elsewhere");
	ck_assert_int_eq(mkfifoat(b.fd, "etc/vservers/web/pipe", 0600), 0);
	ck_assert_int_eq(mkfifoat(b.fd, "etc/vservers/web/nonamespace", 0600),
			 0);
	box_dir(&b, "etc/vservers/web/cpuset");
	box_dir(&b, "etc/vservers/web/ulimits/nofile");
	box_file(&b, "CVS/Entries", "x");
	box_file(&b, "CVS/Root", "x");
	box_read(&b);
	ck_assert_int_eq(box_setting(&b, "loop", NULL)->bin, BIN_INERT);
	ck_assert_int_eq(box_setting(&b, "noisy", NULL)->bin, BIN_INERT);
	ck_assert_int_eq(box_setting(&b, "elsewhere", NULL)->bin, BIN_UNKNOWN);
	ck_assert_int_eq(box_setting(&b, "pipe", NULL)->bin, BIN_UNKNOWN);
	ck_assert_str_eq(box_value(&b, FIELD_NS_MOUNT), "host");
	ck_assert_int_eq(box_setting(&b, "cpuset/", NULL)->bin, BIN_INERT);
	ck_assert_int_eq(box_setting(&b, "ulimits/nofile", NULL)->bin,
			 BIN_UNREADABLE);
	ck_assert_uint_eq(box_count(&b, "CVS"), 1);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_VCS), 1);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_UNTRUSTED_LINK), 2);
	box_close(&b);
}
END_TEST

/* Where the old tools wanted something of another type. */
START_TEST(test_wrong_types)
{
	struct box b;

	box_open(&b);
	ck_assert_int_eq(mkfifoat(b.fd, "etc/vservers/web/nice", 0600), 0);
	box_file(&b, "rlimits", "");
	box_file(&b, "interfaces/3", "");
	box_read(&b);
	ck_assert_int_eq(box_setting(&b, "nice", NULL)->bin, BIN_UNREADABLE);
	ck_assert_int_eq(box_setting(&b, "rlimits", NULL)->bin, BIN_UNREADABLE);
	ck_assert_int_eq(box_setting(&b, "interfaces/3", NULL)->bin,
			 BIN_UNKNOWN);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_UNREADABLE), 2);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_UNKNOWN_FILE), 1);
	box_close(&b);
}
END_TEST

/* What the tools saved of the disks, behind a link or not. */
START_TEST(test_cache)
{
	struct box b;

	box_open(&b);
	box_host(&b, "var/cache/vservers/web/dlimits/40007_vservers_web",
		 "space_used=2348112\ninodes_used=48213\n");
	box_host(&b, "var/cache/vservers/web/dlimits/odd", "space_used=x\n");
	box_link(&b, "/var/cache/vservers/web", "cache");
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, FIND_DSK_USED), 1);
	ck_assert(box_says(&b, FIND_DSK_USED,
			   "40007_vservers_web: 2348112 KiB and 48213 inodes"));
	box_close(&b);
	box_open(&b);
	box_file(&b, "cache/dlimits/1_x", "space_used=5\ninodes_used=6\n");
	box_read(&b);
	ck_assert(box_says(&b, FIND_DSK_USED, "1_x: 5 KiB and 6 inodes"));
	ck_assert_int_eq(box_setting(&b, "cache/dlimits/1_x", NULL)->bin,
			 BIN_INERT);
	box_close(&b);
}
END_TEST

/* However many files: one note. */
START_TEST(test_defaults_note)
{
	struct box b;

	box_open(&b);
	box_put(&b, ".defaults/context.next", "40008\n");
	box_put(&b, ".defaults/files/hosts", "x\ny\n");
	box_put(&b, ".defaults/apps/build/options", "a\nb\n");
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_DEFAULTS_TREE), 1);
	ck_assert(box_says(&b, FIND_SRC_DEFAULTS_TREE,
			   "apps/build/options, context.next, files/hosts"));
	box_close(&b);
}
END_TEST

START_TEST(test_too_large)
{
	struct box b;
	char *text;

	box_open(&b);
	text = arena_alloc(b.mem, VSERVER_SCALAR_MAX + 2);
	memset(text, 'x', VSERVER_SCALAR_MAX + 1);
	box_file(&b, "name", text);
	box_read(&b);
	ck_assert_int_eq(box_setting(&b, "name", NULL)->bin, BIN_UNREADABLE);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_TOO_LARGE), 1);
	box_close(&b);
}
END_TEST

static const struct {
	const char *file, *text;
	enum finding_id finding;
} oddities[] = {
	{ "context", "5\r\n", FIND_SRC_CRLF },
	{ "context", "5", FIND_SRC_NO_NEWLINE },
	{ "name", "\xef\xbb\xbfweb\n", FIND_SRC_BINARY },
	{ "name", "w\xe9", FIND_SRC_BINARY },
	{ "name", "a\rb\n", FIND_SRC_BINARY },
	{ "ncontext", "5\n", FIND_SRC_ID },
	{ "context", "5 # web\n", FIND_SRC_NOT_STARTED },
	{ "schedule", "7\n32\n", FIND_SRC_NOT_STARTED },
	{ "name", "web\nshop\n", FIND_SRC_EXTRA_LINES },
	{ "interfaces/0/ip", "192.0.2.9\n192.0.2.10\n",
	  FIND_NET_EXTRA_ADDRESS },
	{ "bcapabilities", "`id`\n", FIND_SRC_EXPANSION },
	{ "unknown", "", FIND_SRC_UNKNOWN_FILE },
	{ "ccaps", "", FIND_SRC_FOREIGN },
	{ "context", "1\n", FIND_SRC_ID },
	{ "tag", "5\n", FIND_SRC_ID },
	{ "personality", "\nUNAME26\n", FIND_SRC_NOT_STARTED },
	{ "cflags", "no_sp\n", FIND_SRC_NOT_STARTED },
	{ "flags", "private\n", FIND_INI_PRIVATE },
	{ "apps/pkgmgmt/base", "", FIND_INI_PKGDB },
};

START_TEST(test_oddity)
{
	struct box b;

	box_one(&b, oddities[_i].file, oddities[_i].text);
	ck_assert_uint_ge(box_found(&b, oddities[_i].finding), 1);
	box_close(&b);
}
END_TEST

START_TEST(test_writable)
{
	struct box b;

	box_open(&b);
	box_file(&b, "noisy", "");
	ck_assert_int_eq(fchmodat(b.fd, "etc/vservers/web/noisy", 0666, 0), 0);
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_WRITABLE), 1);
	ck_assert(box_says(&b, FIND_SRC_WRITABLE, "noisy"));
	box_close(&b);
}
END_TEST

START_TEST(test_defaults_tree)
{
	struct box b;

	box_open(&b);
	box_file(&b, "cgroup/cpu.shares", "512\n");
	box_put(&b, ".defaults/cgroup/memory.limit_in_bytes", "1M\n");
	box_put(&b, ".defaults/context.next", "40008\n");
	box_read(&b);
	ck_assert_int_eq(
		box_setting(&b, ".defaults/cgroup/memory.limit_in_bytes", NULL)
			->bin,
		BIN_OVERRIDDEN);
	ck_assert_int_eq(box_setting(&b, ".defaults/context.next", NULL)->bin,
			 BIN_INERT);
	ck_assert_ptr_null(box_value(&b, FIELD_MEM_MAX));
	box_close(&b);
}
END_TEST

START_TEST(test_defaults_hold)
{
	struct box b;

	box_open(&b);
	box_put(&b, ".defaults/cgroup/memory.limit_in_bytes", "1M\n");
	box_put(&b, ".defaults/nonamespace", "");
	box_read(&b);
	ck_assert_str_eq(box_value(&b, FIELD_MEM_MAX), "1048576");
	ck_assert_str_eq(box_value(&b, FIELD_NS_MOUNT), "host");
	box_file(&b, "nocgroup", "");
	box_file(&b, "namespace", "");
	box_read(&b);
	ck_assert_ptr_null(box_value(&b, FIELD_MEM_MAX));
	ck_assert_str_eq(box_value(&b, FIELD_NS_MOUNT), "private");
	box_close(&b);
}
END_TEST

/* --- which guests there are -------------------------------------------- */

START_TEST(test_list)
{
	struct sources l = { 0 };
	struct box b;
	struct err e;

	box_open(&b);
	box_put(&b, ".defaults/context", "1\n");
	box_put(&b, "bad~/context", "1\n");
	box_put(&b, "bad.rpmsave/context", "1\n");
	box_put(&b, "bad.~123~/context", "1\n");
	box_put(&b, "broken/vdir", "");
	box_put(&b, "off/context", "1\n");
	box_put(&b, "off/disabled", "");
	box_put(&b, "notes/README", "");
	box_put(&b, "clip/bcaps", "");
	box_put(&b, "old1.conf", "#!/bin/sh\nS_CONTEXT=5\n");
	box_put(&b, "vz.conf", "VE_ROOT=/x\n");
	box_put(&b, "web.conf", "S_CONTEXT=6\n");
	box_put(&b, "two/legacy", "");
	box_put(&b, "two/context", "7\n");
	box_put(&b, "two.conf", "S_CONTEXT=7\n");
	ck_assert_int_eq(vserver_importer.list(&b.host, b.mem, &l, &e), 0);
	ck_assert_uint_eq(l.list.n, 5);
	ck_assert_str_eq(l.list.v[0]->id, "broken");
	ck_assert_str_eq(l.list.v[1]->id, "off");
	ck_assert_str_eq(l.list.v[2]->path, "/etc/vservers/old1.conf");
	ck_assert_str_eq(l.list.v[3]->path, "/etc/vservers/two.conf");
	ck_assert_str_eq(l.list.v[4]->path, "/etc/vservers/web");
	ck_assert_int_eq(vserver_importer.bid(&b.host, "/etc/vservers/clip"),
			 30);
	ck_assert_int_eq(vserver_importer.bid(&b.host, "/etc/vservers/notes"),
			 0);
	box_close(&b);
}
END_TEST

START_TEST(test_list_confdir)
{
	struct sources l = { 0 };
	struct box b;
	struct err e;

	box_open(&b);
	box_host(&b, "usr/lib/util-vserver/util-vserver-vars",
		 "__CONFDIR='/opt/vs'\n");
	box_host(&b, "opt/vs/db/context", "9\n");
	ck_assert_int_eq(vserver_importer.list(&b.host, b.mem, &l, &e), 0);
	ck_assert_uint_eq(l.list.n, 2);
	ck_assert_str_eq(l.list.v[0]->path, "/opt/vs/db");
	box_close(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_walk");
	TCase *t = tcase_create("walk");

	tcase_add_loop_test(t, test_count, 0, COUNT(counts));
	tcase_add_test(t, test_swallowed);
	tcase_add_test(t, test_wrong_types);
	tcase_add_test(t, test_cache);
	tcase_add_test(t, test_defaults_note);
	tcase_add_test(t, test_odd_files);
	tcase_add_test(t, test_too_large);
	tcase_add_loop_test(t, test_oddity, 0, COUNT(oddities));
	tcase_add_test(t, test_writable);
	tcase_add_test(t, test_defaults_tree);
	tcase_add_test(t, test_defaults_hold);
	tcase_add_test(t, test_list);
	tcase_add_test(t, test_list_confdir);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
