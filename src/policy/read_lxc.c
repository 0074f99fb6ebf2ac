/*
 * The text of an LXC config as a policy, as liblxc would see it. A table of
 * keys; each reader fills the state or adds items; what only shows when all
 * lines are read (the last line wins, the engine's own) is added at the end.
 * Facts: lxc.container.conf(5), targets.md 2.1 to 2.4.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/devrule.h"
#include "base/lxc_line.h"
#include "base/num.h"
#include "base/str.h"
#include "policy/read_lxc.h"
#include "policy/read_lxc_parts.h"

static int take_text(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e)
{
	(void)rest;
	(void)e;
	policy_remove(r->p, k->field, "");
	if (value[0] != '\0')
		policy_add(r->p, k->field, "", value);
	return 0;
}

static int take_number(struct read_lxc *r, const struct read_lxc_key *k,
		       const char *rest, const char *value, struct err *e)
{
	int64_t n;

	if (num_i64(value, &n, e) < 0)
		return -1;
	return take_text(r, k, rest, value, e);
}

static int take_flag(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e)
{
	if (!str_eq(value, "0") && !str_eq(value, "1"))
		return err_set(e, 0, "\"%s\" is neither 0 nor 1", value);
	return take_text(r, k, rest, str_eq(value, "1") ? "yes" : "no", e);
}

/* Understood, but nothing that the policy speaks of. */
static int take_nothing(struct read_lxc *r, const struct read_lxc_key *k,
			const char *rest, const char *value, struct err *e)
{
	(void)r;
	(void)k;
	(void)rest;
	(void)value;
	(void)e;
	return 0;
}

static int take_rootfs(struct read_lxc *r, const struct read_lxc_key *k,
		       const char *rest, const char *value, struct err *e)
{
	(void)k;
	(void)rest;
	if (value[0] == '\0')
		return err_set(e, 0, "no root file system: the host's");
	r->has_rootfs = true;
	return 0;
}

static int take_group(struct read_lxc *r, const struct read_lxc_key *k,
		      const char *rest, const char *value, struct err *e)
{
	const char *old = policy_get(r->p, k->field, "");
	const struct strv words = strv_split(r->mem, value, " \t");
	const char *text = strv_join(r->mem, &words, " ");

	if (old != NULL && value[0] != '\0')
		text = arena_printf(r->mem, "%s %s", old, text);
	return take_text(r, k, rest, text, e);
}

/* "u 0 100000 65536" */
static int take_idmap(struct read_lxc *r, const struct read_lxc_key *k,
		      const char *rest, const char *value, struct err *e)
{
	const struct strv w = strv_split(r->mem, value, " \t");
	const char *key;
	uint64_t n;

	(void)k;
	(void)rest;
	if (w.n != 4 || (!str_eq(w.v[0], "u") && !str_eq(w.v[0], "g")))
		return err_set(e, 0, "\"%s\" is no map of ids", value);
	for (size_t i = 1; i < w.n; i++)
		if (num_u64(w.v[i], &n, e) < 0)
			return -1;
	key = arena_printf(r->mem, "%s %s", w.v[0], w.v[1]);
	policy_add(r->p, FIELD_IDMAP_OUTSIDE, key, w.v[2]);
	policy_add(r->p, FIELD_IDMAP_COUNT, key, w.v[3]);
	r->mapped = true;
	return 0;
}

static int add_cap(const char *word, uint64_t *set, struct err *e)
{
	uint64_t n;
	int bit = -1;

	if (num_u64(word, &n, e) == 0)
		bit = n < CAP_N ? (int)n : -1;
	else if (cap_find(word) >= 0 && str_eq(cap_name(cap_find(word)), word))
		bit = cap_find(word);
	if (bit < 0)
		return err_set(e, 0, "\"%s\" is no capability", word);
	*set |= CAP_BIT(bit);
	return 0;
}

static int take_caps(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e)
{
	const struct strv w = strv_split(r->mem, value, " \t");
	struct read_lxc_caps *c = str_ends(k->name, "keep") ? &r->keep :
							      &r->drop;

	(void)rest;
	if (w.n == 0)
		*c = (struct read_lxc_caps){ 0 };
	for (size_t i = 0; i < w.n; i++) {
		c->given = true;
		if (c == &r->keep && str_eq(w.v[i], "none"))
			c->set = 0;
		else if (add_cap(w.v[i], &c->set, e) < 0)
			return -1;
	}
	if (r->keep.given && r->drop.given)
		return err_set(e, 0, "keep and drop exclude each other");
	return 0;
}

static int take_namespace(struct read_lxc *r, const struct read_lxc_key *k,
			  const char *rest, const char *value, struct err *e)
{
	const bool share = str_ends(k->name, "share.");
	const struct strv w = strv_split(r->mem, share ? rest : value, " \t");

	for (size_t i = 0; i < w.n; i++) {
		const enum field_id f = read_lxc_namespace(w.v[i]);

		if (f == FIELD__MAX)
			return err_set(e, 0, "no namespace \"%s\"", w.v[i]);
		policy_add(r->p, f, "",
			   share ? arena_printf(r->mem, "shared:%s", value) :
				   "host");
	}
	return 0;
}

/* "NAME=value": what follows the first '=' is the value. */
static int take_environment(struct read_lxc *r, const struct read_lxc_key *k,
			    const char *rest, const char *value, struct err *e)
{
	const char *eq = strchr(value, '=');

	(void)k;
	(void)rest;
	if (eq == NULL || eq == value)
		return err_set(e, 0, "\"%s\" is not NAME=value", value);
	policy_add(r->p, FIELD_ENV_VALUE,
		   arena_strndup(r->mem, value, (size_t)(eq - value)), eq + 1);
	return 0;
}

/* "SOFT:HARD", one number for both. */
static int take_prlimit(struct read_lxc *r, const struct read_lxc_key *k,
			const char *rest, const char *value, struct err *e)
{
	const char *colon = strchr(value, ':');
	const char *hard = colon == NULL ? value : colon + 1;
	const char *soft =
		colon == NULL ?
			value :
			arena_strndup(r->mem, value, (size_t)(colon - value));
	uint64_t n;

	(void)k;
	if ((!str_eq(soft, "unlimited") && num_u64(soft, &n, e) < 0) ||
	    (!str_eq(hard, "unlimited") && num_u64(hard, &n, e) < 0))
		return -1;
	policy_add(r->p, FIELD_RLIMIT_SOFT, rest, soft);
	policy_add(r->p, FIELD_RLIMIT_HARD, rest, hard);
	return 0;
}

/* LXC has no key for the domain name but this parameter. */
static int take_sysctl(struct read_lxc *r, const struct read_lxc_key *k,
		       const char *rest, const char *value, struct err *e)
{
	(void)k;
	if (value[0] == '\0' || rest[0] == '\0')
		return err_set(e, 0, "no parameter or no value");
	if (str_eq(rest, "kernel.domainname"))
		policy_add(r->p, FIELD_DOMAINNAME, "", value);
	else
		policy_add(r->p, FIELD_SYSCTL_VALUE, rest, value);
	if (str_starts(rest, "net."))
		r->writes_net = true;
	else
		r->writes_proc = true;
	return 0;
}

/* What the distribution's files say; Debian's 5.0.2, targets.md 2.2. */
static const char common_conf[] =
	"lxc.pty.max = 1024\n"
	"lxc.tty.max = 4\n"
	"lxc.cap.drop = mac_admin mac_override sys_time sys_module sys_rawio\n"
	"lxc.cgroup2.devices.deny = a\n"
	"lxc.cgroup2.devices.allow = c *:* m\n"
	"lxc.cgroup2.devices.allow = b *:* m\n"
	"lxc.cgroup2.devices.allow = c 1:3 rwm\n"
	"lxc.cgroup2.devices.allow = c 1:5 rwm\n"
	"lxc.cgroup2.devices.allow = c 1:7 rwm\n"
	"lxc.cgroup2.devices.allow = c 5:0 rwm\n"
	"lxc.cgroup2.devices.allow = c 5:1 rwm\n"
	"lxc.cgroup2.devices.allow = c 5:2 rwm\n"
	"lxc.cgroup2.devices.allow = c 1:8 rwm\n"
	"lxc.cgroup2.devices.allow = c 1:9 rwm\n"
	"lxc.cgroup2.devices.allow = c 136:* rwm\n"
	"lxc.cgroup2.devices.allow = c 10:229 rwm\n"
	"lxc.mount.auto = cgroup:mixed proc:mixed sys:mixed\n"
	"lxc.mount.entry = /sys/fs/fuse/connections "
	"sys/fs/fuse/connections none bind,optional 0 0\n"
	"lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp\n";

static const char userns_conf[] = "lxc.cgroup2.devices.deny =\n"
				  "lxc.cgroup2.devices.allow =\n"
				  "lxc.cap.drop =\n"
				  "lxc.cap.keep =\n"
				  "lxc.mount.auto = sys:rw\n";

static int read_text(struct read_lxc *r, const char *text, struct err *e);

static int take_include(struct read_lxc *r, const struct read_lxc_key *k,
			const char *rest, const char *value, struct err *e)
{
	(void)k;
	(void)rest;
	if (str_eq(value, "/usr/share/lxc/config/common.conf"))
		return read_text(r, common_conf, e);
	if (str_eq(value, "/usr/share/lxc/config/userns.conf"))
		return read_text(r, userns_conf, e);
	return err_set(e, 0, "the file \"%s\" is not known", value);
}

/* Names that end in '.' stand for every key that begins so. */
static const struct read_lxc_key keys[] = {
	{ .name = "lxc.include", .take = take_include },
	{ .name = "lxc.uts.name", .field = FIELD_HOSTNAME, .take = take_text },
	{ .name = "lxc.arch", .field = FIELD_ARCH, .take = take_text },
	{ .name = "lxc.rootfs.path", .take = take_rootfs },
	{ .name = "lxc.rootfs.", .take = take_nothing },
	{ .name = "lxc.init.cmd", .field = FIELD_INIT_CMD, .take = take_text },
	{ .name = "lxc.signal.halt",
	  .field = FIELD_STOP_SIGNAL,
	  .take = take_text },
	{ .name = "lxc.signal.reboot",
	  .field = FIELD_REBOOT_SIGNAL,
	  .take = take_text },
	{ .name = "lxc.signal.stop", .take = take_nothing },
	{ .name = "lxc.start.auto",
	  .field = FIELD_AUTOSTART,
	  .take = take_flag },
	{ .name = "lxc.start.order",
	  .field = FIELD_START_ORDER,
	  .take = take_number },
	{ .name = "lxc.start.delay", .take = take_nothing },
	{ .name = "lxc.group",
	  .field = FIELD_START_GROUPS,
	  .take = take_group },
	{ .name = "lxc.environment", .take = take_environment },
	{ .name = "lxc.idmap", .take = take_idmap },
	{ .name = "lxc.namespace.share.", .take = take_namespace },
	{ .name = "lxc.namespace.keep", .take = take_namespace },
	{ .name = "lxc.cap.keep", .take = take_caps },
	{ .name = "lxc.cap.drop", .take = take_caps },
	{ .name = "lxc.no_new_privs",
	  .field = FIELD_NO_NEW_PRIVS,
	  .take = take_flag },
	{ .name = "lxc.apparmor.profile",
	  .field = FIELD_LSM,
	  .take = take_text },
	{ .name = "lxc.selinux.context",
	  .field = FIELD_LSM,
	  .take = take_text },
	{ .name = "lxc.seccomp.profile",
	  .field = FIELD_SECCOMP,
	  .take = take_text },
	{ .name = "lxc.autodev", .take = read_lxc_autodev },
	{ .name = "lxc.cgroup2.devices.", .take = read_lxc_devices },
	{ .name = "lxc.cgroup.devices.", .take = read_lxc_devices },
	{ .name = "lxc.cgroup2.", .take = read_lxc_cgroup },
	{ .name = "lxc.cgroup.", .take = read_lxc_cgroup },
	{ .name = "lxc.mount.auto", .take = read_lxc_mount_auto },
	{ .name = "lxc.mount.entry", .take = read_lxc_mount_entry },
	{ .name = "lxc.prlimit.", .take = take_prlimit },
	{ .name = "lxc.sysctl.", .take = take_sysctl },
	{ .name = "lxc.proc.oom_score_adj",
	  .field = FIELD_OOM_SCORE,
	  .take = take_number },
	{ .name = "lxc.net.", .take = read_lxc_net },
	{ .name = "lxc.tty.", .take = take_nothing },
	{ .name = "lxc.pty.max", .take = take_nothing },
};

static const struct read_lxc_key *find_key(const char *name)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		const bool prefix = str_ends(keys[i].name, ".");

		if (prefix ? str_starts(name, keys[i].name) :
			     str_eq(name, keys[i].name))
			return &keys[i];
	}
	return NULL;
}

static int read_line(struct read_lxc *r, const struct lxc_line *l,
		     struct err *e)
{
	const struct read_lxc_key *k;
	const char *name;

	if (l->control || l->crlf)
		return err_set(e, 0, "a control character");
	name = slice_dup(r->mem,
			 l->kind == LXC_LINE_SETTING ? l->key : l->whole);
	if (strchr(slice_dup(r->mem, l->whole), '=') == NULL)
		return err_set(e, 0, "not \"key = value\"");
	k = find_key(name);
	if (l->kind != LXC_LINE_SETTING || k == NULL)
		return err_set(e, 0, "unknown key \"%s\"", name);
	if (k->take(r, k, name + strlen(k->name), slice_dup(r->mem, l->value),
		    e) < 0)
		return err_wrap(e, "%s", name);
	if (k->take != read_lxc_devices)
		r->beside = 0;
	return 0;
}

const char policy_lxc_guest[] = "# the guest: ";

/* The line without what makes it a comment, cut again. */
static bool is_guests(struct lxc_line *l)
{
	const size_t n = strlen(policy_lxc_guest);
	struct lxc_lines rest = { .number = l->number - 1 };

	if (l->whole.n <= n || memcmp(l->whole.p, policy_lxc_guest, n) != 0)
		return false;
	rest.rest = (struct slice){ l->whole.p + n, l->whole.n - n };
	return lxc_line_next(&rest, l);
}

static int read_text(struct read_lxc *r, const char *text, struct err *e)
{
	struct lxc_lines rest = { .rest = { text, strlen(text) } };
	struct lxc_line line;

	while (lxc_line_next(&rest, &line)) {
		if (is_guests(&line))
			policy_add(r->p, FIELD_NET_OWNER, "", "guest");
		if (line.kind == LXC_LINE_BLANK ||
		    line.kind == LXC_LINE_COMMENT)
			continue;
		if (read_line(r, &line, e) < 0)
			return err_wrap(e, "line %u", line.number);
	}
	return 0;
}

static uint64_t caps_of(const struct read_lxc *r)
{
	return r->keep.given ? r->keep.set : CAP_ALL & ~r->drop.set;
}

static void add_caps(struct read_lxc *r)
{
	for (unsigned bit = 0; bit < CAP_N; bit++)
		if ((caps_of(r) & CAP_BIT(bit)) != 0)
			policy_add(r->p, FIELD_CAPS, cap_name(bit), "yes");
}

/* What holds where no line says otherwise. */
static const struct default_row {
	enum field_id field;
	const char *key, *value;
} default_rows[] = {
	{ FIELD_NS_PID, "", "private" },
	{ FIELD_NS_NET, "", "private" },
	{ FIELD_NS_MOUNT, "", "private" },
	{ FIELD_NS_IPC, "", "private" },
	{ FIELD_NS_UTS, "", "private" },
	{ FIELD_NS_CGROUP, "", "private" },
	{ FIELD_INIT_CMD, "", "/sbin/init" },
	{ FIELD_STOP_SIGNAL, "", "SIGPWR" },
	{ FIELD_REBOOT_SIGNAL, "", "SIGINT" },
	{ FIELD_AUTOSTART, "", "no" },
	{ FIELD_ENV_VALUE, "container", "lxc" },
	{ FIELD_LSM, "", "none" },
	{ FIELD_SECCOMP, "", "none" },
	{ FIELD_PROC_VIEW, "", "none" },
	{ FIELD_SYS_VIEW, "", "none" },
	{ FIELD_MOUNT_TARGET, "/dev/pts", "/dev/pts" },
	{ FIELD_MOUNT_TYPE, "/dev/pts", "devpts" },
};

static void add_defaults(struct read_lxc *r)
{
	policy_add(r->p, FIELD_NS_USER, "", r->mapped ? "private" : "host");
	for (size_t i = 0; i < COUNT(default_rows); i++)
		if (policy_get(r->p, default_rows[i].field,
			       default_rows[i].key) == NULL)
			policy_add(r->p, default_rows[i].field,
				   default_rows[i].key, default_rows[i].value);
}

/*
 * Faults that only the whole file shows, and that end the start. Parameters
 * are set when /proc is mounted: proc:mixed has /proc/sys read-only, but for
 * net where the guest keeps NET_ADMIN.
 */
static int check(const struct read_lxc *r, struct err *e)
{
	const bool admin = (caps_of(r) & CAP_BIT(cap_find("net_admin"))) != 0;

	if (!r->has_rootfs)
		return err_set(e, 0, "no lxc.rootfs.path: the host's root");
	if (r->nics.n == 0 && policy_get(r->p, FIELD_NS_NET, "") == NULL)
		return err_set(e, 0,
			       "no network: versions differ in what "
			       "that means");
	if (!r->proc_rw && (r->writes_proc || (r->writes_net && !admin)))
		return err_set(e, 0, "kernel parameters need proc:rw");
	return 0;
}

int policy_read_lxc(const char *text, const char *name, struct arena *mem,
		    struct policy **ret, struct err *e)
{
	struct read_lxc r = { .p = policy_new(mem), .mem = mem };

	if (read_text(&r, text, e) < 0 || check(&r, e) < 0)
		return err_wrap(e, "%s", name);
	add_caps(&r);
	if (r.sys_closed)
		policy_add(r.p, FIELD_PROC_VIEW, "", "mixed");
	read_lxc_add_devices(&r);
	read_lxc_add_limits(&r);
	read_lxc_add_nets(&r);
	add_defaults(&r);
	policy_sort(r.p);
	*ret = r.p;
	return 0;
}
