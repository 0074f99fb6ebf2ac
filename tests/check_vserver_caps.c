/*
 * Unit tests of the Linux-VServer reader: flag lists, names, the table.
 * Vectors: vserver.md appendix B and parts 2.0, 3, 6.
 */
#include "base/cap.h"
#include "check_vserver.h"
#include "importers/vserver/format.h"
#include "importers/vserver/read.h"

/* --- capabilities ------------------------------------------------------ */

static const struct {
	const char *file, *text;
	uint64_t mask;
} bcaps[] = {
	{ "bcapabilities", "NET_RAW\n", 0xB44C24FF },
	{ "bcapabilities", "~SYS_PTRACE,!LEASE\n", 0xA44404FF },
	{ "bcapabilities", "^34\n", 0xB44C04FF | UINT64_C(1) << 34 },
	{ "bcapabilities", "cap_net_raw\n", 0xB44C24FF },
	{ "bcapabilities", "0x2000\n", 0xB44C24FF },
	{ "bcapabilities", "NET_RAW,\n", 0xB44C24FF },
	{ "bcapabilities", "~~NET_RAW\n", 0xB44C24FF },
	{ "bcapabilities", "NET_RAW\n~NET_RAW\n", 0xB44C04FF },
	{ "bcapabilities", "~all\nKILL\n", 0x20 },
	{ "bcapabilities", "none\n", 0xB44C04FF },
	{ "bcapabilities", "# only a comment\n\n", 0xB44C04FF },
	{ "bcapabilities", "NET_RAW\r\n", 0xB44C24FF },
	{ "bcapabilities", "NET_RAW # for ping\n", 0xB44C24FF },
	{ "bcapabilities", "KILL, NET_RAW\n", 0xB44C24FF },
	{ "bcapabilities", "NET_RAW\nNET_ADMIN", 0xB44C24FF },
	{ "bcapabilities", "FOO\n", 0xB44C04FF },
	{ "bcapabilities", "VXC_NET_RAW\n", 0xB44C04FF },
	{ "bcapabilities", "^64\n", 0xB44C04FF },
	{ "bcapabilities", "$(id)\n", 0xB44C04FF },
	{ "bcapabilities", "-1\n", CAP_ALL },
	{ "bcapabilities", "0xffffffffffffffff\n", CAP_ALL },
	{ "bcapabilities", "~-1\n+0x20\n", 0x20 },
	{ "bcapabilities", "^63\n^-1\n-\n1x\n", 0xB44C04FF },
	{ "bcapabilities", "NET\\_RAW\n", 0xB44C24FF },
	{ "capabilities", "CAP_NET_RAW\n", 0xB44C24FF },
};

START_TEST(test_bcap)
{
	struct box b;

	box_one(&b, bcaps[_i].file, bcaps[_i].text);
	ck_assert_uint_eq(b.g->caps.v, bcaps[_i].mask);
	box_close(&b);
}
END_TEST

START_TEST(test_bcap_defaults)
{
	struct box b;

	box_open(&b);
	box_read(&b);
	ck_assert_uint_eq(b.g->caps.v, 0xB44C04FF);
	ck_assert_int_eq(b.g->caps.from->kind, ORIGIN_DEFAULT);
	ck_assert_uint_eq(box_found(&b, FIND_CAP_RELEASE), 1);
	ck_assert_str_eq(box_value(&b, FIELD_PARTIAL_CAPS),
			 "set_utsname raw_icmp audit_control");
	ck_assert_str_eq(box_value(&b, FIELD_VIRTUAL_VIEWS), "uptime");
	box_close(&b);
}
END_TEST

static const struct {
	const char *version;
	uint64_t mask;
} releases[] = {
	{ "0.30.215", 0xB44C05FF },         { "0.30.216-pre2770", 0xB44C05FF },
	{ "0.30.216-pre2864", 0x344C04FF }, { "0.30.216-pre3054", 0xB44C04FF },
	{ "0.30.216", 0xB44C04FF },
};

START_TEST(test_bcap_release)
{
	struct box b;

	box_open(&b);
	b.facts.tools_version = releases[_i].version;
	b.facts.file = "/rehost-capture.txt";
	b.host.facts = &b.facts;
	box_read(&b);
	ck_assert_uint_eq(b.g->caps.v, releases[_i].mask);
	ck_assert_uint_eq(box_found(&b, FIND_CAP_RELEASE), 0);
	box_close(&b);
}
END_TEST

START_TEST(test_bcap_facts)
{
	struct facts_context *c;
	struct box b;

	box_open(&b);
	b.facts.tools_version = "0.30.216";
	b.facts.file = "/rehost-capture.txt";
	c = vec_add(b.mem, &b.facts.contexts);
	*c = (struct facts_context){ .xid = 40007,
				     .bcaps = "00000000b44c24ff" };
	b.host.facts = &b.facts;
	box_read(&b);
	ck_assert(box_says(&b, FIND_CAP_RELEASE, "more: net_raw; less: none"));
	ck_assert_uint_eq(b.g->caps.v, 0xB44C04FF);
	c->bcaps = "00000000344c04ff"; /* no setfcap */
	box_read(&b);
	ck_assert_uint_eq(b.g->caps.v, 0x344C04FF);
	ck_assert_int_eq(b.g->caps.from->kind, ORIGIN_FACTS);
	box_file(&b, "bcapabilities", "~KILL\n"); /* a file is no guess */
	box_read(&b);
	ck_assert_uint_eq(b.g->caps.v, 0xB44C04DF);
	box_file(&b, "bcapabilities", "");
	c->bcaps = "ffffffffb44c04ff"; /* tools that set all beyond bit 31 */
	box_read(&b);
	ck_assert(box_says(&b, FIND_CAP_RELEASE, "more: mac_override"));
	box_close(&b);
}
END_TEST

START_TEST(test_bcap_outcomes)
{
	struct box b;

	box_one(&b, "bcapabilities",
		"NET_RAW\nCAP_FOO\nal\nKILL\n~KILL\nMKNOD");
	ck_assert_uint_eq(box_count(&b, "bcapabilities"), 6);
	ck_assert_int_eq(box_setting(&b, "bcapabilities", "CAP_FOO")->bin,
			 BIN_INVALID);
	ck_assert_uint_eq(box_found(&b, FIND_CAP_UNKNOWN), 1);
	ck_assert_uint_eq(box_found(&b, FIND_CAP_ABBREVIATED), 1);
	ck_assert_int_eq(box_setting(&b, "bcapabilities", "NET_RAW")->bin,
			 BIN_OVERRIDDEN);
	ck_assert_int_eq(box_setting(&b, "bcapabilities", "KILL")->bin,
			 BIN_OVERRIDDEN);
	ck_assert_int_eq(box_setting(&b, "bcapabilities", "MKNOD")->bin,
			 BIN_INERT);
	ck_assert(box_says(&b, FIND_CAP_NOT_EFFECTIVE, "MKNOD"));
	ck_assert(!box_setting(&b, "bcapabilities", "~KILL")->decided);
	ck_assert_uint_eq(b.g->caps.v, CAP_ALL & ~CAP_BIT(5));
	box_close(&b);
}
END_TEST

/* vserver.md 2.0: whatever stands for a whole list is told. */
static const struct {
	const char *file, *text, *says;
} whole[] = {
	{ "bcapabilities", "a\n", "\"a\" is taken as \"all\"" },
	{ "bcapabilities", "-1\n", "\"-1\" sets every bit of bcapabilities" },
	{ "cflags", "any\n", "\"any\" sets every bit of cflags" },
	{ "ccapabilities", "~al\n", "\"al\" is taken as \"all\"" },
	{ "umask", "no\n", "\"no\" is taken as \"none\"" },
	{ "bcapabilities", "~all\nnone\n", NULL },
};

START_TEST(test_whole)
{
	struct box b;

	box_one(&b, whole[_i].file, whole[_i].text);
	ck_assert_uint_eq(box_found(&b, FIND_CAP_ABBREVIATED),
			  whole[_i].says != NULL);
	if (whole[_i].says != NULL)
		ck_assert(box_says(&b, FIND_CAP_ABBREVIATED, whole[_i].says));
	box_close(&b);
}
END_TEST

START_TEST(test_bcap_row)
{
	struct box b;

	box_one(&b, "bcapabilities", "Cap_Sys_Time\n^34\n");
	ck_assert_str_eq(
		box_setting(&b, "bcapabilities", "Cap_Sys_Time")->row->name,
		"bcapabilities:SYS_TIME");
	ck_assert(box_says(&b, FIND_CAP_UNNAMED, "syslog"));
	box_close(&b);
	box_one(&b, "bcapabilities", "^63\n");
	ck_assert(box_says(&b, FIND_CAP_UNNAMED, "no kernel"));
	box_close(&b);
}
END_TEST

START_TEST(test_bcap_superseded)
{
	struct box b;

	box_open(&b);
	box_file(&b, "capabilities", "NET_ADMIN\n");
	box_file(&b, "bcapabilities", "NET_RAW\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->caps.v, 0xB44C24FF);
	ck_assert_int_eq(box_setting(&b, "capabilities", NULL)->bin,
			 BIN_OVERRIDDEN);
	ck_assert_uint_eq(box_found(&b, FIND_CAP_SUPERSEDED), 1);
	box_close(&b);
}
END_TEST

/* --- partial capabilities, flags --------------------------------------- */

static const struct {
	const char *file, *text, *value;
} partial[] = {
	{ "ccapabilities", "mount,BINARY_MOUNT,~set_utsname\n",
	  "raw_icmp audit_control secure_mount binary_mount" },
	{ "ccapabilities", "VXC_SYSLOG\n",
	  "set_utsname raw_icmp syslog audit_control" },
	{ "ccapabilities", "~all\n", NULL },
	{ "ccapabilities", "~ping\n", "set_utsname audit_control" },
	{ "ncapabilities", "~raw_icmp\n", "set_utsname audit_control" },
	{ "ncapabilities", "NXC_RAW_ICMP\n",
	  "set_utsname raw_icmp audit_control" },
	{ "ccapabilities", "kthread", "set_utsname raw_icmp audit_control" },
};

START_TEST(test_partial)
{
	struct box b;

	box_one(&b, partial[_i].file, partial[_i].text);
	if (partial[_i].value == NULL)
		ck_assert_ptr_null(b.g->partial_caps.from);
	else
		ck_assert_str_eq(box_value(&b, FIELD_PARTIAL_CAPS),
				 partial[_i].value);
	ck_assert_uint_eq(box_found(&b, FIND_SYN_UNACCOUNTED), 0);
	box_close(&b);
}
END_TEST

static const struct {
	const char *file, *text;
	enum field_id field;
	const char *value;
} flags[] = {
	{ "cflags", "virt_mem\nVIRT_LOAD\n", FIELD_VIRTUAL_VIEWS,
	  "memory load uptime" },
	{ "cflags", "~virt_uptime\n", FIELD_VIRTUAL_VIEWS, NULL },
	{ "cflags", "~default\nvirt_cpu\n", FIELD_VIRTUAL_VIEWS, "cpu" },
	{ "cflags", "VXF_VIRT_MEM, virt_load\n", FIELD_VIRTUAL_VIEWS,
	  "memory load uptime" },
	{ "flags", "sched_pause\n", FIELD_PAUSED, "yes" },
	{ "cflags", "0x10000\n", FIELD_VIRTUAL_VIEWS, "memory uptime" },
	{ "nflags", "lback_allow\n", FIELD_HOST_LOOPBACK, "yes" },
	{ "ncapabilities", "tun_create\n", FIELD_TUN_CREATE, "yes" },
	{ "ncapabilities", "^12\n", FIELD_MULTICAST, "yes" },
	{ "ncapabilities", "multicast\n", FIELD_MULTICAST, NULL },
	{ "umask", "newnet\nnewns\n", FIELD_UNSHARE, "net mount" },
};

START_TEST(test_flags)
{
	struct box b;

	box_one(&b, flags[_i].file, flags[_i].text);
	if (flags[_i].value == NULL)
		ck_assert_ptr_null(box_value(&b, flags[_i].field));
	else
		ck_assert_str_eq(box_value(&b, flags[_i].field),
				 flags[_i].value);
	ck_assert_uint_eq(box_found(&b, FIND_SYN_UNACCOUNTED), 0);
	box_close(&b);
}
END_TEST

START_TEST(test_cflags_mask)
{
	static const char *const on[] = { "secure",     "virt_uptime",
					  "sc_helper",  "fakeinit",
					  "sched_hard", "virt_mem" };
	static const char *const off[] = { "lock", "sched_prio", "private" };
	struct box b;

	box_one(&b, "cflags", "sched_hard\nvirt_mem\n");
	for (size_t i = 0; i < COUNT(on); i++)
		ck_assert_msg(vserver_caps_flag(b.r, on[i]), "%s", on[i]);
	for (size_t i = 0; i < COUNT(off); i++)
		ck_assert_msg(!vserver_caps_flag(b.r, off[i]), "%s", off[i]);
	ck_assert_ptr_eq(vserver_caps_flag_setting(b.r, "virt_mem"),
			 box_setting(&b, "cflags", "virt_mem"));
	ck_assert_ptr_null(vserver_caps_flag_setting(b.r, "fakeinit"));
	box_close(&b);
}
END_TEST

START_TEST(test_cflags_over_flags)
{
	struct box b;

	box_open(&b);
	box_file(&b, "flags", "virt_mem\n");
	box_file(&b, "cflags", "virt_load\n");
	box_read(&b);
	ck_assert_str_eq(box_value(&b, FIELD_VIRTUAL_VIEWS), "load uptime");
	ck_assert_int_eq(box_setting(&b, "flags", NULL)->bin, BIN_OVERRIDDEN);
	box_close(&b);
}
END_TEST

/* --- names, ids, root -------------------------------------------------- */

static const struct {
	const char *file, *text;
	enum field_id field;
	const char *value;
} names[] = {
	{ "uts/nodename", "web.example.org\n", FIELD_HOSTNAME,
	  "web.example.org" },
	{ "uts/nodename", "web.example.org\r\n", FIELD_HOSTNAME,
	  "web.example.org" },
	{ "uts/nodename", "\n", FIELD_HOSTNAME, NULL },
	{ "hostname", "old", FIELD_HOSTNAME, "old" },
	{ "uts/machine", "i686\n", FIELD_ARCH, "i686" },
	{ "personality", "PER_LINUX32\nADDR_LIMIT_3GB\n", FIELD_ARCH, "i686" },
	{ "personality", "linux_32bit\nADDR_LIMIT_3GB\n", FIELD_PERSONALITY,
	  "addr_limit_3gb" },
	{ "personality", "linux\nUNAME26", FIELD_PERSONALITY, NULL },
	{ "name", "\n", FIELD_DISPLAY_NAME, "web" },
	{ "name", "shop\n", FIELD_DISPLAY_NAME, "shop" },
	{ "context", "40007\r\n", FIELD_XID, "40007" },
	{ "context", "40007 # web\n", FIELD_XID, "40007" },
	{ "context", "0x10\n", FIELD_XID, NULL },
	{ "context", "65535\n", FIELD_XID, "65535" },
	{ "tag", "5\n", FIELD_TAG, "5" },
	{ "apps/vunify/dummy", "", FIELD_UNIFIED, "yes" },
	{ "nonamespace", "", FIELD_NS_MOUNT, "host" },
};

START_TEST(test_name)
{
	struct box b;

	box_one(&b, names[_i].file, names[_i].text);
	if (names[_i].value == NULL)
		ck_assert_ptr_null(box_value(&b, names[_i].field));
	else
		ck_assert_str_eq(box_value(&b, names[_i].field),
				 names[_i].value);
	box_close(&b);
}
END_TEST

START_TEST(test_identity)
{
	struct box b;

	box_open(&b);
	box_read(&b);
	ck_assert_str_eq(b.g->key, "old/vserver:web");
	ck_assert_str_eq(box_value(&b, FIELD_ROOTFS), "/vservers/web");
	ck_assert_str_eq(box_value(&b, FIELD_NID), "40007");
	ck_assert_uint_eq(box_found(&b, FIND_DSK_NO_ROOT), 0);
	box_close(&b);
}
END_TEST

static const struct {
	const char *link;
	enum finding_id finding;
} roots[] = {
	{ "/vservers/gone", FIND_DSK_NO_ROOT },
	{ "vdir", FIND_DSK_NO_ROOT },
	{ "/", FIND_DSK_BAD_ROOT },
	{ "/etc/vservers", FIND_DSK_BAD_ROOT },
	{ "/vservers/other/home/web", FIND_DSK_BAD_ROOT },
};

START_TEST(test_bad_root)
{
	struct box b;

	box_open(&b);
	box_dir(&b, "vservers/other/bin");
	box_dir(&b, "vservers/other/home/web");
	box_host(&b, "vservers/other/etc/passwd", "");
	ck_assert_int_eq(unlinkat(b.fd, "etc/vservers/web/vdir", 0), 0);
	box_link(&b, roots[_i].link, "vdir");
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, roots[_i].finding), 1);
	box_close(&b);
}
END_TEST

/* --- the table --------------------------------------------------------- */

/* A path that the row fits: '*' is "0". */
static char *path_of(struct arena *mem, const char *name)
{
	char *path = arena_strdup(mem, name);

	for (char *p = strchr(path, '*'); p != NULL; p = strchr(p, '*'))
		*p = '0';
	return path;
}

static bool is_mine(const struct key *row)
{
	return strstr(row->ref, "vserver.md") != NULL;
}

/* Every row that is a path and has an example takes it without a fault. */
START_TEST(test_examples)
{
	const struct importer *imp = &vserver_importer;
	struct box b;

	box_open(&b);
	for (size_t i = 0; i < imp->n_keys; i++) {
		const struct key *row = &imp->keys[i];

		if (row->example == NULL || strchr(row->name, ':') != NULL ||
		    !is_mine(row))
			continue;
		b.g = guest_new(b.mem);
		b.r = reading_new(b.g, &b.source, imp);
		vserver_begin(b.r, b.source.path);
		vserver_read_text(b.r, path_of(b.mem, row->name), row->example);
		ck_assert_msg(b.g->settings.n > 0, "%s", row->name);
		for (size_t k = 0; k < b.g->settings.n; k++)
			ck_assert_msg(b.g->settings.v[k]->bin != BIN_INVALID ||
					      !b.g->settings.v[k]->decided,
				      "%s: %s", row->name,
				      b.g->settings.v[k]->note);
	}
	box_close(&b);
}
END_TEST

START_TEST(test_rows)
{
	const struct importer *imp = &vserver_importer;

	for (size_t i = 0; i < imp->n_keys; i++) {
		const struct key *row = &imp->keys[i];

		ck_assert_msg(row->ref != NULL, "%s has no ref", row->name);
		ck_assert_msg(row->parse == NULL || row->example != NULL ||
				      VS_FORMAT_OF(row->arg) == VS_DIR,
			      "%s has no example", row->name);
		ck_assert_msg(row->fate == FATE_EXACT || row->note != NULL,
			      "%s has no note", row->name);
		for (size_t k = i + 1; k < imp->n_keys; k++)
			ck_assert_msg(!str_eq(row->name, imp->keys[k].name),
				      "%s is there twice", row->name);
	}
}
END_TEST

/* Every bit of the reference's tables has its row; 3.1 to 3.6. */
START_TEST(test_bits)
{
	for (unsigned bit = 0; bit < 34; bit++) {
		bool found = false;

		for (size_t i = 0; i < vserver_n_keys; i++)
			if (str_starts(vserver_keys[i].name,
				       "bcapabilities:") &&
			    cap_find(vserver_keys[i].name + 14) == (int)bit)
				found = true;
		ck_assert_msg(found, "capability %u", bit);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_caps");
	TCase *t = tcase_create("caps");

	tcase_add_loop_test(t, test_bcap, 0, COUNT(bcaps));
	tcase_add_test(t, test_bcap_defaults);
	tcase_add_loop_test(t, test_bcap_release, 0, COUNT(releases));
	tcase_add_test(t, test_bcap_facts);
	tcase_add_test(t, test_bcap_outcomes);
	tcase_add_loop_test(t, test_whole, 0, COUNT(whole));
	tcase_add_test(t, test_bcap_row);
	tcase_add_test(t, test_bcap_superseded);
	tcase_add_loop_test(t, test_partial, 0, COUNT(partial));
	tcase_add_loop_test(t, test_flags, 0, COUNT(flags));
	tcase_add_test(t, test_cflags_mask);
	tcase_add_test(t, test_cflags_over_flags);
	suite_add_tcase(s, t);
	t = tcase_create("names");
	tcase_add_loop_test(t, test_name, 0, COUNT(names));
	tcase_add_test(t, test_identity);
	tcase_add_loop_test(t, test_bad_root, 0, COUNT(roots));
	suite_add_tcase(s, t);
	t = tcase_create("table");
	tcase_add_test(t, test_examples);
	tcase_add_test(t, test_rows);
	tcase_add_test(t, test_bits);
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
