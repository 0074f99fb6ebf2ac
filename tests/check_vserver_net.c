/*
 * Unit tests of the Linux-VServer reader: network stacks, mounts.
 * Vectors: vserver.md appendix B and parts 2.4, 2.6, 2.7, 6.
 */
#include "check_vserver.h"

/* --- helpers --- */

static const struct mount *mount_of(const struct box *b, const char *target)
{
	for (size_t i = 0; i < b->g->mounts.n; i++)
		if (str_eq(b->g->mounts.v[i]->target.v, target))
			return b->g->mounts.v[i];
	ck_abort_msg("no mount on %s", target);
}

static const char *options_of(struct box *b, const char *target)
{
	return strv_join(b->mem, &mount_of(b, target)->options.v, ",");
}

/* Every setting ended somewhere. */
static void check_accounted(const struct box *b)
{
	ck_assert_uint_eq(box_found(b, FIND_SYN_UNACCOUNTED), 0);
}

/* --- network stacks --- */

static const struct {
	const char *file, *text; /* NULL: nothing */
	const char *net, *pid;
	enum finding_id found;
} stacks[] = {
	{ NULL, NULL, "filtered", "filtered", FIND__MAX },
	{ "spaces/net", "", "private", "filtered", FIND__MAX },
	{ "spaces/net", "0\n", "filtered", "filtered", FIND__MAX },
	{ "spaces/net", "0", "private", "filtered", FIND_SRC_NO_NEWLINE },
	{ "spaces/net", "web\n", "private", "filtered", FIND__MAX },
	{ "spaces/net", "v12\n", "shared:v12", "filtered",
	  FIND_NET_SHARED_STACK },
	{ "spaces/pid", "", "filtered", "private", FIND__MAX },
	{ "spaces/pid", "0\n", "filtered", "filtered", FIND__MAX },
	{ "spaces/pid", "db\n", "filtered", "shared:db", FIND__MAX },
	{ "noncontext", "", "host", "filtered", FIND_NET_HOST_STACK },
	{ "netns/name", "vpnns\n", "private", "filtered", FIND__MAX },
	{ "netns/shared", "", "shared:web", "filtered", FIND_NET_SHARED_STACK },
};

START_TEST(test_stack)
{
	struct box b;

	box_open(&b);
	if (stacks[_i].file != NULL)
		box_file(&b, stacks[_i].file, stacks[_i].text);
	box_read(&b);
	ck_assert_str_eq(box_value(&b, FIELD_NS_NET), stacks[_i].net);
	ck_assert_str_eq(box_value(&b, FIELD_NS_PID), stacks[_i].pid);
	if (stacks[_i].found != FIND__MAX)
		ck_assert_uint_eq(box_found(&b, stacks[_i].found), 1);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_netns)
{
	struct box b;

	box_open(&b);
	box_file(&b, "noncontext", "");
	box_file(&b, "netns/name", "vpnns\n");
	box_file(&b, "netns/interfaces/00/host", "vethvpn\n");
	box_file(&b, "netns/interfaces/00/guest", "eth0\n");
	box_file(&b, "netns/interfaces/01/host", "vethx\n");
	box_file(&b, "netns/interfaces/02/guest", "eth2\n");
	box_read(&b);
	ck_assert_str_eq(b.g->ns_net.v, "private");
	ck_assert_uint_eq(box_found(&b, FIND_NET_HOST_STACK), 0);
	ck_assert_uint_eq(b.g->nics.n, 2);
	ck_assert_str_eq(b.g->nics.v[0]->attach.v, "p2p");
	ck_assert_str_eq(b.g->nics.v[0]->host_name.v, "vethvpn");
	ck_assert_str_eq(b.g->nics.v[0]->name.v, "eth0");
	ck_assert_str_eq(b.g->nics.v[1]->name.v, "geth0");
	ck_assert_int_eq(b.g->nics.v[1]->name.from->kind, ORIGIN_DEFAULT);
	ck_assert_uint_eq(box_found(&b, FIND_NET_P2P), 2);
	ck_assert_int_eq(
		box_setting(&b, "netns/interfaces/02/guest", NULL)->bin,
		BIN_INVALID);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_netns_shared)
{
	struct box b;

	box_open(&b);
	box_put(&b, "gate/netns/name", "dmz\n");
	box_put(&b, "other/netns/name", "dmz\n");
	box_put(&b, "other/netns/shared", "");
	box_file(&b, "netns/name", "dmz\n");
	box_file(&b, "netns/shared", "");
	box_read(&b);
	ck_assert_str_eq(b.g->ns_net.v, "shared:gate");
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_nonetns)
{
	struct box b;

	box_open(&b);
	box_put(&b, ".defaults/netns/name", "all\n");
	box_file(&b, "netns/interfaces/0/host", "v0\n");
	box_file(&b, "nonetns", "");
	box_read(&b);
	ck_assert_str_eq(b.g->ns_net.v, "filtered");
	ck_assert_uint_eq(b.g->nics.n, 0);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* --- mounts --- */

static const struct {
	const char *line, *target, *type, *options;
	enum finding_id found;
} mounts[] = {
	{ "none /proc proc defaults 0 0", "/proc", "proc", "nodev", FIND__MAX },
	{ "none /tmp tmpfs size=16m,mode=1777", "/tmp", "tmpfs",
	  "nodev,size=16m,mode=1777", FIND_MNT_NODEV },
	{ "none /dev/pts devpts gid=5,mode=620", "/dev/pts", "devpts",
	  "gid=5,mode=620", FIND__MAX },
	{ "\t/srv/a\t/data  none bind,ro 0 0", "/data", "none", "bind,ro,nodev",
	  FIND_MNT_RO_BIND },
	{ "/srv/a /data none rbind,dev", "/data", "none", "rbind", FIND__MAX },
	{ "none /x tmpfs dev", "/x", "tmpfs", "defaults", FIND__MAX },
	{ "/dev/vg0/a /srv ext3 acl,noatime,user 0 2", "/srv", "ext3",
	  "nosuid,nodev,noexec,noatime,acl", FIND_MNT_USER },
	{ "/dev/vg0/a /srv none ro", "/srv", "auto", "ro,nodev",
	  FIND_MNT_DEVICE },
	{ "f:/x /home nfs rw,hard,_netdev", "/home", "nfs", "nodev,hard",
	  FIND_MNT_NETWORK },
	{ "/a /b none bind,tagid=5", "/b", "none", "bind,nodev",
	  FIND_MNT_OPTION },
	{ "/a /b none acl,bind", "/b", "none", "bind,nodev", FIND_MNT_OPTION },
	{ "/a b/c/ none bind", "/b/c", "none", "bind,nodev",
	  FIND_MNT_HOST_PATH },
	{ "/a /b ext3 ro,defaults", "/b", "ext3", "nodev", FIND__MAX },
	{ "/a /../../b none bind", "/b", "none", "bind,nodev", FIND_SRC_MEANT },
	{ "/a b/./../c none bind", "/c", "none", "bind,nodev", FIND_SRC_MEANT },
};

START_TEST(test_mount)
{
	struct box b;

	box_open(&b);
	box_file(&b, "fstab", arena_printf(b.mem, "%s\n", mounts[_i].line));
	box_read(&b);
	ck_assert_uint_eq(b.g->mounts.n, 1);
	ck_assert_str_eq(mount_of(&b, mounts[_i].target)->type.v,
			 mounts[_i].type);
	ck_assert_str_eq(options_of(&b, mounts[_i].target), mounts[_i].options);
	if (mounts[_i].found != FIND__MAX)
		ck_assert_uint_eq(box_found(&b, mounts[_i].found), 1);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* What mount(8) found by label; a label that udev would write otherwise. */
static const struct {
	const char *source, *path;
} labels[] = {
	{ "LABEL=data", "/dev/disk/by-label/data" },
	{ "UUID=4f21-b6", "/dev/disk/by-uuid/4f21-b6" },
	{ "LABEL=a/b", "LABEL=a/b" },
};

START_TEST(test_label)
{
	struct box b;
	char line[80];

	snprintf(line, sizeof(line), "%s /b ext3 defaults 0 2\n",
		 labels[_i].source);
	box_one(&b, "fstab", line);
	ck_assert_str_eq(mount_of(&b, "/b")->source.v, labels[_i].path);
	ck_assert(box_says(&b, FIND_MNT_DEVICE, labels[_i].source));
	check_accounted(&b);
	box_close(&b);
}
END_TEST

static const struct {
	const char *text;
	size_t n_mounts, n_settings;
	enum finding_id found;
} no_mounts[] = {
	{ "/dev/hda2 swap swap defaults 0 0\n", 0, 4, FIND_MNT_SWAP },
	{ "/a /b none bind,noauto\n", 0, 3, FIND_MNT_NOAUTO },
	{ "/a /../b none bind\n", 1, 2, FIND_SRC_MEANT },
	{ "/a\\040b /b none bind\n", 1, 2, FIND_SRC_MEANT },
	{ "/a /b\\040c none bind\n", 1, 2, FIND_SRC_MEANT },
	{ "@DATA@ /b none bind\n", 1, 2, FIND_SRC_MEANT },
	{ "/img /b ext3 ro,loop 0 0\n", 0, 5, FIND_MNT_IMAGE },
	{ "/img /b ext3 loop=/dev/loop3 0 0\n", 0, 4, FIND_MNT_IMAGE },
	{ "/dev/a / ext3 defaults 0 1\n", 0, 4, FIND_MNT_ROOT },
	{ "/a /b bind\n/x /y none bind 0 0\n", 0, 5, FIND_MNT_SYNTAX },
	{ "/a /b none bind\n/x /y\n", 1, 3, FIND_MNT_SYNTAX },
	{ "/a /b none defaults\n", 0, 2, FIND_SRC_NOT_STARTED },
	{ "none /b none shared\n", 0, 2, FIND_MNT_OPTION },
	{ "# comment\n\n", 0, 1, FIND__MAX },
};

START_TEST(test_no_mount)
{
	struct box b;

	box_one(&b, "fstab", no_mounts[_i].text);
	ck_assert_uint_eq(b.g->mounts.n, no_mounts[_i].n_mounts);
	ck_assert_uint_eq(box_count(&b, "fstab"), no_mounts[_i].n_settings);
	if (no_mounts[_i].found != FIND__MAX)
		ck_assert_uint_ge(box_found(&b, no_mounts[_i].found), 1);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_root_mount)
{
	struct box b;

	box_one(&b, "fstab", "/dev/vg/web / ext3 ro 0 1\n");
	ck_assert_str_eq(box_value(&b, FIELD_ROOT_MOUNT),
			 "/dev/vg/web ext3 ro");
	box_close(&b);
}
END_TEST

/* A second entry that changes the first one's flags. */
START_TEST(test_remount)
{
	struct box b;

	box_one(&b, "fstab",
		"/a /b none bind 0 0\n/a /b none remount,bind,ro 0 0\n");
	ck_assert_uint_eq(b.g->mounts.n, 1);
	ck_assert_str_eq(options_of(&b, "/b"), "bind,nodev,ro");
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_remote)
{
	struct box b;

	box_open(&b);
	box_file(&b, "fstab", "/a /b\n");
	box_file(&b, "fstab.remote", "filer:/x /home nfs hard\n");
	box_read(&b);
	ck_assert(mount_of(&b, "/home")->remote.v);
	box_close(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_net");
	TCase *net = tcase_create("net"), *mount = tcase_create("mounts");

	tcase_add_loop_test(net, test_stack, 0, COUNT(stacks));
	tcase_add_test(net, test_netns);
	tcase_add_test(net, test_netns_shared);
	tcase_add_test(net, test_nonetns);
	suite_add_tcase(s, net);
	tcase_add_loop_test(mount, test_mount, 0, COUNT(mounts));
	tcase_add_loop_test(mount, test_label, 0, COUNT(labels));
	tcase_add_loop_test(mount, test_no_mount, 0, COUNT(no_mounts));
	tcase_add_test(mount, test_root_mount);
	tcase_add_test(mount, test_remount);
	tcase_add_test(mount, test_remote);
	suite_add_tcase(s, mount);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
