/*
 * Unit tests of the edits (src/plan/edits*.c, shim.c). A family is a directory
 * of fixtures/edits: the tree `in`, what was read of the guest in `guest`
 * (FIELD=VALUE), and all that is planned in `expect`. With REHOST_ACCEPT=1 in
 * the environment the latter is written anew.
 */
#include <check.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "derive.h"
#include "plan/edits.h"
#include "plan/overlay.h"
#include "plan/shim.h"
#include "policy/from_guest.h"

static const char *const families[] = {
	"debian",       "redhat",         "redhat6",      "ubuntu",
	"systemd",      "gentoo",         "alpine",       "slackware",
	"suse",         "arch",           "sysv",         "startpar",
	"upstart-rc",   "event",          "own-ifupdown", "own-alpine",
	"own-ifcfg",    "own-suse",       "own-wicked",   "own-slackware",
	"own-netifrc",  "own-baselayout", "own-netctl",   "own-netplan",
	"own-networkd", "own-manager",
};

struct box {
	struct arena *mem;
	struct guest *g;
	struct site *site;
	struct plan_options options;
	struct tree *root;
	struct plan p;
	char dir[64]; /* of a tree made by the test */
	struct err e;
};

static void box_open(struct box *b, const char *root)
{
	memset(b, 0, sizeof(*b));
	if (root == NULL) {
		snprintf(b->dir, sizeof(b->dir), "/tmp/check_edits.XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(b->dir));
		root = b->dir;
	}
	b->mem = arena_new();
	b->g = guest_new(b->mem);
	b->g->source = "/etc/vservers/x";
	b->site = site_new(b->mem);
	ck_assert_msg(tree_open_dir(root, &b->root, &b->e) == 0, "%s",
		      b->e.msg);
	b->p = (struct plan){ .g = b->g,
			      .site = b->site,
			      .options = &b->options,
			      .root = b->root,
			      .target.cgroup = CGROUP_V2 };
}

static void box_done(struct box *b)
{
	tree_close(b->root);
	arena_free(b->mem);
	if (b->dir[0] != '\0')
		ck_assert_int_eq(fd_remove_tree(AT_FDCWD, b->dir, &b->e), 0);
}

static const struct origin *origin(struct box *b)
{
	return derive_origin(b->g, ORIGIN_TEXT, "/etc/vservers/x", 1, "key",
			     NULL);
}

/* nic.name and addr.ip begin one; its other fields follow. */
static void *object_of(struct box *b, const char *name)
{
	struct guest *g = b->g;
	struct addr *a;

	if (str_eq(name, "nic.name"))
		return pvec_add(b->mem, &g->nics);
	if (str_starts(name, "nic."))
		return g->nics.v[g->nics.n - 1];
	if (str_eq(name, "addr.ip")) {
		a = pvec_add(b->mem, &g->addrs);
		a->nic = g->nics.n == 0 ? NULL : g->nics.v[g->nics.n - 1];
		return a;
	}
	if (str_starts(name, "addr."))
		return g->addrs.v[g->addrs.n - 1];
	return g;
}

static void set(struct box *b, const char *line)
{
	const char *value = strchr(line, '=') + 1, *eq;
	const char *name =
		arena_strndup(b->mem, line, (size_t)(value - line - 1));
	void *object = object_of(b, name);
	const struct origin *from = origin(b);
	int rc;

	if (str_eq(name, "profile")) {
		b->options.native = str_eq(value, "native");
		return;
	}
	if (str_eq(name, "env")) {
		struct env *v = pvec_add(b->mem, &b->g->envs);

		eq = strchr(value, '=');
		derive_str(b->g, FIELD_ENV_NAME, v,
			   arena_strndup(b->mem, value, (size_t)(eq - value)),
			   from, NULL);
		derive_str(b->g, FIELD_ENV_VALUE, v, eq + 1, from, NULL);
		return;
	}
	rc = derive_text(b->g, field_find(name), object, value, from, NULL,
			 &b->e);
	ck_assert_msg(rc == 0, "%s: %s", line, b->e.msg);
}

/* The passes that matter here, in their order. */
static void plan(struct box *b)
{
	set(b, "root.path=/guest");
	ck_assert_int_eq(plan_look(&b->p, &b->e), 0);
	b->g->policy = policy_from_guest(b->g, b->mem);
	ck_assert_int_eq(plan_boot(&b->p, &b->e), 0);
	ck_assert_int_eq(plan_edits(&b->p, &b->e), 0);
}

static const struct edit *edit_of(const struct box *b, const char *path)
{
	for (size_t i = 0; i < b->g->edits.n; i++)
		if (str_eq(b->g->edits.v[i]->path, path))
			return b->g->edits.v[i];
	return NULL;
}

static size_t found(const struct box *b, enum finding_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < b->g->findings.n; i++)
		n += b->g->findings.v[i]->id == id;
	return n;
}

/* --- families --- */

static void show_edit(struct buf *out, const struct edit *ed)
{
	buf_printf(out, "%s %s", ed->action, ed->path);
	if (ed->link != NULL)
		buf_printf(out, " -> %s", ed->link);
	if (str_eq(ed->action, "add") || str_eq(ed->action, "directory"))
		buf_printf(out, " %04o", ed->mode);
	buf_printf(out, "\n\t%s\n", ed->reason);
	if (ed->diff != NULL)
		buf_adds(out, ed->diff);
}

static void show(struct box *b, struct buf *out)
{
	const struct overlay o = plan_edits_overlay(b->g, b->mem);

	for (size_t i = 0; i < o.n; i++)
		show_edit(out, edit_of(b, o.v[i].path));
	for (size_t i = 0; i < b->g->findings.n; i++) {
		const struct finding *f = b->g->findings.v[i];
		const char *code = finding_row(f->id)->code;

		if (str_starts(code, "EDT") || str_starts(code, "INI0"))
			buf_printf(out, "%s %s\n", code, f->message);
	}
}

static const char *file(struct box *b, int dir, const char *name, size_t *n)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	int fd CLEANUP(fd_closep) = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char piece[4096];
	ssize_t got;

	if (fd < 0)
		return "";
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		buf_add(&text, piece, (size_t)got);
	*n = text.n;
	return arena_strdup(b->mem, buf_str(&text));
}

static void read_guest(struct box *b, int dir)
{
	struct slice rest, line;
	size_t n = 0;
	const char *text = file(b, dir, "guest", &n);

	rest = (struct slice){ text, n };
	ck_assert_uint_gt(n, 0);
	while (slice_next(&rest, '\n', &line))
		if (line.p[0] != '#')
			set(b, slice_dup(b->mem, line));
}

START_TEST(family)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	int dir CLEANUP(fd_closep) = -1;
	const char *path, *want;
	struct box b;
	size_t n = 0;

	path = families[_i];
	dir = open("fixtures/edits", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	{
		char in[128], top[128];
		const int all = dir;

		snprintf(in, sizeof(in), "fixtures/edits/%s/in", path);
		snprintf(top, sizeof(top), "fixtures/edits/%s", path);
		box_open(&b, in);
		dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(all);
	}
	ck_assert_int_ge(dir, 0);
	read_guest(&b, dir);
	plan(&b);
	show(&b, &out);
	if (getenv("REHOST_ACCEPT") != NULL)
		ck_assert_int_eq(fd_replace(dir, "expect", out.p, out.n, &b.e),
				 0);
	want = file(&b, dir, "expect", &n);
	ck_assert_str_eq(buf_str(&out), want);
	box_done(&b);
}
END_TEST

/* A finding of the row for every change that it had a part in. */
START_TEST(every_edit_has_its_finding)
{
	int dir CLEANUP(fd_closep) = -1;
	char in[128], top[128];
	struct box b;

	snprintf(in, sizeof(in), "fixtures/edits/%s/in", families[_i]);
	snprintf(top, sizeof(top), "fixtures/edits/%s", families[_i]);
	box_open(&b, in);
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	read_guest(&b, dir);
	plan(&b);
	ck_assert_uint_gt(b.g->edits.n, 0);
	for (size_t i = 0; i < b.g->edits.n; i++) {
		const struct edit *ed = b.g->edits.v[i];
		bool announced = false;

		for (size_t j = 0; j < b.g->findings.n; j++) {
			const struct finding *f = b.g->findings.v[j];
			const char *reason = ed->reason;

			announced |=
				str_starts(finding_row(f->id)->code, "EDT") &&
				strstr(f->message,
				       arena_strndup(b.mem, reason,
						     strcspn(reason, ";"))) !=
					NULL;
		}
		ck_assert_msg(announced, "%s", ed->path);
		ck_assert_ptr_nonnull(ed->reason);
	}
	box_done(&b);
}
END_TEST

/* --- the table --- */

START_TEST(expressions_compile)
{
	size_t n;
	const struct edits_row *rows = edits_rows(&n);

	for (size_t i = 0; i < n; i++) {
		regex_t re;

		ck_assert_ptr_nonnull(rows[i].reason);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(rows[i].name, rows[j].name);
		if (rows[i].pattern == NULL || rows[i].make == edits_service ||
		    rows[i].make == edits_mask)
			continue;
		ck_assert_msg(regcomp(&re, rows[i].pattern, REG_EXTENDED) == 0,
			      "%s", rows[i].name);
		regfree(&re);
		if (rows[i].make == edits_comment && rows[i].text != NULL) {
			ck_assert_int_eq(
				regcomp(&re, rows[i].text, REG_EXTENDED), 0);
			regfree(&re);
		}
	}
}
END_TEST

/* --- diffs --- */

static const struct {
	const char *old, *new, *diff;
} diffs[] = {
	{ "a\n", "a\n", "" },
	{ "", "a\n", "@@ -0,0 +1,1 @@\n+a\n" },
	{ "a\n", "", "@@ -1,1 +0,0 @@\n-a\n" },
	{ "a", "a\n",
	  "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n" },
	{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
	  "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
	{ "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
	  "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
	  "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n" },
	{ "a\n1\n2\n3\n4\n5\n6\nb\n", "1\n2\n3\n4\n5\n6\nb\nc\n",
	  "@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n"
	  "@@ -6,3 +5,4 @@\n 5\n 6\n b\n+c\n" },
	{ "psk=\"x\"\nPassword: y\npassword required pam_unix.so\n", "",
	  "@@ -1,3 +0,0 @@\n-(hidden)\n-(hidden)\n"
	  "-password required pam_unix.so\n" },
};

START_TEST(diff)
{
	struct arena *mem = arena_new();
	const char *old = diffs[_i].old, *new = diffs[_i].new;
	const char *got = edits_diff(mem, "/etc/x",
				     (struct slice){ old, strlen(old) },
				     (struct slice){ new, strlen(new) });

	ck_assert(str_starts(got, "--- a/etc/x\n+++ b/etc/x\n"));
	ck_assert_str_eq(got + strlen("--- a/etc/x\n+++ b/etc/x\n"),
			 diffs[_i].diff);
	arena_free(mem);
}
END_TEST

/* --- trees that mean harm --- */

static void make(const struct box *b, const char *path, const void *data,
		 size_t n)
{
	struct err e;
	int dir CLEANUP(fd_closep) =
		open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *slash = strrchr(path, '/');
	int in CLEANUP(fd_closep) = -1;

	if (slash != path)
		ck_assert_int_eq(
			fd_mkdirs(dir,
				  arena_strndup(b->mem, path + 1,
						(size_t)(slash - path - 1)),
				  &e),
			0);
	in = openat(dir, path + 1, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0644);
	ck_assert_int_ge(in, 0);
	ck_assert_int_eq(write(in, data, n), (ssize_t)n);
}

static void make_text(const struct box *b, const char *path, const char *text)
{
	make(b, path, text, strlen(text));
}

static void make_link(const struct box *b, const char *target, const char *path)
{
	ck_assert_int_eq(
		symlink(target, arena_printf(b->mem, "%s%s", b->dir, path)), 0);
}

START_TEST(hostile_files)
{
	static const char nul[] = "/dev/hdv1 / ext3\0x\n";
	struct box b;
	char *large;

	box_open(&b, NULL);
	make(&b, "/etc/fstab", nul, sizeof(nul) - 1);
	large = arena_alloc(b.mem, (2 << 20) + 1);
	memset(large, '\n', 2 << 20);
	make(&b, "/etc/sysctl.conf", large, 2 << 20);
	make_link(&b, "rsyslog.conf", "/etc/rsyslog.conf");
	ck_assert_int_eq(mkfifo(arena_printf(b.mem, "%s/etc/securetty", b.dir),
				0644),
			 0);
	make_text(&b, "/etc/network/interfaces.d/x\ny", "auto eth0\n");
	make_link(&b, "/../../../../../../../etc/hosts", "/etc/hosts");
	set(&b, "id.hostname=host");
	set(&b, "addr.ip=192.0.2.1");
	set(&b, "ns.net=filtered");
	plan(&b);
	ck_assert_ptr_null(edit_of(&b, "/etc/fstab"));
	ck_assert_ptr_null(edit_of(&b, "/etc/sysctl.conf"));
	ck_assert_ptr_null(edit_of(&b, "/etc/rsyslog.conf"));
	ck_assert_ptr_null(edit_of(&b, "/etc/securetty"));
	ck_assert_ptr_null(edit_of(&b, "/etc/hosts"));
	ck_assert_ptr_nonnull(edit_of(&b, "/etc/network/interfaces.d/x\ny"));
	ck_assert_uint_eq(found(&b, FIND_EDT_SKIPPED), 5);
	box_done(&b);
}
END_TEST

/* A set-up that computes the broadcast address says so of another one. */
static const struct {
	const char *fixture, *broadcast, *kept;
	size_t n;
} broadcasts[] = {
	{ "fixtures/edits/own-netplan/in", "192.0.2.127", "192.0.2.255", 1 },
	{ "fixtures/edits/own-netctl/in", "192.0.2.127", "192.0.2.255", 1 },
	{ "fixtures/edits/own-networkd/in", "192.0.2.127", "192.0.2.255", 1 },
	{ "fixtures/edits/own-manager/in", "192.0.2.127", "192.0.2.255", 1 },
	{ "fixtures/edits/own-manager/in", "192.0.2.255", "192.0.2.255", 0 },
	{ "fixtures/edits/own-ifupdown/in", "192.0.2.127", "192.0.2.127", 0 },
};

START_TEST(broadcast_is_computed)
{
	struct box b;

	box_open(&b, broadcasts[_i].fixture);
	set(&b, "root.path=/guest");
	set(&b, "net.owner=guest");
	set(&b, "cap.bounding=net_admin");
	set(&b, "nic.name=eth0");
	set(&b, "nic.attach=bridge:br0");
	set(&b, "addr.ip=192.0.2.10");
	set(&b, "addr.prefix=24");
	set(&b,
	    arena_printf(b.mem, "addr.broadcast=%s", broadcasts[_i].broadcast));
	ck_assert_int_eq(plan_look(&b.p, &b.e), 0);
	b.g->policy = policy_from_guest(b.g, b.mem);
	ck_assert_int_eq(plan_boot(&b.p, &b.e), 0);
	ck_assert_int_eq(plan_owner(&b.p, &b.e), 0);
	ck_assert_str_eq(b.g->net_owner.v, "guest");
	ck_assert_str_eq(b.g->addrs.v[0]->broadcast.v, broadcasts[_i].kept);
	ck_assert_uint_eq(found(&b, FIND_NET_BROADCAST), broadcasts[_i].n);
	box_done(&b);
}
END_TEST

/* The edit is for the file that the link leads to: inside, always. */
START_TEST(links_are_followed_inside)
{
	struct box b;

	box_open(&b, NULL);
	make_text(&b, "/opt/fstab", "/dev/hdv1 / ext3 defaults 0 0\n");
	make_text(&b, "/etc/hostname", "old\n");
	make_link(&b, "/../../opt/fstab", "/etc/fstab");
	make_link(&b, "/opt", "/var");
	set(&b, "id.hostname=new");
	plan(&b);
	ck_assert_ptr_null(edit_of(&b, "/etc/fstab"));
	ck_assert_str_eq(edit_of(&b, "/opt/fstab")->action, "replace");
	ck_assert_str_eq(edit_of(&b, "/opt/fstab")->data,
			 "# rehost: /dev/hdv1 / ext3 defaults 0 0\n");
	ck_assert_str_eq(edit_of(&b, "/etc/hostname")->data, "new\n");
	box_done(&b);
}
END_TEST

START_TEST(name_that_is_none)
{
	struct box b;

	box_open(&b, NULL);
	make_text(&b, "/etc/hostname", "old\n");
	make_text(&b, "/etc/hosts", "127.0.0.1 localhost\n");
	set(&b, "id.hostname=a;reboot\"");
	plan(&b);
	ck_assert_ptr_null(edit_of(&b, "/etc/hostname"));
	ck_assert_ptr_null(edit_of(&b, "/etc/hosts"));
	box_done(&b);
}
END_TEST

START_TEST(leftovers_of_unified_guests)
{
	struct box b;

	box_open(&b, NULL);
	make_text(&b, "/usr/lib/libc.so;a1B2c3", "x");
	make_text(&b, "/usr/lib/odd;name", "x");
	set(&b, "root.unified=yes");
	b.options.writes = true;
	plan(&b);
	ck_assert_str_eq(edit_of(&b, "/usr/lib/libc.so;a1B2c3")->action,
			 "remove");
	ck_assert_ptr_null(edit_of(&b, "/usr/lib/odd;name"));
	box_done(&b);
}
END_TEST

/* --- the shim --- */

static void make_program(const struct box *b, const char *path)
{
	make_text(b, path, "#!/bin/sh\n");
	ck_assert_int_eq(
		chmod(arena_printf(b->mem, "%s%s", b->dir, path), 0755), 0);
}

/* Which becomes pid 1: style, profile, /sbin/init, the start command. */
static const struct {
	const char *style, *arch;
	bool native, init, rc;
	const char *cmd; /* NULL: blocked */
	bool shim;
} firsts[] = {
	{ "sysv", NULL, false, false, true, "/sbin/rehost-init", true },
	{ "sysv", NULL, false, true, true, "/sbin/rehost-init", true },
	{ "sysv", NULL, true, true, true, "/sbin/init 3", false },
	{ "sysv", NULL, true, false, true, "/sbin/rehost-init", true },
	{ "sysv", NULL, false, true, false, "/sbin/init 3", false },
	{ "sysv", NULL, false, false, false, NULL, false },
	{ "sysv", "mips", false, false, true, NULL, false },
	{ "sysv", "mips", false, true, true, "/sbin/init 3", false },
	{ "sysv", "mips", false, true, false, "/sbin/init 3", false },
	{ "sysv", "i686", false, false, true, "/sbin/rehost-init", true },
	{ "none", NULL, false, false, true, "/sbin/rehost-init", true },
	{ "plain", NULL, false, true, true, "/etc/init.d/rc 3", false },
};

START_TEST(first_process)
{
	struct box b;

	box_open(&b, NULL);
	make_text(&b, "/etc/inittab", "id:3:initdefault:\n");
	make_program(&b, "/sbin/ldconfig");
	if (firsts[_i].init)
		make_program(&b, "/sbin/init");
	if (firsts[_i].rc)
		make_program(&b, "/etc/init.d/rc");
	b.options.native = firsts[_i].native;
	set(&b, arena_printf(b.mem, "boot.style=%s", firsts[_i].style));
	set(&b, "boot.runlevel=3");
	set(&b, "boot.init=/etc/init.d/rc 3");
	if (firsts[_i].arch != NULL)
		set(&b, arena_printf(b.mem, "id.arch=%s", firsts[_i].arch));
	plan(&b);
	ck_assert_int_eq(b.g->init_shim.from != NULL, firsts[_i].shim);
	ck_assert_uint_eq(found(&b, FIND_INI_MISSING), firsts[_i].cmd == NULL);
	ck_assert_uint_eq(found(&b, FIND_INI_SHIM_ARCH),
			  firsts[_i].rc && firsts[_i].arch != NULL &&
				  str_eq(firsts[_i].arch, "mips"));
	if (firsts[_i].cmd != NULL)
		ck_assert_str_eq(strv_join(b.mem, &b.g->init_cmd.v, " "),
				 firsts[_i].cmd);
	if (firsts[_i].shim) {
		const struct edit *ed = edit_of(&b, "/sbin/rehost-init");

		ck_assert_str_eq(b.g->stop_signal.v, "SIGPWR");
		ck_assert_uint_eq(ed->mode, 0755);
		ck_assert_int_eq(memcmp(ed->data, "\177ELF", 4), 0);
		ck_assert_ptr_nonnull(edit_of(&b, "/etc/rehost-init.conf"));
		ck_assert_ptr_null(edit_of(&b, "/etc/inittab"));
	}
	box_done(&b);
}
END_TEST

/* /sbin may be a link into /usr: the packer follows none. */
START_TEST(shim_goes_where_sbin_leads)
{
	struct box b;

	box_open(&b, NULL);
	make_program(&b, "/usr/sbin/ldconfig");
	make_program(&b, "/etc/rc.multi");
	make_link(&b, "usr/sbin", "/sbin");
	set(&b, "boot.style=arch");
	set(&b, "boot.init=/etc/rc.multi");
	plan(&b);
	ck_assert_ptr_nonnull(edit_of(&b, "/usr/sbin/rehost-init"));
	box_done(&b);
}
END_TEST

/* A tree of scripts alone: the directory is made with what goes there. */
START_TEST(shim_makes_its_directory)
{
	const struct edit *dir;
	struct box b;

	box_open(&b, NULL);
	make_program(&b, "/etc/rc.multi");
	set(&b, "boot.style=arch");
	set(&b, "boot.init=/etc/rc.multi");
	plan(&b);
	ck_assert_uint_eq(found(&b, FIND_INI_MISSING), 0);
	ck_assert_ptr_nonnull(edit_of(&b, "/sbin/rehost-init"));
	dir = edit_of(&b, "/sbin");
	ck_assert_ptr_nonnull(dir);
	ck_assert_str_eq(dir->action, "directory");
	ck_assert_uint_eq(dir->mode, 0755);
	ck_assert_ptr_null(edit_of(&b, "/etc"));
	box_done(&b);
}
END_TEST

/* What has the directory's name may lead anywhere: nothing is put in. */
START_TEST(shim_makes_nothing_behind_a_link)
{
	struct box b;

	box_open(&b, NULL);
	make_program(&b, "/etc/rc.multi");
	make_link(&b, "usr/sbin", "/sbin");
	set(&b, "boot.style=arch");
	set(&b, "boot.init=/etc/rc.multi");
	plan(&b);
	ck_assert_uint_eq(found(&b, FIND_INI_MISSING), 1);
	ck_assert_ptr_null(edit_of(&b, "/etc/rehost-init.conf"));
	box_done(&b);
}
END_TEST

START_TEST(shim_refuses_lines_in_arguments)
{
	struct strv argv = { 0 };
	struct box b;

	box_open(&b, NULL);
	make_program(&b, "/sbin/ldconfig");
	make_program(&b, "/etc/rc.multi");
	set(&b, "boot.style=arch");
	strv_add(b.mem, &argv, "/etc/rc.multi");
	strv_add(b.mem, &argv, "a\nkill=SIGKILL");
	derive_strv(b.g, FIELD_INIT_CMD, b.g, &argv, origin(&b), NULL);
	plan(&b);
	ck_assert_ptr_null(edit_of(&b, "/etc/rehost-init.conf"));
	ck_assert_uint_eq(found(&b, FIND_INI_MISSING), 1);
	box_done(&b);
}
END_TEST

START_TEST(overlay)
{
	const struct overlay_entry *v;
	struct overlay o;
	struct box b;

	box_open(&b, NULL);
	make_text(&b, "/fastboot", "");
	make_text(&b, "/etc/hostname", "old\n");
	make_text(&b, "/var/run/a", "");
	set(&b, "id.hostname=new");
	plan(&b);
	o = plan_edits_overlay(b.g, b.mem);
	v = o.v;
	ck_assert_uint_eq(o.n, 5);
	ck_assert_str_eq(v[0].path, "/etc/hostname");
	ck_assert_int_eq(v[0].kind, OVERLAY_FILE);
	ck_assert_uint_eq(v[0].n, 4);
	ck_assert_int_eq(memcmp(v[0].data, "new\n", 4), 0);
	ck_assert_str_eq(v[1].path, "/etc/mtab");
	ck_assert_int_eq(v[1].kind, OVERLAY_LINK);
	ck_assert_str_eq(v[1].target, "/proc/self/mounts");
	ck_assert_str_eq(v[2].path, "/fastboot");
	ck_assert_int_eq(v[2].kind, OVERLAY_HIDE);
	ck_assert_str_eq(v[3].path, "/run");
	ck_assert_int_eq(v[3].kind, OVERLAY_DIR);
	ck_assert_uint_eq(v[3].mode, 0755);
	ck_assert_str_eq(v[4].path, "/var/run/a");
	ck_assert_int_eq(v[4].kind, OVERLAY_HIDE);
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("edits");
	TCase *c = tcase_create("edits");

	tcase_add_loop_test(c, family, 0, COUNT(families));
	tcase_add_loop_test(c, every_edit_has_its_finding, 0, COUNT(families));
	tcase_add_test(c, expressions_compile);
	tcase_add_loop_test(c, diff, 0, COUNT(diffs));
	tcase_add_test(c, hostile_files);
	tcase_add_test(c, links_are_followed_inside);
	tcase_add_loop_test(c, broadcast_is_computed, 0,
			    (int)COUNT(broadcasts));
	tcase_add_test(c, name_that_is_none);
	tcase_add_test(c, leftovers_of_unified_guests);
	tcase_add_loop_test(c, first_process, 0, COUNT(firsts));
	tcase_add_test(c, shim_goes_where_sbin_leads);
	tcase_add_test(c, shim_makes_its_directory);
	tcase_add_test(c, shim_makes_nothing_behind_a_link);
	tcase_add_test(c, shim_refuses_lines_in_arguments);
	tcase_add_test(c, overlay);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
