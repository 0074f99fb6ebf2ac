/*
 * Devices, mounts and kernel parameters of an LXC config. Reference:
 * targets.md 2.1 (fstab rules), 2.2, 2.4; vserver.md 4.6, 4.7.
 */
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/devrule.h"
#include "base/lxc_line.h"
#include "base/str.h"
#include "emit/emit_lxc.h"

/* Nodes that lxc.autodev makes by itself. */
static const struct node_row {
	const char *rule, *path;
} node_rows[] = {
	{ "c 1:3", "/dev/null" },    { "c 1:5", "/dev/zero" },
	{ "c 1:7", "/dev/full" },    { "c 1:8", "/dev/random" },
	{ "c 1:9", "/dev/urandom" }, { "c 5:0", "/dev/tty" },
	{ "c 5:1", "/dev/console" }, { "c 5:2", "/dev/ptmx" },
};

static const char *standard_path(const char *rule)
{
	for (size_t i = 0; i < COUNT(node_rows); i++)
		if (str_eq(node_rows[i].rule, rule))
			return node_rows[i].path;
	return NULL;
}

/* A path without ".", ".." and empty parts, other than "/". */
static bool is_plain_path(const char *path)
{
	struct slice rest, part;

	if (path[0] != '/' || path[1] == '\0' || !emit_lxc_safe(path))
		return false;
	rest = (struct slice){ path + 1, strlen(path + 1) };
	while (slice_next(&rest, '/', &part))
		if (part.n == 0 || slice_eq(part, ".") || slice_eq(part, ".."))
			return false;
	return !str_ends(path, "/");
}

/* A field of fstab: getmntent(3) decodes these. */
static char *escaped(struct arena *mem, const char *s)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	for (; *s != '\0'; s++) {
		if (*s == ' ')
			buf_adds(&b, "\\040");
		else if (*s == '\t')
			buf_adds(&b, "\\011");
		else if (*s == '\\')
			buf_adds(&b, "\\134");
		else
			buf_addc(&b, *s);
	}
	return arena_strdup(mem, buf_str(&b));
}

/* Why a rule cannot be written; NULL when it can. */
static const char *device_fault(struct emission *em, const struct device *d)
{
	struct devrule rule;
	struct err e;

	if (d->rule.from == NULL || d->access.from == NULL)
		return "it has no numbers or no access";
	if (!emit_lxc_safe(d->rule.v) ||
	    devrule_parse(arena_printf(em->mem, "%s %s", d->rule.v,
				       d->access.v),
			  &rule, &e) < 0)
		return "it cannot be read";
	if (rule.type == 'a')
		return "LXC takes a rule for all devices as a reset of the "
		       "list: give one for b and one for c";
	return NULL;
}

/* Makes the node: a bind of the host's, beside its rule (see read_lxc.c). */
static void put_node(struct emission *em, const struct device *d)
{
	const char *source = standard_path(d->rule.v);
	const char *path;

	if (d->path.from == NULL || str_eq(d->path.v, source) ||
	    !is_plain_path(d->path.v))
		return;
	path = escaped(em->mem, d->path.v);
	if (source == NULL && !str_starts(path, "/dev/"))
		return;
	if (source == NULL)
		source = path;
	emit_lxc_put(em, FIELD_DEVICE_RULE, d, "lxc.mount.entry",
		     arena_printf(em->mem,
				  "%s %s none bind,create=file,optional 0 0",
				  source, path + 1));
}

static void put_rule(struct emission *em, const struct device *d)
{
	const char *text =
		arena_printf(em->mem, "%s %s", d->rule.v, d->access.v);
	struct finding *f;

	if (emit_lxc_v1(em))
		emit_lxc_put(em, FIELD_DEVICE_RULE, d,
			     "lxc.cgroup.devices.allow", text);
	if (emit_lxc_v2(em))
		emit_lxc_put(em, FIELD_DEVICE_RULE, d,
			     "lxc.cgroup2.devices.allow", text);
	put_node(em, d);
	if (d->path.from != NULL || standard_path(d->rule.v) == NULL)
		return;
	f = emit_find_at(em, FIND_DEV_MISSING_NODE, FIELD_DEVICE_RULE, d,
			 "%s is made by LXC", standard_path(d->rule.v));
	finding_covers(em->g, f, FIELD_DEVICE_PATH, d->rule.v);
}

/* A second object of the same numbers: one of the two paths is told. */
static bool is_twin(const struct guest *g, const struct device *d)
{
	for (size_t i = 0; i < g->devices.n; i++) {
		const struct device *o = g->devices.v[i];

		if (o != d && o->rule.from != NULL &&
		    str_eq(o->rule.v, d->rule.v))
			return true;
	}
	return false;
}

static void put_path(struct emission *em, const struct device *d)
{
	if (!is_plain_path(d->path.v) || (!str_starts(d->path.v, "/dev/") &&
					  standard_path(d->rule.v) == NULL))
		emit_lxc_say(
			em, FIND_DEV_NODE, BIN_DROPPED, "no node is made at %s",
			str_show(em->mem, d->path.v, strlen(d->path.v), 80));
	else if (is_twin(em->g, d))
		emit_find_at(em, FIND_DEV_NODE, FIELD_DEVICE_PATH, d,
			     "%s has several nodes, one of them %s", d->rule.v,
			     d->path.v);
}

void emit_lxc_device(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	const struct device *d = object;
	const char *why;

	(void)v;
	if (d->access.from != NULL && d->access.v[0] == '\0') {
		emit_bin(em, BIN_DROPPED, "withheld from the guest");
		return;
	}
	why = device_fault(em, d);
	if (why != NULL) {
		emit_lxc_refuse(em, FIND_DEV_BAD_RULE, BIN_DROPPED, why);
	} else if (em->options->native) {
		emit_lxc_say(em, FIND_DEV_ENGINE, BIN_APPROXIMATED,
			     "%s: the distribution's list of devices applies",
			     d->rule.v);
		if (id == FIELD_DEVICE_RULE && em->g->idmaps.n == 0)
			put_rule(em, d);
	} else if (id == FIELD_DEVICE_RULE) {
		put_rule(em, d);
	} else if (id == FIELD_DEVICE_PATH) {
		put_path(em, d);
	} else if (id == FIELD_DEVICE_ACCESS && is_twin(em->g, d)) {
		emit_find_at(em, FIND_DEV_NODE, id, d, "the rules of %s add up",
			     d->rule.v);
	}
}

/* What LXC mounts itself when lxc.mount.auto and lxc.autodev say so. */
static const char *const engine_mounts[] = { "/proc", "/sys", "/dev",
					     "/dev/pts" };

static bool is_engine_mount(const struct emission *em, const char *target)
{
	const struct opt_bool *api = &em->g->api_mounts;

	if (str_eq(target, "/sys") && str_eq(emit_lxc_sys(em), "none"))
		return false;
	if (str_eq(target, "/sys/fs/cgroup"))
		return api->from != NULL && api->v;
	for (size_t i = 0; i < COUNT(engine_mounts); i++)
		if (str_eq(engine_mounts[i], target))
			return true;
	return false;
}

static bool are_options(const struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!emit_lxc_safe(l->v[i]) || strchr(l->v[i], ',') != NULL)
			return false;
	return true;
}

/* Why a mount cannot be written; NULL when it can. */
static const char *mount_fault(const struct mount *m, enum finding_id *ret)
{
	if (m->target.from == NULL || !is_plain_path(m->target.v)) {
		*ret = FIND_MNT_TARGET;
		return "the mount point is no absolute path in the guest";
	}
	if (m->source.from != NULL &&
	    (!emit_lxc_safe(m->source.v) || m->source.v[0] == '#'))
		return "the source is not text of one line";
	if (m->type.from != NULL && !emit_lxc_safe(m->type.v))
		return "the type is not text of one line";
	if (m->options.from != NULL && !are_options(&m->options.v))
		return "an option is not a word";
	return NULL;
}

/* The options as written: what LXC needs to know stands last. */
static char *mount_options(struct emission *em, const struct mount *m)
{
	struct strv words = { 0 };
	const bool bind = m->type.from == NULL || str_eq(m->type.v, "none");

	for (size_t i = 0; m->options.from != NULL && i < m->options.v.n; i++)
		strv_add(em->mem, &words, escaped(em->mem, m->options.v.v[i]));
	if (bind && !strv_has(&words, "bind") && !strv_has(&words, "rbind"))
		strv_add(em->mem, &words, "bind");
	strv_add(em->mem, &words,
		 m->file.from != NULL && m->file.v ? "create=file" :
						     "create=dir");
	if (m->optional.from != NULL && m->optional.v)
		strv_add(em->mem, &words, "optional");
	return strv_join(em->mem, &words, ",");
}

/* Options that are written, and that LXC does not apply. */
static void find_ignored(struct emission *em, const struct mount *m,
			 const char *options)
{
	const struct strv all = strv_split(em->mem, options, ",");
	struct strv ignored = { 0 };
	struct finding *f;

	for (size_t i = 0; i < all.n; i++)
		if (lxc_line_ignores(&all, all.v[i]))
			strv_add(em->mem, &ignored, all.v[i]);
	if (ignored.n == 0)
		return;
	f = emit_find_at(em, FIND_MNT_BIND_FLAGS, FIELD_MOUNT_OPTIONS, m,
			 "%s: %s", m->target.v,
			 strv_join(em->mem, &ignored, " "));
	finding_covers(em->g, f, FIELD_MOUNT_OPTIONS, m->target.v);
}

static void put_entry(struct emission *em, const struct mount *m)
{
	const char *source = m->source.from == NULL ? "none" : m->source.v;
	const char *type = m->type.from == NULL ? "none" : m->type.v;
	const bool bind = str_eq(type, "none") &&
			  (m->options.from == NULL ||
			   (!strv_has(&m->options.v, "bind") &&
			    !strv_has(&m->options.v, "rbind")));
	const char *options = mount_options(em, m);
	struct finding *f;

	if (bind || m->source.from == NULL || m->type.from == NULL) {
		f = emit_find_at(em, FIND_MNT_EXTRA, FIELD_MOUNT_TARGET, m,
				 "%s: written as %s of type %s%s", m->target.v,
				 str_show(em->mem, source, strlen(source), 80),
				 type, bind ? " with option bind" : "");
		finding_covers(em->g, f, FIELD_MOUNT_SOURCE, m->target.v);
		finding_covers(em->g, f, FIELD_MOUNT_TYPE, m->target.v);
		finding_covers(em->g, f, FIELD_MOUNT_OPTIONS, m->target.v);
	}
	emit_lxc_put(em, FIELD_MOUNT_TARGET, m, "lxc.mount.entry",
		     arena_printf(em->mem, "%s %s %s %s 0 0",
				  escaped(em->mem, source),
				  escaped(em->mem, m->target.v + 1),
				  escaped(em->mem, type), options));
	find_ignored(em, m, options);
}

static void engine_mount(struct emission *em, enum field_id id,
			 const struct mount *m)
{
	emit_bin(em, BIN_CARRIED, "LXC mounts it itself");
	if (id == FIELD_MOUNT_TARGET || id == FIELD_MOUNT_TYPE)
		emit_find_at(em, FIND_MNT_ENGINE, id, m,
			     "%s is mounted by LXC itself", m->target.v);
	else
		emit_find_at(em, FIND_MNT_ENGINE, id, m,
			     "%s is mounted by LXC itself: its own source and "
			     "options",
			     m->target.v);
}

void emit_lxc_mount(struct emission *em, enum field_id id, const void *object,
		    const struct value *v)
{
	const struct mount *m = object;
	enum finding_id finding = FIND_SYN_QUOTE;
	const char *why = mount_fault(m, &finding);

	(void)v;
	if (why != NULL)
		emit_lxc_refuse(em, finding, BIN_DROPPED, why);
	else if (is_engine_mount(em, m->target.v))
		engine_mount(em, id, m);
	else if (id == FIELD_MOUNT_TARGET)
		put_entry(em, m);
}

/*
 * Kernel parameters by their beginning, first match: those that a namespace
 * holds, and those of the network that no guest may write (they are absent or
 * read-only in a network namespace, and a failed write ends the start).
 */
static const struct sysctl_row {
	const char *prefix;
	enum { OF_HOST, OF_NET, OF_IPC, OF_UTS } of;
} sysctl_rows[] = {
	{ "net.core.somaxconn", OF_NET },
	{ "net.core.xfrm_", OF_NET },
	{ "net.core.", OF_HOST },
	{ "net.ipv4.tcp_mem", OF_HOST },
	{ "net.ipv4.udp_mem", OF_HOST },
	{ "net.ipv4.tcp_max_orphans", OF_HOST },
	{ "net.ipv4.tcp_low_latency", OF_HOST },
	{ "net.ipv4.tcp_allowed_congestion_control", OF_HOST },
	{ "net.ipv4.tcp_available_congestion_control", OF_HOST },
	{ "net.ipv4.inet_peer_", OF_HOST },
	{ "net.ipv4.icmp_msgs_", OF_HOST },
	{ "net.ipv4.cipso_", OF_HOST },
	{ "net.netfilter.nf_conntrack_max", OF_HOST },
	{ "net.netfilter.nf_conntrack_buckets", OF_HOST },
	{ "net.netfilter.nf_conntrack_expect_max", OF_HOST },
	{ "net.nf_conntrack_max", OF_HOST },
	{ "net.", OF_NET },
	{ "kernel.shm", OF_IPC },
	{ "kernel.msg", OF_IPC },
	{ "kernel.sem", OF_IPC },
	{ "fs.mqueue.", OF_IPC },
	{ "kernel.domainname", OF_UTS },
	{ "kernel.hostname", OF_UTS },
};

/* lxc.sysctl turns every dot into a slash below /proc/sys. */
static bool is_sysctl_name(const char *s)
{
	for (const char *c = s; *c != '\0'; c++)
		if (strchr("abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			   *c) == NULL)
			return false;
	return s[0] != '\0' && s[0] != '.' && strstr(s, "..") == NULL;
}

/* Why a parameter is not set; NULL when it is. */
static const char *sysctl_fault(const struct guest *g, const struct sysctl *s)
{
	const bool own_net = !str_eq(g->ns_net.v, "host") &&
			     !emit_lxc_shares_net(g);

	if (s->name.from == NULL || s->value.from == NULL ||
	    !is_sysctl_name(s->name.v))
		return "no parameter of that name";
	if (!emit_lxc_safe(s->value.v))
		return "its value is not text of one line";
	for (size_t i = 0; i < COUNT(sysctl_rows); i++) {
		if (!str_starts(s->name.v, sysctl_rows[i].prefix))
			continue;
		if (sysctl_rows[i].of == OF_HOST)
			return "it is the host's";
		if (sysctl_rows[i].of == OF_NET && !own_net)
			return "the network stack is not the guest's own";
		if (sysctl_rows[i].of == OF_UTS && g->idmaps.n != 0)
			return "a root whose ids are mapped may not write it";
		return NULL;
	}
	return "it is the host's";
}

void emit_lxc_sysctl(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	const struct sysctl *s = object;
	const char *why = sysctl_fault(em->g, s);

	(void)v;
	if (why != NULL)
		emit_lxc_refuse(em, FIND_INI_SYSCTL, BIN_HOSTSIDE, why);
	else if (id == FIELD_SYSCTL_NAME)
		emit_lxc_put(em, id, object,
			     arena_printf(em->mem, "lxc.sysctl.%s", s->name.v),
			     s->value.v);
	else if (str_eq(s->name.v, "kernel.domainname"))
		finding_covers(em->g,
			       emit_find_at(em, FIND_INI_DOMAIN, id, object,
					    "the domain name is %s",
					    s->value.v),
			       FIELD_DOMAINNAME, "");
}

const char *emit_lxc_proc(const struct guest *g)
{
	return str_eq(g->proc_view.v, "rw") ? "rw" : "mixed";
}

/*
 * proc:mixed leaves /proc/sys read-only before LXC sets parameters, and with
 * it /proc/sys/net for a guest without NET_ADMIN (tried on 5.0.2). A writable
 * /proc/sys would give root without mapped ids kernel.core_pattern, and so
 * the host: only the parameters themselves stay writable, as binds onto
 * themselves below a read-only bind of the whole.
 */
static void open_parameter(struct emission *em, const char *path)
{
	emit_lxc_add(em, LXC_KERNEL, "lxc.mount.entry",
		     arena_printf(em->mem, "%s %s none bind,relative 0 0", path,
				  path));
}

static const char *parameter_path(struct emission *em, const char *name)
{
	char *path = arena_printf(em->mem, "proc/sys/%s", name);

	for (char *c = path; *c != '\0'; c++)
		if (*c == '.')
			*c = '/';
	return path;
}

static bool has_net_admin(const struct guest *g)
{
	return g->caps.from == NULL ||
	       (g->caps.v & CAP_BIT(cap_find("net_admin"))) != 0;
}

/* Whether LXC can set it with proc:mixed alone. */
static bool is_open(const struct guest *g, const char *name)
{
	return str_starts(name, "net.") && has_net_admin(g);
}

/* The parameters that are written and that proc:mixed would close. */
static struct strv closed_parameters(struct emission *em)
{
	const struct emit_lxc *st = em->state;
	struct strv names = { 0 };

	for (size_t i = 0; i < st->lines.n; i++) {
		const char *line = st->lines.v[i].text;
		const char *name = line + strlen("lxc.sysctl.");
		const char *end = strchr(line, ' ');

		if (!str_starts(line, "lxc.sysctl.") || end == NULL ||
		    is_open(em->g, name))
			continue;
		name = arena_strndup(em->mem, name, (size_t)(end - name));
		if (!strv_has(&names, name))
			strv_add(em->mem, &names, name);
	}
	return names;
}

/* LXC leaves cgroups to a guest that can mount them, unless forced. */
static bool may_mount(const struct guest *g)
{
	return g->caps.from == NULL ||
	       (g->caps.v & CAP_BIT(cap_find("sys_admin"))) != 0;
}

void emit_lxc_put_proc(struct emission *em)
{
	const bool rw = str_eq(emit_lxc_proc(em->g), "rw");
	const struct strv names = closed_parameters(em);
	const char *sys = emit_lxc_sys(em);
	const char *text = rw || names.n != 0 ? "proc:rw" : "proc:mixed";

	if (!str_eq(sys, "none"))
		text = arena_printf(em->mem, "%s sys:%s", text, sys);
	if (em->g->api_mounts.from != NULL && em->g->api_mounts.v)
		text = arena_printf(em->mem, "%s cgroup:mixed%s", text,
				    may_mount(em->g) ? ":force" : "");
	emit_lxc_add(em, LXC_KERNEL, "lxc.mount.auto", text);
	if (rw || names.n == 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		open_parameter(em, parameter_path(em, names.v[i]));
	if (has_net_admin(em->g))
		open_parameter(em, "proc/sys/net");
	emit_lxc_add(em, LXC_KERNEL, "lxc.mount.entry",
		     "proc/sys proc/sys none rbind,ro,relative 0 0");
	emit_lxc_add(em, LXC_KERNEL, "lxc.mount.entry",
		     "/dev/null proc/sysrq-trigger none bind,ro,optional 0 0");
}

/*
 * Without it as before, but where an init, a mount table or the
 * distribution's defaults want it.
 */
const char *emit_lxc_sys(const struct emission *em)
{
	static const char *const views[] = { "ro", "mixed", "rw" };
	const struct guest *g = em->g;

	for (size_t i = 0; i < COUNT(views); i++)
		if (str_eq(g->sys_view.v, views[i]))
			return views[i];
	if (g->sys_view.from == NULL || em->options->native ||
	    str_eq(g->init_kind.v, "systemd") ||
	    (g->api_mounts.from != NULL && g->api_mounts.v))
		return "ro";
	for (size_t i = 0; i < g->mounts.n; i++)
		if (str_eq(g->mounts.v[i]->target.v, "/sys"))
			return "ro";
	return "none";
}

void emit_lxc_view(struct emission *em, enum field_id id, const void *object,
		   const struct value *v)
{
	const bool proc = id == FIELD_PROC_VIEW;
	const char *is = proc ? emit_lxc_proc(em->g) : emit_lxc_sys(em);
	const char *what = proc ? "/proc" : "/sys";

	(void)object;
	if (str_eq(v->s, is))
		emit_bin(em, BIN_CARRIED, "lxc.mount.auto");
	else
		emit_lxc_say(em, FIND_INI_PROC, BIN_APPROXIMATED,
			     "%s is mounted %s (was %s)", what, is,
			     str_show(em->mem, v->s, strlen(v->s), 40));
}
