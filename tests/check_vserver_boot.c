/*
 * Unit tests of the Linux-VServer reader: start and stop, scripts, device map,
 * the legacy NAME.conf. Vectors: vserver.md appendix B and parts 2.2, 2.3,
 * 2.5, 2.16, 6.
 */
#include "base/buf.h"
#include "check_vserver.h"
#include "importers/vserver/legacy_scan.h"

/* A file of the host, path from its root. */
static void make_file(struct box *b, const char *path, const char *text)
{
	char *p = arena_strdup(b->mem, path);
	char *slash = strrchr(p, '/');
	int fd CLEANUP(fd_closep) = -1;

	*slash = '\0';
	box_dir(b, p);
	fd = openat(b->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void make_program(struct box *b, const char *path)
{
	make_file(b, path, "");
	ck_assert_int_eq(fchmodat(b->fd, path, 0755, 0), 0);
}

static void make_executable(struct box *b, const char *path)
{
	ck_assert_int_eq(fchmodat(b->fd,
				  arena_printf(b->mem, "etc/vservers/%s", path),
				  0755, 0),
			 0);
}

static void check_accounted(const struct box *b)
{
	ck_assert_uint_eq(box_found(b, FIND_SYN_UNACCOUNTED), 0);
}

static void check_value(struct box *b, enum field_id f, const char *text)
{
	const char *v = box_value(b, f);

	if (text == NULL)
		ck_assert_msg(v == NULL, "%s is %s", field_get(f)->name, v);
	else
		ck_assert_msg(v != NULL && str_eq(v, text), "%s is %s, not %s",
			      field_get(f)->name, v == NULL ? "absent" : v,
			      text);
}

static const char *env_of(const struct box *b, const char *name)
{
	for (size_t i = 0; i < b->g->envs.n; i++)
		if (str_eq(b->g->envs.v[i]->name.v, name))
			return b->g->envs.v[i]->value.v;
	return NULL;
}

/* --- style --- */

static const struct {
	const char *style;   /* NULL: no file */
	const char *program; /* in the guest, or NULL */
	const char *field, *init, *stop, *level;
} styles[] = {
	{ NULL, "etc/init.d/rc", "sysv", "/etc/init.d/rc 3", "/etc/init.d/rc 6",
	  "3" },
	{ NULL, "etc/rc.d/rc", "sysv", "/etc/rc.d/rc 3", "/etc/rc.d/rc 6",
	  "3" },
	{ "sysv\n", NULL, "sysv", "/etc/init.d/rc 3", "/etc/init.d/rc 6", "3" },
	{ "plain\n", NULL, "plain", "/sbin/init", NULL, NULL },
	{ "minit\n", NULL, "minit", "/sbin/minit-start", NULL, NULL },
	{ "gentoo\n", "lib/rc/sh/init-vserver.sh", "gentoo",
	  "/lib/rc/sh/init-vserver.sh default", "/sbin/rc shutdown",
	  "default" },
	{ "openrc\n", NULL, "openrc",
	  "/lib/rcscripts/sh/init-vserver.sh default", "/sbin/rc shutdown",
	  "default" },
	{ "arch\n", NULL, "arch", "/etc/rc.multi", "/etc/rc.shutdown", "3" },
	{ "\n", NULL, "none", NULL, NULL, NULL },
	{ "fedora\n", NULL, "sysv", "/etc/init.d/rc 3", "/etc/init.d/rc 6",
	  "3" },
};

START_TEST(test_style)
{
	struct box b;

	box_open(&b);
	if (styles[_i].style != NULL)
		box_file(&b, "apps/init/style", styles[_i].style);
	if (styles[_i].program != NULL)
		make_program(&b, arena_printf(b.mem, "vservers/web/%s",
					      styles[_i].program));
	box_read(&b);
	check_value(&b, FIELD_INIT_STYLE, styles[_i].field);
	check_value(&b, FIELD_INIT_CMD, styles[_i].init);
	check_value(&b, FIELD_STOP_CMD, styles[_i].stop);
	check_value(&b, FIELD_RUNLEVEL, styles[_i].level);
	ck_assert_uint_eq(box_found(&b, FIND_INI_STYLE),
			  str_eq(styles[_i].style, "fedora\n"));
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* The last of the two that can be run in the guest counts. */
START_TEST(test_last_rc)
{
	struct box b;

	box_open(&b);
	make_program(&b, "vservers/web/etc/init.d/rc");
	make_program(&b, "vservers/web/etc/rc.d/rc");
	box_read(&b);
	check_value(&b, FIELD_INIT_CMD, "/etc/rc.d/rc 3");
	ck_assert_uint_eq(box_found(&b, FIND_SRC_NOT_STARTED), 0);
	ck_assert_str_eq(env_of(&b, "PREVLEVEL"), "N");
	ck_assert_str_eq(env_of(&b, "RUNLEVEL"), "3");
	ck_assert_str_eq(env_of(&b, "PATH"), "/bin:/usr/bin:/sbin:/usr/sbin");
	ck_assert_int_eq(b.g->init_cmd.from->kind, ORIGIN_DEFAULT);
	box_close(&b);
}
END_TEST

START_TEST(test_plain_level)
{
	struct box b;

	box_open(&b);
	box_file(&b, "apps/init/style", "plain\n");
	box_file(&b, "apps/init/runlevel", "2\n");
	box_file(&b, "apps/init/runlevel.start", "4\n");
	box_read(&b);
	check_value(&b, FIELD_INIT_CMD, "/sbin/init 4");
	check_value(&b, FIELD_STOP_SIGNAL, "SIGINT");
	ck_assert(!setting_survives(box_setting(&b, "apps/init/runlevel", NULL),
				    0));
	box_close(&b);
}
END_TEST

/* vserver.md 6.6 and appendix B */
START_TEST(test_commands)
{
	struct box b;

	box_open(&b);
	box_file(&b, "apps/init/cmd.start", "/etc/init.d/rc\n2\n");
	box_file(&b, "apps/init/cmd.stop", "/bin/stop now\n");
	box_file(&b, "apps/init/cmd.stop-sync", "/bin/wait\n");
	box_file(&b, "apps/init/killseq", "15\n10\n15\n5\n9\n");
	box_file(&b, "apps/init/environment", "LANG=de_DE@euro\nnoequals\n");
	box_link(&b, "/dev/tty9", "apps/init/tty");
	box_read(&b);
	check_value(&b, FIELD_INIT_CMD, "/etc/init.d/rc 2");
	check_value(&b, FIELD_KILL_SEQUENCE, "SIGTERM 10 SIGTERM 5 SIGKILL");
	check_value(&b, FIELD_STOP_TIMEOUT, "15");
	check_value(&b, FIELD_TTY, "/dev/tty9");
	ck_assert_str_eq(env_of(&b, "LANG"), "de_DE@euro");
	ck_assert_ptr_null(env_of(&b, "PATH"));
	ck_assert_uint_eq(box_found(&b, FIND_INI_SYSTEMD_OLD_LINE), 1);
	ck_assert_uint_eq(box_found(&b, FIND_INI_STOP_CMD), 1);
	ck_assert(box_says(&b, FIND_SRC_NOT_STARTED, "is one argument"));
	check_accounted(&b);
	box_close(&b);
}
END_TEST

static const struct {
	const char *killseq, *sync; /* NULL: no file */
	const char *sequence, *timeout;
	size_t n_bad, n_meant;
} stops[] = {
	{ NULL, NULL, "SIGTERM 5 SIGKILL", "30", 0, 0 },
	{ NULL, "60\n", "SIGTERM 5 SIGKILL", "60", 0, 0 },
	{ "15\n10\n9\n", "60\n", "SIGTERM 10 SIGKILL", "70", 0, 0 },
	{ "TERM\n7\nSIGKILL\n", NULL, "SIGTERM 7 SIGKILL", "7", 0, 2 },
	{ "15\nten\n9\n", NULL, "SIGTERM SIGKILL", "30", 1, 0 },
	{ "15\n2\n99\n", NULL, "SIGTERM 2", "2", 1, 0 },
	{ "15\n5\n9\n30\n", NULL, "SIGTERM 5 SIGKILL 30", "35", 0, 1 },
	{ "\n", NULL, "SIGKILL", "30", 0, 1 },
};

START_TEST(test_stop)
{
	struct box b;

	box_open(&b);
	make_program(&b, "vservers/web/etc/init.d/rc");
	if (stops[_i].killseq != NULL)
		box_file(&b, "apps/init/killseq", stops[_i].killseq);
	if (stops[_i].sync != NULL)
		box_file(&b, "apps/vshelper/sync-timeout", stops[_i].sync);
	box_read(&b);
	check_value(&b, FIELD_KILL_SEQUENCE, stops[_i].sequence);
	check_value(&b, FIELD_STOP_TIMEOUT, stops[_i].timeout);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_NOT_STARTED), stops[_i].n_bad);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_MEANT), stops[_i].n_meant);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* An empty cmd.stop is no stop command, not the style's. */
START_TEST(test_empty_commands)
{
	struct box b;

	box_open(&b);
	make_program(&b, "vservers/web/etc/init.d/rc");
	box_file(&b, "apps/init/cmd.start", "\n");
	box_file(&b, "apps/init/cmd.stop", "");
	box_file(&b, "apps/init/environment", "\n\n");
	box_read(&b);
	check_value(&b, FIELD_INIT_CMD, "/etc/init.d/rc 3");
	check_value(&b, FIELD_STOP_CMD, NULL);
	ck_assert_uint_eq(box_count(&b, "apps/init/cmd.stop"), 1);
	ck_assert_uint_eq(box_count(&b, "apps/init/environment"), 1);
	ck_assert(box_says(&b, FIND_SRC_NOT_STARTED, "nothing to start"));
	ck_assert(box_says(&b, FIND_INI_STOP, "no stop command"));
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_env_twice)
{
	struct box b;

	box_one(&b, "apps/init/environment", "A=1\nB=2\nA=3\n");
	ck_assert_str_eq(env_of(&b, "A"), "3");
	ck_assert_uint_eq(box_found(&b, FIND_SRC_MULTIPLE), 1);
	ck_assert(!setting_survives(
		box_setting(&b, "apps/init/environment", "1"), 1));
	check_accounted(&b);
	box_close(&b);
}
END_TEST

static const struct {
	const char *style, *level;
	size_t n_meant;
} levels[] = {
	{ "sysv\n", "3\n", 0 },      { "sysv\n", "S\n", 0 },
	{ "sysv\n", "three\n", 1 },  { "plain\n", "/bin/sh\n", 1 },
	{ "gentoo\n", "boot\n", 0 }, { "gentoo\n", "../x\n", 1 },
	{ "minit\n", "10\n", 1 },
};

START_TEST(test_level)
{
	struct box b;

	box_open(&b);
	box_file(&b, "apps/init/style", levels[_i].style);
	box_file(&b, "apps/init/runlevel.start", levels[_i].level);
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_MEANT), levels[_i].n_meant);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* --- groups, dependencies, reboot --- */

static const struct {
	const char *mark;     /* NULL: no file */
	const char *host;     /* of /etc/default/vservers-default, or NULL */
	const char *disabled; /* NULL: not */
	const char *autostart, *groups;
} marks[] = {
	{ NULL, NULL, NULL, "no", NULL },
	{ "default\n", NULL, NULL, "yes", "default" },
	{ "default", NULL, NULL, "yes", "default" },
	{ "batch\n", NULL, NULL, "no", "batch" },
	{ "batch\n", "# x\nMARK=\"default,batch\"\n", NULL, "yes", "batch" },
	{ "batch\n", "MARK=\"default batch\"\n", NULL, "no", "batch" },
	{ "batch\n", "MARK='!default'\n", NULL, "yes", "batch" },
	{ NULL, "MARK=~default\n", NULL, "yes", NULL },
	{ "default\n", "MARK='~default'\n", NULL, "no", "default" },
	{ " default \n", NULL, NULL, "no", " default " },
	{ "\n", NULL, NULL, "no", NULL },
	{ "default\n", "MARK='other' # y\n", NULL, "no", "default" },
	{ "default\nbatch\n", NULL, NULL, "yes", "default batch" },
	{ "default\n", NULL, "", "no", "default" },
	{ "\001\002\n", NULL, NULL, "no", NULL },
};

START_TEST(test_mark)
{
	struct box b;

	box_open(&b);
	if (marks[_i].mark != NULL)
		box_file(&b, "apps/init/mark", marks[_i].mark);
	if (marks[_i].host != NULL)
		make_file(&b, "etc/default/vservers-default", marks[_i].host);
	if (marks[_i].disabled != NULL)
		box_file(&b, "disabled", "");
	box_read(&b);
	check_value(&b, FIELD_AUTOSTART, marks[_i].autostart);
	check_value(&b, FIELD_START_GROUPS, marks[_i].groups);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_depends)
{
	struct box b;

	box_one(&b, "apps/init/depends", "db1\n# ldap\nldap\n/x/y\nlost");
	check_value(&b, FIELD_DEPENDS, "db1 ldap");
	ck_assert(box_says(&b, FIND_SRC_NO_NEWLINE, "lost"));
	ck_assert_int_eq(box_setting(&b, "apps/init/depends", "/x/y")->bin,
			 BIN_INVALID);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

static const struct {
	const char *file, *text, *value;
	size_t n_found;
} reboots[] = {
	{ "apps/vshelper/debug", "", "restart", 0 },
	{ "apps/vshelper/action", "restart\n", "restart", 0 },
	{ "apps/vshelper/action", "halt\n", "halt", 1 },
	{ "apps/vshelper/disabled", "", "ignore", 1 },
};

START_TEST(test_reboot)
{
	struct box b;

	box_one(&b, reboots[_i].file, reboots[_i].text);
	check_value(&b, FIELD_ON_REBOOT, reboots[_i].value);
	ck_assert_uint_eq(box_found(&b, FIND_INI_REBOOT), reboots[_i].n_found);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* --- scripts --- */

START_TEST(test_hooks)
{
	struct box b;

	box_open(&b);
	box_file(&b, "scripts/post-start",
		 "#!/bin/sh\n# iptables\n  ip addr add 192.0.2.1/30 dev v\n"
		 "iptables -t nat -A x\nmount -o password=s3cret a b\n");
	make_executable(&b, "web/scripts/post-start");
	box_file(&b, "scripts/initialize.d/10netns", "_IP=mine\n");
	box_file(&b, "scripts/initialize.d/10netns~", "_IP=old\n");
	box_file(&b, "scripts/other", "x\n");
	box_put(&b, ".defaults/scripts/post-start", "x\n");
	box_put(&b, ".defaults/scripts/pre-stop.d/1", "x\n");
	box_file(&b, "apps/vshelper/oom", "x\n");
	make_executable(&b, "web/apps/vshelper/oom");
	box_read(&b);
	ck_assert_uint_eq(b.g->hooks.n, 4);
	ck_assert(
		box_says(&b, FIND_INI_HOOK,
			 "post-start, run as the host's root: kept in source/, "
			 "not run: line 3 \"ip "
			 "addr add 192.0.2.1/30 dev v\", line 4 "));
	ck_assert(box_says(&b, FIND_INI_HOOK, "line 5 \"mount\""));
	ck_assert(!box_says(&b, FIND_INI_HOOK, "s3cret"));
	ck_assert(box_says(&b, FIND_INI_HOOK, "vshelper/oom"));
	ck_assert(box_says(&b, FIND_INI_SOURCED, "line 1 \"_IP=mine\""));
	ck_assert_uint_eq(box_found(&b, FIND_INI_SOURCED), 2);
	ck_assert_int_eq(
		box_setting(&b, ".defaults/scripts/post-start", NULL)->bin,
		BIN_OVERRIDDEN);
	ck_assert_int_eq(
		box_setting(&b, "scripts/initialize.d/10netns~", NULL)->bin,
		BIN_INERT);
	ck_assert_int_eq(box_setting(&b, "scripts/other", NULL)->bin,
			 BIN_INERT);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_hooks_not_skipped)
{
	struct box b;

	box_open(&b);
	box_file(&b, "scripts/pre-stop", "DONT_SKIP_DEFAULTS=1\n");
	box_put(&b, ".defaults/scripts/pre-stop", "x\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->hooks.n, 2);
	box_close(&b);
}
END_TEST

/* --- device map --- */

static const struct {
	const char *device, *target; /* NULL: no file */
	bool open, create, remap;
	const char *rule, *access, *path;
	enum finding_id found;
} maps[] = {
	{ "/dev/net/tun\n", NULL, true, false, false, "c 10:200", "rw",
	  "/dev/net/tun", FIND__MAX },
	{ "/dev/fuse\n", NULL, true, true, false, "c 10:229", "rwm",
	  "/dev/fuse", FIND_DEV_CREATE },
	{ "/dev/hdv1\n", "/dev/hda1\n", true, false, true, "b 3:1", "rw",
	  "/dev/hdv1", FIND_DEV_REMAP },
	{ NULL, "/dev/null\n", true, false, false, "c 1:3", "rw", "/dev/null",
	  FIND__MAX },
	{ "/dev/null\n", NULL, false, false, false, "c 1:3", "", "/dev/null",
	  FIND__MAX },
	{ "/dev/strange\n", NULL, true, false, false, NULL, NULL, NULL,
	  FIND_DEV_UNKNOWN },
};

START_TEST(test_map)
{
	struct box b;

	box_open(&b);
	if (maps[_i].device != NULL)
		box_file(&b, "apps/vdevmap/x/device", maps[_i].device);
	if (maps[_i].target != NULL)
		box_file(&b, "apps/vdevmap/x/target", maps[_i].target);
	if (maps[_i].open)
		box_file(&b, "apps/vdevmap/x/open", "");
	if (maps[_i].create)
		box_file(&b, "apps/vdevmap/x/create", "");
	if (maps[_i].remap)
		box_file(&b, "apps/vdevmap/x/remap", "");
	box_read(&b);
	ck_assert_uint_eq(b.g->devices.n, maps[_i].rule != NULL);
	if (maps[_i].rule != NULL) {
		ck_assert_str_eq(b.g->devices.v[0]->rule.v, maps[_i].rule);
		ck_assert_str_eq(b.g->devices.v[0]->access.v, maps[_i].access);
		ck_assert_str_eq(b.g->devices.v[0]->path.v, maps[_i].path);
	}
	if (maps[_i].found != FIND__MAX)
		ck_assert_uint_eq(box_found(&b, maps[_i].found), 1);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* --- the legacy file --- */

/* "A=1 B! (code)": values, '!' for what is not understood, '-' for what is
 * of another profile, '?' for what code decides. */
static char *shown(struct arena *mem, const struct legacy_scan *scan)
{
	static const char marks_of[] = {
		[LEGACY_VALUE] = '=',    [LEGACY_EXPORT] = 'x',
		[LEGACY_INACTIVE] = '-', [LEGACY_BAD] = '!',
		[LEGACY_MAYBE] = '?',    [LEGACY_CODE] = 'c',
		[LEGACY_QUIET] = 'q',    [LEGACY_FORM] = 'f',
	};
	struct strv l = { 0 };

	for (size_t i = 0; i < scan->list.n; i++) {
		const struct legacy_statement *s = &scan->list.v[i];

		strv_add(mem, &l,
			 arena_printf(mem, "%u%s%c%s", s->line,
				      s->name == NULL ? "" : s->name,
				      marks_of[s->kind],
				      s->kind != LEGACY_VALUE ? "" : s->value));
	}
	return strv_join(mem, &l, "|");
}

static const struct {
	const char *text, *shown;
} scans[] = {
	{ "A=1\n", "1A=1" },
	{ "", "" },
	/* what vserver build wrote */
	{ "if [ \"$PROFILE\" = \"\" ] ; then\n\tPROFILE=x\nfi\nA=$PROFILE\n",
	  "1f|1f|2PROFILE=x|3f|4A=x" },
	{ "PROFILE=y\nif [ -z \"$PROFILE\" ]; then PROFILE=x; fi\nA=$PROFILE\n",
	  "1PROFILE=y|2f|2f|2PROFILEf|2f|3A=y" },
	{ "if [ -z \"$PROFILE\" ]\nthen\nA=1\nfi\nB=2\n", "1f|2f|3A?|4q|5B=2" },
	{ "A=1\ncase $PROFILE in\nprod)\nB=2\n", "1A=1|4B?|2c" },
	{ "case $PROFILE in\nprod)\ncase x in\na) B=2;;\n", "3c|4B?|3c" },
	{ "case $PROFILE in\nprod) A=1;; esac\nB='2\n", "2A=1|3c" },
	{ "#!/bin/sh\n\nA=1 # x\nB='2 3' C=\"4\"\n", "3A=1|4B=2 3|4C=4" },
	{ "export A=1\nexport B\n", "1A=1|2x" },
	{ "A=\"1 \\\n2\"\nB=3\n", "1A=1 2|3B=3" },
	{ "A=1\\\n2\nB=3;C=4\n", "1A=12|3B=3|3C=4" },
	{ "A=1\r\nB=2\r\n", "1A=1|2B=2" },
	{ "A=x\nB=$A.y\nC=\"${A}z\"\nD='$A'\n", "1A=x|2B=x.y|3C=xz|4D=$A" },
	{ "A=`id`\nB=$(id)\nC=$((1+2))\nD=${A:-x}\nE=$HOME\n",
	  "1A!|2B!|3C!|4D!|5E!" },
	{ "A=(1 2)\nA+=3\n", "1A!|2A!" },
	{ "A=a\\ b\n", "1A=a b" },
	{ ". /etc/x\nA=1\n", "1c|2A=1" },
	{ "[ -e x ] && A=1\nB=2\n", "1c|2B=2" },
	{ "A=1 id\n", "1c" },
	{ "if [ x ]; then A=1; else A=2\nfi\nB=3\n",
	  "1c|1q|1A?|1q|1A?|2q|3B=3" },
	{ "for i in a b; do\nA=$i\ndone\nB=3\n", "1c|1q|2A?|3q|4B=3" },
	{ "f() {\nA=1\n}\nB=2\n", "1c|2A?|3q|4B=2" },
	{ "case \"$PROFILE\" in\nprod) A=1\nB=2 ;;\nbackup) A=3 ;;\nesac\n"
	  "C=4\n",
	  "2A=1|3B=2|4A-|6C=4" },
	{ "PROFILE=backup\ncase $PROFILE in\nprod)\n A=1\n;;\n*)\n A=3\n;;\n"
	  "esac\n",
	  "1PROFILE=backup|4A-|7A=3" },
	{ "case ${PROFILE} in prod|test) A=1;; esac; B=2\n", "1A=1|1B=2" },
	{ "case $1 in start) A=1 ;;\nstop) A=2 ;;\nesac\nB=3\n",
	  "1c|1A?|2A?|4B=3" },
	{ "A=1\nB=\"2\nC=3\n", "1A=1|2c" },
	{ "cat <<EOF\nA=1\nEOF\n", "1c" },
	{ "esac\n", "1c" },
	{ "case $PROFILE in\nprod) A=1\n", "2A?|1c" },
	{ "case $PROFILE\n", "1c" },
	{ "case $PROFILE in\nprod\n", "2c" },
	{ "A=\n", "1A=" },
	{ "", "" },
};

START_TEST(test_scan)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct legacy_scan scan = { .profile = "prod" };

	legacy_scan(&scan, mem, scans[_i].text, strlen(scans[_i].text));
	ck_assert_str_eq(shown(mem, &scan), scans[_i].shown);
	ck_assert_int_eq(scan.crlf, strchr(scans[_i].text, '\r') != NULL);
}
END_TEST

/* A value that doubles with each line ends before memory does. */
START_TEST(test_scan_bounds)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct legacy_scan scan = { .profile = "prod" };
	struct buf b CLEANUP(buf_done) = { 0 };

	buf_adds(&b, "A=x\n");
	for (unsigned i = 0; i < 20000; i++)
		buf_adds(&b, "A=$A$A\n");
	legacy_scan(&scan, mem, buf_str(&b), b.n);
	ck_assert_int_eq(scan.list.v[1].kind, LEGACY_VALUE);
	ck_assert_int_eq(scan.list.v[40].kind, LEGACY_BAD);
	ck_assert_uint_lt(scan.list.n, 20000);
	ck_assert_int_eq(scan.list.v[scan.list.n - 1].kind, LEGACY_CODE);
}
END_TEST

static void legacy_open(struct box *b, const char *conf)
{
	box_open(b);
	box_put(b, "old1.conf", conf);
	b->source.id = "old1";
	b->source.path = "/etc/vservers/old1.conf";
}

static const char old1[] =
	"#!/bin/sh\nPROFILE=prod\n"
	"IPROOT=\"eth0:192.0.2.80/255.255.255.0 192.0.2.81 10.1.1.80\"\n"
	"IPROOTDEV=eth1\nIPROOTMASK=255.255.255.0\nIPROOTBCAST=192.0.2.255\n"
	"ONBOOT=yes\nPRIORITY=50\nS_HOSTNAME=old1.example.com\n"
	"S_DOMAINNAME=\nS_NICE=5\nS_FLAGS=\"lock nproc fakeinit\"\n"
	"ULIMIT=\"-H -u 256 -n 1024\"\nS_CAPS=\"CAP_NET_RAW CAP_SYS_ADMIN\"\n"
	"S_CONTEXT=1101\ncase \"$PROFILE\" in\nprod)\n\t;;\nbackup)\n"
	"\tIPROOT=192.0.2.99\n\tS_HOSTNAME=old1-bak\n\t;;\nesac\n";

/* vserver.md 6.7 */
START_TEST(test_legacy)
{
	struct box b;

	legacy_open(&b, old1);
	box_put(&b, "old1.sh", "iptables -A x\n");
	make_executable(&b, "old1.sh");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 3);
	ck_assert_str_eq(b.g->addrs.v[0]->dev.v, "eth0");
	ck_assert_uint_eq(b.g->addrs.v[0]->prefix.v, 24);
	ck_assert_str_eq(b.g->addrs.v[1]->dev.v, "eth1");
	ck_assert_str_eq(b.g->addrs.v[2]->broadcast.v, "192.0.2.255");
	check_value(&b, FIELD_AUTOSTART, "yes");
	check_value(&b, FIELD_START_ORDER, "50");
	check_value(&b, FIELD_HOSTNAME, "old1.example.com");
	check_value(&b, FIELD_DOMAINNAME, NULL);
	check_value(&b, FIELD_NICE, "5");
	check_value(&b, FIELD_XID, "1101");
	check_value(&b, FIELD_INIT_STYLE, "plain");
	check_value(&b, FIELD_INIT_CMD, "/sbin/init");
	check_value(&b, FIELD_STOP_CMD, "/sbin/init 6");
	check_value(&b, FIELD_PIDS_MAX, "256");
	ck_assert_uint_eq(b.g->mounts.n, 2);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_PROFILE), 2);
	ck_assert_uint_eq(box_found(&b, FIND_INI_HOOK), 1);
	ck_assert_uint_eq(box_count(&b, "IPROOT"), 4);
	ck_assert_uint_eq(box_count(&b, "ULIMIT"), 3);
	ck_assert_uint_eq(box_count(&b, "S_FLAGS"), 3);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* The profile that it was last started with stands in the guest. */
START_TEST(test_legacy_profile)
{
	struct box b;

	legacy_open(&b, "case $PROFILE in\nprod) IPROOT=192.0.2.1;;\n"
			"backup) IPROOT=192.0.2.2;;\nesac\n");
	make_file(&b, "vservers/old1/etc/PROFILE", "export PROFILE=backup\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert_str_eq(b.g->addrs.v[0]->ip.v, "192.0.2.2");
	ck_assert(b.g->addrs.v[0]->nodev.v);
	ck_assert(box_says(&b, FIND_SRC_PROFILE, "backup is active"));
	box_close(&b);
}
END_TEST

static const struct {
	const char *conf, *record; /* of etc/PROFILE; NULL: none */
	const char *ip;
} profiles[] = {
	{ "if [ \"$PROFILE\" = \"\" ] ; then\nPROFILE=prod\nfi\n",
	  "export PROFILE=backup\n", "192.0.2.2" },
	{ "if [ \"$PROFILE\" = \"\" ] ; then\nPROFILE=backup\nfi\n", NULL,
	  "192.0.2.2" },
	{ "PROFILE=prod\n", "export PROFILE=backup\n", "192.0.2.1" },
	{ "", "backup\n", "192.0.2.2" },
	{ "", "\n# none\n", "192.0.2.1" },
};

START_TEST(test_which_profile)
{
	struct box b;

	legacy_open(&b, "");
	box_put(&b, "old1.conf",
		arena_printf(b.mem,
			     "%scase $PROFILE in\n"
			     "prod) IPROOT=192.0.2.1;;\n"
			     "backup) IPROOT=192.0.2.2;;\nesac\n",
			     profiles[_i].conf));
	if (profiles[_i].record != NULL)
		make_file(&b, "vservers/old1/etc/PROFILE", profiles[_i].record);
	box_read(&b);
	ck_assert_str_eq(b.g->addrs.v[0]->ip.v, profiles[_i].ip);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_SHELL_CODE), 0);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* Of two styles with one name the files of the other are there all the same. */
START_TEST(test_both_styles)
{
	struct box b;

	legacy_open(&b, "IPROOT=192.0.2.1\n");
	box_put(&b, "old1/legacy", "");
	box_put(&b, "old1/interfaces/0/ip", "192.0.2.2\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert_int_eq(box_setting(&b, "interfaces/0/ip", NULL)->bin,
			 BIN_INERT);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_SHADOWED), 1);
	b.source.path = "/etc/vservers/old1";
	box_read(&b);
	ck_assert_str_eq(b.g->addrs.v[0]->ip.v, "192.0.2.2");
	ck_assert_int_eq(box_setting(&b, "NAME.conf", NULL)->bin, BIN_INERT);
	ck_assert(box_says(&b, FIND_SRC_SHADOWED, "not read: the directory"));
	box_close(&b);
}
END_TEST

static const struct {
	const char *conf;
	const char *net;
	size_t n_addrs, n_code;
} legacies[] = {
	{ "IPROOT=192.0.2.1\n", "filtered", 1, 0 },
	{ "IPROOT=\n", "host", 0, 0 },
	{ "IPROOT=ALL\n", "host", 0, 0 },
	{ "IPROOT=0.0.0.0\n", "host", 0, 0 },
	{ "S_NICE=1\n", "host", 0, 0 },
	{ "IPROOT=$(cat /x)\n", "host", 0, 1 },
	{ "IPROOT=192.0.2.1\nIPROOT=192.0.2.2\n", "filtered", 1, 0 },
	{ "NET=192.0.2\nIPROOT=\"$NET.1 $NET.2\"\n", "filtered", 2, 0 },
	{ "IPROOT=192.0.2.1\nif [ -e /x ]; then\nIPROOT=192.0.2.2\nfi\n",
	  "filtered", 1, 2 },
	{ "IPROOT=192.0.2.1\nrm -rf /tmp/x\n", "filtered", 1, 1 },
};

START_TEST(test_legacy_stack)
{
	struct box b;

	legacy_open(&b, legacies[_i].conf);
	box_read(&b);
	check_value(&b, FIELD_NS_NET, legacies[_i].net);
	ck_assert_uint_eq(b.g->addrs.n, legacies[_i].n_addrs);
	ck_assert_uint_eq(box_found(&b, FIND_SRC_SHELL_CODE),
			  legacies[_i].n_code);
	ck_assert_uint_eq(box_found(&b, FIND_NET_HOST_STACK),
			  str_eq(legacies[_i].net, "host"));
	ck_assert_uint_eq(box_found(&b, FIND_SRC_UNKNOWN_KEY), 0);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* What the tool starts hangs on what is in the guest. */
START_TEST(test_legacy_init)
{
	struct box b;

	legacy_open(&b, "S_NICE=0\n");
	make_program(&b, "vservers/old1/etc/init.d/rc");
	make_file(&b, "vservers/old1/etc/inittab",
		  "# id:1:initdefault:\nid:5:initdefault:\n");
	box_read(&b);
	check_value(&b, FIELD_INIT_STYLE, "sysv");
	check_value(&b, FIELD_INIT_CMD, "/etc/init.d/rc 5");
	check_value(&b, FIELD_STOP_CMD, "/etc/init.d/rc 6");
	check_value(&b, FIELD_AUTOSTART, "no");
	box_close(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_boot");
	TCase *boot = tcase_create("boot"), *old = tcase_create("legacy");

	tcase_add_loop_test(boot, test_style, 0, COUNT(styles));
	tcase_add_test(boot, test_last_rc);
	tcase_add_test(boot, test_plain_level);
	tcase_add_test(boot, test_commands);
	tcase_add_loop_test(boot, test_stop, 0, COUNT(stops));
	tcase_add_test(boot, test_empty_commands);
	tcase_add_test(boot, test_env_twice);
	tcase_add_loop_test(boot, test_level, 0, COUNT(levels));
	tcase_add_loop_test(boot, test_mark, 0, COUNT(marks));
	tcase_add_test(boot, test_depends);
	tcase_add_loop_test(boot, test_reboot, 0, COUNT(reboots));
	tcase_add_test(boot, test_hooks);
	tcase_add_test(boot, test_hooks_not_skipped);
	tcase_add_loop_test(boot, test_map, 0, COUNT(maps));
	suite_add_tcase(s, boot);
	tcase_add_loop_test(old, test_scan, 0, COUNT(scans));
	tcase_add_test(old, test_scan_bounds);
	tcase_add_test(old, test_legacy);
	tcase_add_loop_test(old, test_which_profile, 0, COUNT(profiles));
	tcase_add_test(old, test_both_styles);
	tcase_add_test(old, test_legacy_profile);
	tcase_add_loop_test(old, test_legacy_stack, 0, COUNT(legacies));
	tcase_add_test(old, test_legacy_init);
	suite_add_tcase(s, old);
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
