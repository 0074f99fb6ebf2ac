/*
 * Identity, how it is started and stopped, its environment, hooks. Reference:
 * targets.md 2.2.
 */
#include <signal.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/lxc/table.h"

enum { SCRIPT_MAX = 1 << 20 }; /* bytes of a script */

/* LXC's words for one machine (lxc.arch), under the name that uname has. */
static const struct arch_row {
	const char *word, *arch;
} arch_rows[] = {
	{ "amd64", "x86_64" },    { "linux64", "x86_64" },
	{ "x86_64", "x86_64" },   { "athlon", "i686" },
	{ "i386", "i686" },       { "i486", "i686" },
	{ "i586", "i686" },       { "i686", "i686" },
	{ "linux32", "i686" },    { "x86", "i686" },
	{ "arm", "armv7l" },      { "armel", "armv7l" },
	{ "armhf", "armv7l" },    { "armv7l", "armv7l" },
	{ "aarch64", "aarch64" }, { "arm64", "aarch64" },
	{ "mips", "mips" },       { "mipsel", "mipsel" },
	{ "mips64", "mips64" },   { "mips64el", "mips64el" },
	{ "ppc", "ppc" },         { "powerpc", "ppc" },
	{ "ppc64", "ppc64" },     { "powerpc64", "ppc64" },
	{ "ppc64le", "ppc64le" }, { "ppc64el", "ppc64le" },
	{ "s390x", "s390x" },     { "riscv64", "riscv64" },
};

int lxc_arch(struct reading *r, const char *value, struct err *e)
{
	for (size_t i = 0; i < COUNT(arch_rows); i++) {
		if (!str_eq(arch_rows[i].word, value))
			continue;
		take_str(r, FIELD_ARCH, r->g, arch_rows[i].arch);
		return 0;
	}
	return err_set(e, 0, "lxc.arch has no such word");
}

int lxc_init(struct reading *r, const char *value, struct err *e)
{
	const struct strv words = strv_split(r->g->mem, value, " \t");

	if (words.n == 0 || words.v[0][0] != '/')
		return err_set(e, 0, "not an absolute path of the guest");
	for (size_t i = 0; i < words.n; i++)
		take_element(r, FIELD_INIT_CMD, r->g, words.v[i]);
	return 0;
}

/* liblxc takes a number, SIGNAME, SIGRTMIN+N and SIGRTMAX-N. */
int lxc_signal(struct reading *r, const char *value, struct err *e)
{
	const char *name;
	uint64_t n;

	if (num_u64(value, &n, e) == 0) {
		name = n < 32 ? sigabbrev_np((int)n) : NULL;
		if (n == 0 || n > 64)
			return err_set(e, 0, "no signal has that number");
		if (name != NULL)
			value = arena_printf(r->g->mem, "SIG%s", name);
	} else if (!str_starts(value, "SIG")) {
		return err_set(e, 0, "no signal: LXC wants SIG before a name");
	}
	take_str(r, r->cur->row->field, r->g, value);
	return 0;
}

int lxc_flag(struct reading *r, const char *value, struct err *e)
{
	bool yes;

	if (lxc_flag_parse(value, &yes, e) < 0)
		return -1;
	take_bool(r, r->cur->row->field, r->g, yes);
	return 0;
}

int lxc_number(struct reading *r, const char *value, struct err *e)
{
	int64_t n;

	if (num_i64(value, &n, e) < 0)
		return -1;
	take_i64(r, r->cur->row->field, r->g, n);
	return 0;
}

int lxc_seconds(struct reading *r, const char *value, struct err *e)
{
	uint64_t n;

	if (num_u64(value, &n, e) < 0)
		return -1;
	take_u64(r, r->cur->row->field, r->g, n);
	return 0;
}

int lxc_group(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	take_element(r, FIELD_START_GROUPS, r->g, value);
	return 0;
}

/* Of LXC before 1.0; what lxc.start.auto says counts more. */
int lxc_auto_link(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	if (r->g->autostart.from != NULL &&
	    r->g->autostart.from->kind == ORIGIN_TEXT)
		reading_decide(r, BIN_OVERRIDDEN,
			       "lxc.start.auto says it, line %u",
			       r->g->autostart.from->line);
	else
		take_bool(r, FIELD_AUTOSTART, r->g, true);
	return 0;
}

/* Its lines are settings of their own. */
int lxc_include_line(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	reading_decide(r, BIN_CARRIED, "its lines were read in this place");
	return 0;
}

int lxc_environment(struct reading *r, const char *value, struct err *e)
{
	const char *eq = strchr(value, '=');
	struct env *v;

	if (eq == value)
		return err_set(e, 0, "no name before the '='");
	if (eq == NULL) {
		reading_decide(r, BIN_DROPPED,
			       "the value was that of whoever started LXC");
		reading_find(r, FIND_INI_ENV,
			     "%s had the value that it had where LXC was "
			     "started: give it, or leave it out",
			     lxc_shown(r, value));
		return 0;
	}
	v = take_env(r);
	take_str(r, FIELD_ENV_NAME, v,
		 arena_strndup(r->g->mem, value, (size_t)(eq - value)));
	take_str(r, FIELD_ENV_VALUE, v, eq + 1);
	return 0;
}

/* The part of the key that stands for the row's '*'. */
static const char *star(struct reading *r)
{
	const char *prefix = r->cur->row->name;

	return r->cur->from.key + strlen(prefix) - 1;
}

int lxc_sysctl(struct reading *r, const char *value, struct err *e)
{
	struct sysctl *s = take_sysctl(r);

	(void)e;
	take_str(r, FIELD_SYSCTL_NAME, s, star(r));
	take_str(r, FIELD_SYSCTL_VALUE, s, value);
	return 0;
}

int lxc_proc(struct reading *r, const char *value, struct err *e)
{
	int64_t n;

	if (!str_eq(star(r), "oom_score_adj")) {
		reading_decide(r, BIN_DROPPED,
			       "a file of /proc/PID that no field speaks of");
		reading_find(r, FIND_INI_PROC, "%s is not carried",
			     lxc_shown(r, r->cur->from.key));
		return 0;
	}
	if (num_i64(value, &n, e) < 0)
		return -1;
	take_i64(r, FIELD_OOM_SCORE, r->g, n);
	return 0;
}

/* Kept in source/ where it is a file beneath the root; never run. */
int lxc_hook(struct reading *r, const char *value, struct err *e)
{
	const struct strv words = strv_split(r->g->mem, value, " \t");
	const char *key = r->cur->from.key, *data;
	const char *event = strrchr(key, '.');
	struct hook *h;
	struct err why;
	size_t n;

	if (words.n == 0)
		return err_set(e, 0, "no program is named");
	if (strstr(key, ".script.") != NULL)
		event = str_eq(event, ".up") ? ".net-up" : ".net-down";
	h = take_hook(r);
	take_str(r, FIELD_HOOK_PATH, h, value);
	take_str(r, FIELD_HOOK_EVENT, h, event + 1);
	if (words.v[0][0] == '/' &&
	    tree_read(lxc_of(r)->t, words.v[0], SCRIPT_MAX, r->g->mem, &data,
		      &n, &why) == 0)
		reading_file(r, words.v[0]);
	return 0;
}

/* LXC says so to every guest; init systems look for it. */
static void say_container(struct reading *r)
{
	struct env *v = take_env(r);

	reading_default(r, FIELD_ENV_NAME, v, "container", "targets.md 2.2");
	reading_default(r, FIELD_ENV_VALUE, v, "lxc", "targets.md 2.2");
}

/* Where none is named LXC's own applies, if the host has AppArmor. */
static void default_profile(struct reading *r)
{
	static const char *const files[] = { "/etc/apparmor.d/lxc-containers",
					     "/etc/apparmor.d/lxc" };
	const char *profile = "none";

	for (size_t i = 0; i < COUNT(files); i++)
		if (tree_exists(lxc_of(r)->t, files[i]))
			profile = "lxc-container-default";
	reading_default(r, FIELD_LSM, r->g, profile,
			"targets.md 2.2: as /etc/apparmor.d of the host has "
			"it");
}

void lxc_boot_settle(struct reading *r)
{
	const struct lx_value *k = &lxc_of(r)->kept[LXK_SECCOMP];

	say_container(r);
	default_profile(r);
	if (k->s == NULL)
		return;
	reading_resume(r, k->s);
	take_str(r, FIELD_SECCOMP, r->g, k->text);
	if (!str_starts(k->text, "/usr/share/lxc/config/") &&
	    !str_eq(k->text, "none"))
		reading_find(r, FIND_HST_PACKAGE,
			     "the new host needs the filter %s: copy it there",
			     lxc_shown(r, k->text));
}
