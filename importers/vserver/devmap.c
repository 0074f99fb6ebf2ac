/*
 * The device map: which nodes a context could open or make, beside those in
 * its /dev. Source: util-vserver scripts/vserver.functions, handleDeviceMap,
 * and src/vdevmap.c.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/str.h"
#include "importers/vserver/boot.h"

/* Linux, Documentation/admin-guide/devices.txt: where no node can be asked. */
static const struct node_row {
	const char *path, *rule;
} node_rows[] = {
	{ .path = "/dev/null", .rule = "c 1:3" },
	{ .path = "/dev/zero", .rule = "c 1:5" },
	{ .path = "/dev/full", .rule = "c 1:7" },
	{ .path = "/dev/random", .rule = "c 1:8" },
	{ .path = "/dev/urandom", .rule = "c 1:9" },
	{ .path = "/dev/tty", .rule = "c 5:0" },
	{ .path = "/dev/console", .rule = "c 5:1" },
	{ .path = "/dev/ptmx", .rule = "c 5:2" },
	{ .path = "/dev/ppp", .rule = "c 108:0" },
	{ .path = "/dev/rtc", .rule = "c 10:135" },
	{ .path = "/dev/net/tun", .rule = "c 10:200" },
	{ .path = "/dev/tun", .rule = "c 10:200" },
	{ .path = "/dev/fuse", .rule = "c 10:229" },
	{ .path = "/dev/kvm", .rule = "c 10:232" },
	{ .path = "/dev/loop-control", .rule = "c 10:237" },
	{ .path = "/dev/mem", .rule = "c 1:1" },
	{ .path = "/dev/kmem", .rule = "c 1:2" },
	{ .path = "/dev/port", .rule = "c 1:4" },
	{ .path = "/dev/kmsg", .rule = "c 1:11" },
	{ .path = "/dev/loop0", .rule = "b 7:0" },
	{ .path = "/dev/hda", .rule = "b 3:0" },
	{ .path = "/dev/hda1", .rule = "b 3:1" },
	{ .path = "/dev/sda", .rule = "b 8:0" },
	{ .path = "/dev/sda1", .rule = "b 8:1" },
};

struct word {
	struct setting *s;
	const char *text;
};

struct entry { /* apps/vdevmap/<name>/ */
	const char *name;
	bool defaults; /* of .defaults: for every context */
	struct word v[BOOT_MAP__MAX];
};

struct vserver_devmap {
	PVEC(struct entry) entries;
};

struct vserver_devmap *vserver_devmap_new(struct reading *r)
{
	return arena_alloc(r->g->mem, sizeof(struct vserver_devmap));
}

void vserver_devmap_keep(struct reading *r, struct vserver_devmap *m,
			 enum vserver_boot_map_key key, const char *value)
{
	const struct vserver *v = vserver_of(r);
	struct entry *e = NULL;

	for (size_t i = 0; i < m->entries.n; i++)
		if (str_eq(m->entries.v[i]->name, v->star) &&
		    m->entries.v[i]->defaults == v->in_defaults)
			e = m->entries.v[i];
	if (e == NULL) {
		e = pvec_add(r->g->mem, &m->entries);
		e->name = arena_strdup(r->g->mem, v->star);
		e->defaults = v->in_defaults;
	}
	e->v[key] = (struct word){ r->cur, value == NULL ? "" : value };
}

static bool has(const struct entry *e, enum vserver_boot_map_key key)
{
	return e->v[key].s != NULL;
}

static void end(struct reading *r, const struct entry *e, enum bin bin,
		const char *note)
{
	for (size_t i = 0; i < BOOT_MAP__MAX; i++) {
		if (e->v[i].s == NULL || e->v[i].s->decided ||
		    e->v[i].s->parts.n > 0)
			continue;
		reading_resume(r, e->v[i].s);
		reading_decide(r, bin, "%s", note);
	}
}

/* "c 10:200" of a node of the old host; NULL: not known. */
static const char *rule_of(struct reading *r, const char *path)
{
	struct tree_stat st;
	struct err e;

	if (tree_stat(vserver_of(r)->t, path, &st, &e) == 0 &&
	    (S_ISCHR(st.mode) || S_ISBLK(st.mode)))
		return arena_printf(r->g->mem, "%c %u:%u",
				    S_ISCHR(st.mode) ? 'c' : 'b', st.rdev_major,
				    st.rdev_minor);
	for (size_t i = 0; i < COUNT(node_rows); i++)
		if (str_eq(node_rows[i].path, path))
			return node_rows[i].rule;
	return NULL;
}

/* The setting that names the device whose numbers count; NULL: none does. */
static const struct word *named(const struct entry *e)
{
	if (has(e, BOOT_MAP_TARGET) &&
	    (has(e, BOOT_MAP_REMAP) || !has(e, BOOT_MAP_DEVICE)))
		return &e->v[BOOT_MAP_TARGET];
	return has(e, BOOT_MAP_DEVICE) ? &e->v[BOOT_MAP_DEVICE] : NULL;
}

static void take_access(struct reading *r, const struct entry *e,
			struct device *d)
{
	const bool open = has(e, BOOT_MAP_OPEN);
	const bool create = has(e, BOOT_MAP_CREATE);
	const char *access = open && create ? "rwm" :
			     open           ? "rw" :
			     create         ? "m" :
					      "";

	if (create) {
		reading_resume(r, e->v[BOOT_MAP_CREATE].s);
		take_str(r, FIELD_DEVICE_ACCESS, d, access);
		reading_find(r, FIND_DEV_CREATE,
			     "%s could be made by a guest with MKNOD",
			     d->path.v);
	}
	if (open) {
		reading_resume(r, e->v[BOOT_MAP_OPEN].s);
		if (create)
			take_part(r, FIELD_DEVICE_ACCESS, d);
		else
			take_str(r, FIELD_DEVICE_ACCESS, d, access);
	}
	if (!open && !create)
		take_str(r, FIELD_DEVICE_ACCESS, d, access);
}

static void take_remap(struct reading *r, const struct entry *e,
		       struct device *d)
{
	if (!has(e, BOOT_MAP_REMAP))
		return;
	reading_resume(r, e->v[BOOT_MAP_REMAP].s);
	if (!has(e, BOOT_MAP_TARGET)) {
		reading_decide(r, BIN_INVALID, "there is no target");
		return;
	}
	take_part(r, FIELD_DEVICE_RULE, d);
	reading_find(r, FIND_DEV_REMAP, "%s opened %s: the node gets %s",
		     d->path.v, e->v[BOOT_MAP_TARGET].text, d->rule.v);
}

static void settle_entry(struct reading *r, const struct entry *e)
{
	const struct word *by = named(e);
	const struct word *path =
		has(e, BOOT_MAP_DEVICE) ? &e->v[BOOT_MAP_DEVICE] : by;
	struct device *d;
	const char *rule;

	if (by == NULL) {
		end(r, e, BIN_INVALID, "names no device");
		return;
	}
	reading_resume(r, by->s);
	rule = rule_of(r, by->text);
	if (rule == NULL) {
		reading_find(r, FIND_DEV_UNKNOWN,
			     "\"%s\": its numbers are not known: not carried",
			     by->text);
		end(r, e, BIN_DROPPED, "the device is not known");
		return;
	}
	d = take_device(r);
	take_str(r, FIELD_DEVICE_RULE, d, rule);
	reading_resume(r, path->s);
	take_str(r, FIELD_DEVICE_PATH, d, path->text);
	take_access(r, e, d);
	take_remap(r, e, d);
	end(r, e, BIN_INERT, "without effect beside the others");
}

void vserver_devmap_settle(struct reading *r, struct vserver_devmap *m)
{
	for (size_t i = 0; i < m->entries.n; i++)
		settle_entry(r, m->entries.v[i]);
}
