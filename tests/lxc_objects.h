/* Items of a guest's lists, built by hand for the tests check_lxc*.c. */
#ifndef REHOST_TESTS_LXC_OBJECTS_H
#define REHOST_TESTS_LXC_OBJECTS_H

#include "tests/lxc_box.h"

static inline struct nic *add_nic(struct box *b, const char *name,
				  const char *attach)
{
	struct nic *n = pvec_add(b->mem, &b->g->nics);

	if (name != NULL)
		set(b, "nic.name", n, name);
	if (attach != NULL)
		set(b, "nic.attach", n, attach);
	set(b, "nic.up", n, "yes");
	return n;
}

static inline struct addr *add_addr(struct box *b, struct nic *n,
				    const char *ip, const char *prefix)
{
	struct addr *a = pvec_add(b->mem, &b->g->addrs);

	a->nic = n;
	set(b, "addr.ip", a, ip);
	if (prefix != NULL)
		set(b, "addr.prefix", a, prefix);
	return a;
}

static inline struct mount *add_mount(struct box *b, const char *source,
				      const char *target, const char *type,
				      const char *options)
{
	struct mount *m = pvec_add(b->mem, &b->g->mounts);

	set(b, "mount.target", m, target);
	if (source != NULL)
		set(b, "mount.source", m, source);
	if (type != NULL)
		set(b, "mount.type", m, type);
	if (options != NULL)
		set(b, "mount.options", m, options);
	return m;
}

static inline struct device *add_device(struct box *b, const char *rule,
					const char *access, const char *path)
{
	struct device *d = pvec_add(b->mem, &b->g->devices);

	set(b, "device.rule", d, rule);
	set(b, "device.access", d, access);
	if (path != NULL)
		set(b, "device.path", d, path);
	return d;
}

#endif
