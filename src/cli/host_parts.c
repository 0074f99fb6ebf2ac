/* What the new host needs, merged over all guests. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "base/str.h"
#include "cli/host_parts.h"
#include "policy/host_side.h"

/* The files, and what stands at their heads. */
static const struct host_file {
	const char *name, *head;
} host_files[] = {
	{ "sysctl.conf", "# for /etc/sysctl.d/: routed interfaces of guests" },
	{ "modules.conf",
	  "# for /etc/modules-load.d/: drivers that guests use" },
	{ "subuid", "# lines for /etc/subuid" },
	{ "subgid", "# lines for /etc/subgid" },
	{ "links.txt", "# interfaces that have to be there before the guests "
		       "start" },
	{ "nftables.conf",
	  "# for nft -f and /etc/nftables.d/: guests send from their own "
	  "addresses only\n"
	  "add table inet rehost\n"
	  "add chain inet rehost source { " HOST_SIDE_CHAIN " }\n"
	  "flush chain inet rehost source" },
	{ "neighbours.sh", "#!/bin/sh\n# addresses that the host answers for "
			   "on a second interface" },
};

static void add(json_t *parts, const char *file, const char *line)
{
	json_t *list = json_object_get(parts, file), *old;
	size_t i;

	if (list == NULL) {
		list = json_array();
		json_put(parts, file, list);
	}
	json_array_foreach (list, i, old)
		if (str_eq(json_string_value(old), line))
			return;
	json_array_append_new(list, json_text(line));
}

static const char *after(const char *s, const char *prefix)
{
	return str_starts(s, prefix) ? s + strlen(prefix) : NULL;
}

static bool has_v6(const struct guest *g, const struct nic *n)
{
	struct inet_addr ip;
	struct err e;

	for (size_t i = 0; i < g->addrs.n; i++)
		if (g->addrs.v[i]->nic == n &&
		    inet_parse(g->addrs.v[i]->ip.v, &ip, &e) == 0 &&
		    ip.family == AF_INET6)
			return true;
	return false;
}

static void routed(struct work *w, const struct nic *n, const char *dev,
		   json_t *parts)
{
	const struct strv names =
		host_side_params(w->mem, dev, has_v6(w->g, n));

	for (size_t i = 0; i < names.n; i++)
		add(parts, "sysctl.conf",
		    arena_printf(w->mem, "%s = 1", names.v[i]));
}

/* Interfaces of this guest that the host filters, as its LXC config says. */
static void filter_parts(struct work *w, json_t *parts)
{
	const struct policy *p = NULL;

	for (size_t i = 0; i < w->emissions.n; i++)
		if (str_eq(w->emissions.v[i]->emitter->name, "lxc"))
			p = w->emissions.v[i]->policy;
	for (size_t i = 0; p != NULL && i < p->items.n; i++) {
		const struct policy_item *it = &p->items.v[i];
		const char *end = policy_get(p, FIELD_NIC_HOST_NAME, it->key);

		if (it->field == FIELD_NIC_SOURCE_FILTER && end != NULL)
			add(parts, "nftables.conf",
			    arena_printf(w->mem,
					 "add rule inet rehost source %s",
					 host_side_rule(w->mem, end)));
	}
}

static void nic_parts(struct work *w, const struct nic *n, json_t *parts)
{
	static const char *const kinds[] = { "bridge:", "macvlan:", "ipvlan:",
					     "phys:", "routed:" };

	if (n->attach.from == NULL)
		return;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const char *dev = after(n->attach.v, kinds[i]);

		if (dev == NULL || str_eq(dev, "lo"))
			continue;
		add(parts, "links.txt",
		    arena_printf(w->mem, "%s (%s)", dev,
				 str_eq(kinds[i], "bridge:") ? "a bridge" :
							       "an interface"));
		if (str_eq(kinds[i], "routed:"))
			routed(w, n, dev, parts);
	}
}

/*
 * Addresses that were on another device of the host than their routed
 * interface's. A default is no device of the host: it is venet0, or the guest's
 * own name.
 */
static void addr_parts(struct work *w, const struct addr *a, json_t *parts)
{
	const char *dev;

	if (a->nic == NULL || a->nic->attach.from == NULL ||
	    a->dev.from == NULL || a->dev.from->kind == ORIGIN_DEFAULT ||
	    a->ip.from == NULL)
		return;
	dev = after(a->nic->attach.v, "routed:");
	if (dev == NULL || str_eq(dev, a->dev.v) || str_eq(a->dev.v, "lo") ||
	    str_starts(a->dev.v, "dummy") || !inet_ifname_ok(a->dev.v))
		return;
	add(parts, "neighbours.sh",
	    arena_printf(w->mem, "ip neigh add proxy %s dev %s", a->ip.v,
			 a->dev.v));
}

static const struct module_row {
	const char *rule, *module;
} module_rows[] = {
	{ "c 10:200", "tun" },
	{ "c 10:229", "fuse" },
	{ "c 108:0", "ppp_generic" },
};

static void device_parts(const struct device *d, json_t *parts)
{
	for (size_t i = 0; i < COUNT(module_rows); i++)
		if (d->rule.from != NULL && d->access.from != NULL &&
		    d->access.v[0] != '\0' &&
		    str_eq(d->rule.v, module_rows[i].rule))
			add(parts, "modules.conf", module_rows[i].module);
}

static void id_parts(struct work *w, const struct idmap *m, json_t *parts)
{
	add(parts, str_eq(m->kind.v, "u") ? "subuid" : "subgid",
	    arena_printf(w->mem, "root:%" PRIu64 ":%" PRIu64, m->outside.v,
			 m->count.v));
}

json_t *host_parts_of(struct work *w)
{
	json_t *parts = json_object();

	for (size_t i = 0; i < w->g->nics.n; i++)
		nic_parts(w, w->g->nics.v[i], parts);
	for (size_t i = 0; i < w->g->addrs.n; i++)
		addr_parts(w, w->g->addrs.v[i], parts);
	for (size_t i = 0; i < w->g->devices.n; i++)
		device_parts(w->g->devices.v[i], parts);
	for (size_t i = 0; i < w->g->idmaps.n; i++)
		id_parts(w, w->g->idmaps.v[i], parts);
	filter_parts(w, parts);
	return parts;
}

void host_parts_add(json_t *sum, const json_t *parts)
{
	for (size_t i = 0; i < COUNT(host_files); i++) {
		const char *name = host_files[i].name;
		json_t *line;
		size_t j;

		json_array_foreach (json_object_get(parts, name), j, line)
			add(sum, name, json_string_value(line));
	}
}

static int cmp_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int write_file(const json_t *sum, const struct host_file *f, int dir,
		      struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf b CLEANUP(buf_done) = { 0 };
	const json_t *list = json_object_get(sum, f->name), *line;
	VEC(const char *) lines = { 0 };
	size_t i;

	json_array_foreach (list, i, line)
		*vec_add(mem, &lines) = json_string_value(line);
	if (lines.n == 0)
		return 0;
	qsort(lines.v, lines.n, sizeof(*lines.v), cmp_lines);
	buf_printf(&b, "%s\n", f->head);
	for (i = 0; i < lines.n; i++)
		buf_printf(&b, "%s\n", lines.v[i]);
	return fd_replace(dir, f->name, b.p, b.n, e);
}

int host_parts_write(const json_t *sum, int dir, struct err *e)
{
	int fd CLEANUP(fd_closep) = -1;

	if (json_object_size(sum) == 0)
		return 0;
	if (fd_mkdirs(dir, "host/lxc", e) < 0)
		return -1;
	fd = openat(dir, "host/lxc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open host/lxc");
	for (size_t i = 0; i < COUNT(host_files); i++)
		if (write_file(sum, &host_files[i], fd, e) < 0)
			return -1;
	return 0;
}
