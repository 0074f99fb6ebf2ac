/*
 * The emitter of LXC configs (liblxc 3.0 to 7.0): the rules and the puts of
 * single values. Every line of the config stands in the file; only the
 * profile `native` includes the distribution's.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/num.h"
#include "base/str.h"
#include "emit/emit_lxc.h"
#include "policy/host_side.h"
#include "policy/read_lxc.h"

static const char *key_of(struct emission *em, enum field_id id)
{
	return em->emitter->rules[id].key;
}

/* The file has no way to say it: out it stays, and the source keeps it. */
static void refuse(struct emission *em, const struct value *v, const char *why)
{
	emit_lxc_say(em, FIND_SYN_QUOTE, BIN_DROPPED, "%s %s: %s: left out",
		     field_get(em->cur->field)->name,
		     emit_show(em->mem, value_show(em->mem, v)), why);
}

static bool is_word(const char *s)
{
	return emit_lxc_safe(s) && strpbrk(s, " \t") == NULL;
}

static bool are_words(const struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!is_word(l->v[i]))
			return false;
	return l->n != 0;
}

static void put_text(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	const char *text = value_show(em->mem, v);

	if (emit_lxc_safe(text))
		emit_lxc_put(em, id, object, key_of(em, id), text);
	else
		refuse(em, v, "not text of one line");
}

static void put_flag(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	emit_lxc_put(em, id, object, key_of(em, id), v->b ? "1" : "0");
}

static void put_hostname(struct emission *em, enum field_id id,
			 const void *object, const struct value *v)
{
	if (is_word(v->s) && strlen(v->s) < 65) /* __NEW_UTS_LEN and NUL */
		put_text(em, id, object, v);
	else
		refuse(em, v, "no legal host name");
}

static void put_domain(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	if (!is_word(v->s) || strlen(v->s) >= 65) {
		refuse(em, v, "no legal domain name");
		return;
	}
	if (em->g->idmaps.n != 0) {
		emit_lxc_say(em, FIND_INI_DOMAIN, BIN_DROPPED,
			     "%s is not set: a root whose ids are mapped may "
			     "not write kernel.domainname",
			     v->s);
		return;
	}
	emit_lxc_comment(em, id, object, v);
	put_text(em, id, object, v);
}

/* The words that lxc.arch knows in 5.0 and later. */
static const char *const arches[] = {
	"arm",       "armel",   "armhf",    "armv7l",  "athlon",  "i386",
	"i486",      "i586",    "i686",     "linux32", "mips",    "mipsel",
	"ppc",       "powerpc", "x86",      "aarch64", "amd64",   "arm64",
	"linux64",   "mips64",  "mips64el", "ppc64",   "ppc64el", "ppc64le",
	"powerpc64", "riscv64", "s390x",    "x86_64",
};

static void put_arch(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	for (size_t i = 0; i < COUNT(arches); i++) {
		if (str_eq(v->s, arches[i])) {
			put_text(em, id, object, v);
			return;
		}
	}
	refuse(em, v, "lxc.arch has no such word");
}

static void put_init(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	if (are_words(v->l))
		put_text(em, id, object, v);
	else
		refuse(em, v,
		       "lxc.init.cmd is split at blanks and knows no quotes");
}

static const char *const signals[] = {
	"HUP",  "INT",  "QUIT", "ILL",  "TRAP",   "ABRT", "BUS",   "FPE",
	"KILL", "USR1", "SEGV", "USR2", "PIPE",   "ALRM", "TERM",  "CHLD",
	"CONT", "STOP", "TSTP", "TTIN", "TTOU",   "URG",  "XCPU",  "XFSZ",
	"PROF", "IO",   "POLL", "PWR",  "VTALRM", "SYS",  "WINCH",
};

/* An unknown signal makes LXC refuse the whole file. */
static bool is_signal(const char *s)
{
	uint64_t n;
	struct err e;

	if (num_u64(s, &n, &e) == 0)
		return n >= 1 && n <= 64;
	if (str_starts(s, "SIGRTMIN+") || str_starts(s, "SIGRTMAX-"))
		return num_u64(s + strlen("SIGRTMIN+"), &n, &e) == 0 && n <= 30;
	for (size_t i = 0; i < COUNT(signals); i++)
		if (str_starts(s, "SIG") && str_eq(s + 3, signals[i]))
			return true;
	return false;
}

static void put_signal(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	if (is_signal(v->s))
		put_text(em, id, object, v);
	else
		refuse(em, v, "no signal of that name");
}

/* The small init that is put in does it, as its own file says. */
static void put_by_shim(struct emission *em, enum field_id id,
			const void *object, const struct value *v)
{
	const struct guest *g = em->g;

	if (g->init_shim.from != NULL && g->init_shim.v)
		emit_bin(em, BIN_CARRIED,
			 "the small init does it when it is "
			 "asked to stop");
	else
		emit_lxc_comment(em, id, object, v);
}

static void put_api_mounts(struct emission *em, enum field_id id,
			   const void *object, const struct value *v)
{
	struct finding *f;

	if (!v->b) {
		emit_bin(em, BIN_INERT, "init mounts them itself");
		return;
	}
	for (size_t i = 0; i < em->g->mounts.n; i++)
		if (str_eq(em->g->mounts.v[i]->target.v, "/sys/fs/cgroup"))
			return; /* as the source had it */
	f = emit_find_at(em, FIND_MNT_EXTRA, id, object,
			 "the guest's own cgroups are mounted on "
			 "/sys/fs/cgroup (cgroup:mixed)");
	finding_covers(em->g, f, FIELD_MOUNT_TARGET, "/sys/fs/cgroup");
}

static void put_on_reboot(struct emission *em, enum field_id id,
			  const void *object, const struct value *v)
{
	(void)id;
	(void)object;
	if (str_eq(v->s, "restart"))
		emit_bin(em, BIN_CARRIED, "LXC starts the guest again");
	else
		emit_lxc_say(em, FIND_INI_REBOOT, BIN_APPROXIMATED,
			     "a reboot from inside was \"%s\"; LXC starts the "
			     "guest again",
			     str_show(em->mem, v->s, strlen(v->s), 80));
}

/* The groups that can be written; each of the others is said. */
static struct strv legal_groups(struct emission *em, const struct strv *l)
{
	struct strv words = { 0 };

	for (size_t i = 0; i < l->n; i++)
		if (is_word(l->v[i]))
			strv_add(em->mem, &words, l->v[i]);
	for (size_t i = 0; i < l->n; i++)
		if (!is_word(l->v[i]))
			emit_lxc_say(em, FIND_SYN_QUOTE,
				     words.n == 0 ? BIN_DROPPED :
						    BIN_APPROXIMATED,
				     "group \"%s\" is not written: groups are "
				     "words",
				     str_show(em->mem, l->v[i], strlen(l->v[i]),
					      80));
	return words;
}

/* lxc.service starts the group onboot, then what is in no group at all. */
static void put_groups(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	const bool boots = em->g->autostart.from != NULL && em->g->autostart.v;
	const struct strv words = legal_groups(em, v->l);
	const char *text = strv_join(em->mem, &words, " ");

	if (v->l->n == 0)
		refuse(em, v, "groups are words");
	if (words.n == 0)
		return;
	if (boots && !strv_has(&words, "onboot")) {
		emit_lxc_say(em, FIND_INI_AUTOSTART, BIN_APPROXIMATED,
			     "group onboot joins %s: lxc.service starts only "
			     "that one and guests without a group",
			     text);
		text = arena_printf(em->mem, "onboot %s", text);
	}
	emit_lxc_put(em, id, object, key_of(em, id), text);
}

static void put_paused(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	if (v->b)
		emit_lxc_comment(em, id, object, v);
	else
		emit_bin(em, BIN_INERT, "was not kept frozen");
}

static void put_oom_score(struct emission *em, enum field_id id,
			  const void *object, const struct value *v)
{
	if (v->i >= -1000 && v->i <= 1000)
		put_text(em, id, object, v);
	else
		emit_lxc_say(em, FIND_LIM_INVALID, BIN_DROPPED,
			     "oom_score_adj %" PRIi64
			     " is not between -1000 and 1000: left out",
			     v->i);
}

static void put_caps(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	const uint64_t known = v->u & CAP_ALL;
	const char *names = cap_show(em->mem, known, " ");

	if (known != v->u)
		emit_lxc_say(em, FIND_CAP_UNKNOWN, BIN_APPROXIMATED,
			     "capabilities above %d have no name and are not "
			     "granted",
			     CAP_N - 1);
	emit_lxc_put(em, id, object, key_of(em, id),
		     known == 0 ? "none" : names);
}

/*
 * Slices of a capability that only the old kernel had, and the whole one that
 * holds each; vserver.md 3.2, 3.5, 4.3. Of the host: the kernel wants the whole
 * one in the host's user namespace, so that a guest whose ids are mapped does
 * not have the slice by it (capable, not ns_capable).
 */
static const struct partial_row {
	const char *name, *whole;
	bool of_host;
	enum finding_id finding;
} partial_rows[] = {
	{ "set_utsname", "sys_admin", false, FIND_CAP_PARTIAL_LOST },
	{ "set_rlimit", "sys_resource", true, FIND_CAP_PARTIAL_LOST },
	{ "fs_security", "setfcap", false, FIND_CAP_PARTIAL_LOST },
	{ "fs_trusted", "sys_admin", true, FIND_CAP_PARTIAL_LOST },
	{ "tiocsti", "sys_admin", true, FIND_CAP_PARTIAL_LOST },
	{ "raw_icmp", "net_raw", false, FIND_CAP_PARTIAL_LOST },
	{ "syslog", "syslog", true, FIND_CAP_PARTIAL_LOST },
	{ "oom_adjust", "sys_resource", true, FIND_CAP_PARTIAL_LOST },
	{ "audit_control", "audit_control", true, FIND_CAP_PARTIAL_LOST },
	{ "secure_mount", "sys_admin", false, FIND_CAP_PARTIAL_MOUNT },
	{ "secure_remount", "sys_admin", false, FIND_CAP_PARTIAL_MOUNT },
	{ "binary_mount", "sys_admin", true, FIND_CAP_PARTIAL_MOUNT },
	{ "dev_mount", "sys_admin", true, FIND_CAP_PARTIAL_MOUNT },
	{ "quota_ctl", "sys_admin", true, FIND_CAP_PARTIAL_LOST },
	{ "admin_mapper", "sys_admin", true, FIND_CAP_PARTIAL_LOST },
	{ "admin_cloop", "sys_admin", true, FIND_CAP_PARTIAL_LOST },
	{ "kthread", NULL, true, FIND_CAP_KTHREAD },
	{ "namespace", "sys_admin", false, FIND_CAP_NESTING },
};

static const struct partial_row *partial_row(const char *name)
{
	for (size_t i = 0; i < COUNT(partial_rows); i++)
		if (str_caseeq(partial_rows[i].name, name))
			return &partial_rows[i];
	return NULL;
}

static bool has_cap(const struct guest *g, const char *name)
{
	return (g->caps.v & CAP_BIT(cap_find(name))) != 0;
}

static void put_partial(struct emission *em, const char *name)
{
	const struct partial_row *row = partial_row(name);
	const enum finding_id id = row == NULL ? FIND_CAP_PARTIAL_LOST :
						 row->finding;
	const char *shown = str_show(em->mem, name, strlen(name), 40);
	const bool mapped = em->g->idmaps.n != 0;

	if (row == NULL || row->whole == NULL || !has_cap(em->g, row->whole))
		emit_lxc_say(em, id, BIN_DROPPED,
			     "%s is not granted: Linux has no such part of a "
			     "capability",
			     shown);
	else if (row->of_host && mapped)
		emit_lxc_say(em, id, BIN_DROPPED,
			     "%s is lost: %s is kept, but not the host's, for "
			     "the guest's ids are mapped",
			     shown, row->whole);
	else
		emit_lxc_say(em, FIND_CAP_PARTIAL_WHOLE, BIN_APPROXIMATED,
			     "%s: the whole capability %s, which is kept, "
			     "holds it",
			     shown, row->whole);
}

/* Who has SYS_ADMIN in the namespace of its ids may make the others. */
static void put_unshare(struct emission *em, enum field_id id,
			const void *object, const struct value *v)
{
	if (has_cap(em->g, "sys_admin") && !strv_has(v->l, "user"))
		emit_lxc_say(em, FIND_CAP_PARTIAL_WHOLE, BIN_APPROXIMATED,
			     "namespaces (%s): SYS_ADMIN, which is kept, lets "
			     "the guest make them",
			     value_show(em->mem, v));
	else
		emit_lxc_comment(em, id, object, v);
}

static void put_partial_caps(struct emission *em, enum field_id id,
			     const void *object, const struct value *v)
{
	(void)object;
	(void)id;
	for (size_t i = 0; i < v->l->n; i++)
		put_partial(em, v->l->v[i]);
}

/* Namespaces in lxc.namespace.*, and what a guest of its own one notices. */
static const struct ns_row {
	enum field_id field;
	const char *name;
	enum finding_id finding;
	const char *text;
} ns_rows[] = {
	{ FIELD_NS_PID, "pid", FIND_INI_UNSHARE_PID,
	  "process ids are the guest's own" },
	{ FIELD_NS_NET, "net", FIND_NET_OWN_STACK,
	  "the network stack is the guest's own" },
	{ FIELD_NS_MOUNT, "mnt", FIND_MNT_PRIVATE,
	  "mounts are the guest's own" },
	{ FIELD_NS_IPC, "ipc", FIND_INI_ENGINE_BOOT,
	  "System V IPC and message queues are the guest's own" },
	{ FIELD_NS_UTS, "uts", FIND_INI_ENGINE_BOOT,
	  "the host name is the guest's own" },
	{ FIELD_NS_CGROUP, "cgroup", FIND_INI_ENGINE_BOOT,
	  "the view of the cgroups is the guest's own" },
};

static const struct ns_row *ns_row(enum field_id id)
{
	for (size_t i = 0; i < COUNT(ns_rows); i++)
		if (ns_rows[i].field == id)
			return &ns_rows[i];
	return NULL;
}

/* With another guest; cgroups and mounts cannot be shared. */
static void share_namespace(struct emission *em, enum field_id id,
			    const void *object, const char *with)
{
	const char *key = key_of(em, id);

	if (key != NULL && emit_lxc_can_share(with))
		emit_lxc_put(em, id, object, key, with);
	else
		emit_lxc_say(em, FIND_NET_SHARED_STACK, BIN_DROPPED,
			     "%s cannot be shared with \"%s\": the guest gets "
			     "its own",
			     field_get(id)->name,
			     str_show(em->mem, with, strlen(with), 80));
}

/*
 * The host's: LXC then makes every other kind, and without a map of ids its
 * user namespace would map nobody, so that one is kept too (tried on 5.0.2).
 */
static void keep_namespace(struct emission *em, enum field_id id,
			   const void *object, const char *name)
{
	if (em->g->idmaps.n == 0)
		name = arena_printf(em->mem, "user %s", name);
	emit_lxc_put(em, id, object, "lxc.namespace.keep", name);
}

static void put_namespace(struct emission *em, enum field_id id,
			  const void *object, const struct value *v)
{
	const struct ns_row *row = ns_row(id);
	const bool kept = id == FIELD_NS_PID || id == FIELD_NS_IPC;

	if (str_eq(v->s, "private"))
		return;
	if (str_starts(v->s, "shared:"))
		share_namespace(em, id, object, v->s + strlen("shared:"));
	else if (str_eq(v->s, "host") && kept)
		keep_namespace(em, id, object, row->name);
	else if (str_eq(v->s, "host") && id == FIELD_NS_NET)
		emit_bin(em, BIN_CARRIED, "lxc.net.0.type = none");
	else
		emit_lxc_say(em, row->finding, BIN_APPROXIMATED, "%s (was %s)",
			     row->text,
			     str_show(em->mem, v->s, strlen(v->s), 40));
}

static void put_user_namespace(struct emission *em, enum field_id id,
			       const void *object, const struct value *v)
{
	const bool mapped = em->g->idmaps.n != 0;

	(void)id;
	(void)object;
	if (str_eq(v->s, "private") && !mapped)
		emit_lxc_say(em, FIND_IDM_UNMAPPED, BIN_DROPPED,
			     "no map of ids is given: they stay the host's");
	else if (!str_eq(v->s, "private") && mapped)
		emit_lxc_say(em, FIND_IDM_MAPPED, BIN_APPROXIMATED,
			     "ids are mapped by lxc.idmap");
	else if (!mapped && !str_eq(v->s, "host"))
		emit_lxc_say(em, FIND_IDM_UNMAPPED, BIN_APPROXIMATED,
			     "ids are the host's (was %s)",
			     str_show(em->mem, v->s, strlen(v->s), 40));
}

static void put_seccomp(struct emission *em, enum field_id id,
			const void *object, const struct value *v)
{
	if (em->options->native)
		emit_lxc_say(em, FIND_LSM_SECCOMP, BIN_APPROXIMATED,
			     "the distribution's filter (was %s)",
			     str_show(em->mem, v->s, strlen(v->s), 80));
	else if (str_eq(v->s, "none"))
		return;
	else if (v->s[0] == '/' && emit_lxc_safe(v->s))
		emit_lxc_put(em, id, object, key_of(em, id), v->s);
	else
		refuse(em, v, "no path of a profile");
}

static void put_virtual(struct emission *em, enum field_id id,
			const void *object, const struct value *v)
{
	emit_lxc_comment(em, id, object, v);
	if (strv_has(v->l, "time"))
		emit_find_at(em, FIND_INI_TIME, id, object,
			     "the guest's clock is the host's: its offset is "
			     "not carried");
}

static void put_device_policy(struct emission *em, enum field_id id,
			      const void *object, const struct value *v)
{
	(void)id;
	(void)object;
	if (em->options->native)
		emit_lxc_say(em, FIND_DEV_ENGINE, BIN_APPROXIMATED,
			     "the distribution's rules apply (was %s)",
			     str_show(em->mem, v->s, strlen(v->s), 40));
	else if (str_eq(v->s, "list") || str_eq(v->s, "any"))
		emit_bin(em, BIN_CARRIED, "rules of the devices cgroup");
	else
		emit_lxc_say(em, FIND_DEV_LIST, BIN_APPROXIMATED,
			     "only the devices below can be opened, whatever "
			     "nodes are there");
}

static void put_host_loopback(struct emission *em, enum field_id id,
			      const void *object, const struct value *v)
{
	if (str_eq(em->g->ns_net.v, "host"))
		emit_find_at(em, FIND_NET_HOST_STACK, id, object,
			     "the loopback is the host's");
	else if (v->b)
		emit_lxc_say(em, FIND_NET_HOST_LOOPBACK, BIN_DROPPED,
			     "services on the host's 127.0.0.0/8 are out of "
			     "reach");
	else
		emit_lxc_say(em, FIND_NET_LOOPBACK, BIN_CARRIED,
			     "the loopback is the guest's own");
}

static void put_multicast(struct emission *em, enum field_id id,
			  const void *object, const struct value *v)
{
	const bool none = emit_lxc_no_multicast(em);

	(void)id;
	(void)object;
	if (v->b && !none)
		emit_bin(em, BIN_CARRIED, "inherent to a stack of its own");
	else if (v->b)
		emit_lxc_say(em, FIND_NET_MULTICAST_LOST, BIN_DROPPED,
			     "no interface of the guest carries multicast");
	else
		emit_lxc_say(em, FIND_NET_MULTICAST,
			     none ? BIN_CARRIED : BIN_APPROXIMATED,
			     none ? "no interface of the guest carries "
				    "multicast" :
				    "the guest may join multicast groups");
}

/* Written with its name and path, whatever the old place was. */
static void put_rootfs(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	(void)id;
	(void)object;
	(void)v;
	emit_bin(em, BIN_CARRIED,
		 "packed; lxc.rootfs.path names its new place");
}

/* Its own lines of the config are only comments then. */
static void put_net_owner(struct emission *em, enum field_id id,
			  const void *object, const struct value *v)
{
	(void)id;
	(void)object;
	if (str_eq(v->s, "guest") || str_eq(v->s, "engine"))
		emit_bin(em, BIN_CARRIED, "the %s sets addresses and gateways",
			 v->s);
	else
		refuse(em, v, "it is engine or guest");
}

/* Where an address was decides how its interface is attached. */
static void put_addr_part(struct emission *em, enum field_id id,
			  const void *object, const struct value *v)
{
	const struct addr *a = object;

	(void)v;
	if (a->nic == NULL)
		emit_bin(em, BIN_DROPPED, "no interface takes the address");
	else if (id == FIELD_ADDR_UP)
		emit_bin(em, BIN_CARRIED, "flags of the interface");
	else
		emit_bin(em, BIN_APPROXIMATED, "interface %s is attached as %s",
			 a->nic->name.from == NULL ? "?" : a->nic->name.v,
			 a->nic->attach.from == NULL ? "nothing" :
						       a->nic->attach.v);
}

static void put_remote(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	(void)id;
	(void)object;
	if (v->b)
		emit_lxc_say(em, FIND_MNT_NETWORK, BIN_HOSTSIDE,
			     "mounted from the host's address: the server's "
			     "exports have to allow it");
	else
		emit_bin(em, BIN_INERT, "mounted by the host");
}

/* The name and its value are one line; each of the two tells its outcome. */
static void put_env(struct emission *em, enum field_id id, const void *object,
		    const struct value *v)
{
	const struct env *n = object;
	const char *line;

	(void)v;
	if (n->name.from == NULL || n->value.from == NULL)
		return;
	line = arena_printf(em->mem, "%s=%s", n->name.v, n->value.v);
	if (str_eq(n->name.v, "container") && str_eq(n->value.v, "lxc"))
		emit_bin(em, BIN_CARRIED, "LXC itself sets it");
	else if (str_eq(n->name.v, "container"))
		emit_lxc_say(em, FIND_INI_ENV, BIN_OVERRIDDEN,
			     "LXC itself sets container=lxc");
	else if (!emit_lxc_safe(line) || n->name.v[0] == '\0' ||
		 strchr(n->name.v, '=') != NULL)
		emit_lxc_refuse(em, FIND_SYN_QUOTE, BIN_DROPPED,
				"it is not one line NAME=value");
	else if (id == FIELD_ENV_NAME)
		emit_lxc_put(em, id, object, key_of(em, id), line);
}

static void put_sourced(struct emission *em, enum field_id id,
			const void *object, const struct value *v)
{
	(void)id;
	(void)object;
	if (v->b)
		emit_lxc_say(em, FIND_INI_SOURCED, BIN_DROPPED,
			     "a sourced script could change what the old tool "
			     "did: it is not run");
	else
		emit_bin(em, BIN_INERT, "a script of its own");
}

static void put_idmap(struct emission *em, enum field_id id, const void *object,
		      const struct value *v)
{
	const struct idmap *m = object;

	(void)v;
	if (m->kind.from == NULL || m->inside.from == NULL ||
	    m->outside.from == NULL || m->count.from == NULL ||
	    m->count.v == 0 ||
	    (!str_eq(m->kind.v, "u") && !str_eq(m->kind.v, "g")))
		emit_lxc_refuse(em, FIND_SYN_QUOTE, BIN_DROPPED,
				"the map is incomplete");
	else if (id == FIELD_IDMAP_KIND)
		emit_lxc_put(em, id, object, key_of(em, id),
			     arena_printf(em->mem,
					  "%s %" PRIu64 " %" PRIu64 " %" PRIu64,
					  m->kind.v, m->inside.v, m->outside.v,
					  m->count.v));
}

#define RULE(field_, fidelity_, key_, finding_, put_, note_)                   \
	[FIELD_##field_] = { .fidelity = FID_##fidelity_,                      \
			     .key = (key_),                                    \
			     .finding = (finding_),                            \
			     .put = (put_),                                    \
			     .note = (note_) },
static const struct emit_rule rules[FIELD__MAX] = {
#include "emit/lxc.def"
};
#undef RULE

/* A directory below lxc.lxcpath; blanks make every later command awkward. */
static const char *legal_name(struct arena *mem, const char *name)
{
	char *s = arena_strdup(mem, name);

	for (char *c = s; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
			*c = '-';
	while (*s == '.' || *s == '-')
		s++;
	return *s == '\0' ? "guest" : s;
}

static int begin(struct emission *em, struct err *e)
{
	(void)e;
	em->state = arena_alloc(em->mem, sizeof(struct emit_lxc));
	if (!str_eq(em->name, em->g->name))
		emit_engine(em, FIND_INI_NAME, FIELD_CONFIG_NAME, "",
			    "\"%s\" is called %s in LXC",
			    str_show(em->mem, em->g->name, strlen(em->g->name),
				     80),
			    em->name);
	return 0;
}

static int finish(struct emission *em, struct err *e)
{
	const char *text;

	(void)e;
	emit_lxc_engine_lines(em);
	emit_lxc_net_finish(em);
	emit_lxc_engine_findings(em);
	text = emit_lxc_text(em);
	emit_file_add(em, "config", text, strlen(text));
	emit_lxc_filter_finish(em);
	return 0;
}

static int read_back(struct emission *em, struct policy **ret, struct err *e)
{
	struct policy *p;

	if (policy_read_lxc(em->files.v[0].text, "config", em->mem, &p, e) < 0)
		return -1;
	for (size_t i = 1; i < em->files.n; i++)
		if (host_side_read(em->files.v[i].text, em->files.v[i].path, p,
				   e) < 0)
			return -1;
	*ret = p;
	return 0;
}

const struct emitter lxc_emitter = {
	.name = "lxc",
	.summary = "a config for liblxc 3.0 to 7.0",
	.rules = rules,
	.default_version = "5.0",
	.default_path = "/var/lib/lxc",
	.sets_addresses = true,
	.begin = begin,
	.finish = finish,
	.read_back = read_back,
	.legal_name = legal_name,
};
