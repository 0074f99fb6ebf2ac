/*
 * A virtual network is looked up by its name in the folder that all drivers
 * share. Its file is read once, and its settings count as the guest's.
 */
#include "importers/libvirt/network.h"

#include <string.h>

#include "base/attr.h"
#include "importers/libvirt/table.h"

static const char folder[] = "/etc/libvirt/qemu/networks";

/* Modes of forward that attach to a device: as macvlan calls them. */
static const struct {
	const char *forward, *mode;
} modes[] = {
	{ "bridge", "bridge" },
	{ "private", "private" },
	{ "vepa", "vepa" },
	{ "passthrough", "passthru" },
};

static struct lv_network *read_network(struct reading *r, const char *name)
{
	struct libvirt *v = libvirt_of(r);
	struct lv_network *n = vec_add(r->g->mem, &v->networks);
	const char *path = arena_printf(r->g->mem, "%s/%s.xml", folder, name);
	const char *data;
	struct err e;
	size_t len;

	*n = (struct lv_network){ .name = name };
	if (strchr(name, '/') != NULL || !tree_exists(v->t, path))
		return n;
	n->path = path;
	if (tree_read(v->t, path, XML_BYTES_MAX, r->g->mem, &data, &len, &e) <
		    0 ||
	    xml_read(data, len, path, r->g->mem, &n->root, NULL, &e) < 0) {
		reading_find_at(r, FIND_SRC_UNREADABLE,
				reading_origin(r, ORIGIN_FILE, path, 0,
					       "network", NULL),
				"%s", e.msg);
		return n;
	}
	reading_file(r, path);
	/* of a running one the definition lies in its status */
	if (xml_is(n->root, "networkstatus"))
		n->root = xml_child(n->root, "network");
	if (!xml_is(n->root, "network"))
		n->root = NULL;
	else
		libvirt_walk(r, n->root, path, "network");
	return n;
}

static struct lv_network *network_of(struct reading *r, const char *name)
{
	struct libvirt *v = libvirt_of(r);

	for (size_t i = 0; i < v->networks.n; i++)
		if (str_eq(v->networks.v[i].name, name))
			return &v->networks.v[i];
	return read_network(r, name);
}

static const struct xml_node *group_of(const struct xml_node *root,
				       const char *name)
{
	const struct xml_node *g = xml_child(root, "portgroup");

	for (; g != NULL; g = xml_again(g)) {
		const struct xml_attr *a =
			xml_attr(g, name != NULL ? "name" : "default");

		if (a != NULL && str_eq(a->value, name != NULL ? name : "yes"))
			return g;
	}
	return NULL;
}

static const char *attr_text(const struct xml_node *of, const char *name)
{
	const struct xml_attr *a = xml_attr(of, name);

	return a == NULL ? NULL : a->value;
}

/* The device that interfaces are put on; of several the first. */
static const char *device_of(const struct xml_node *forward)
{
	const char *dev = attr_text(xml_child(forward, "interface"), "dev");

	if (dev == NULL)
		dev = attr_text(xml_child(forward, "pf"), "dev");
	return dev != NULL ? dev : attr_text(forward, "dev");
}

static void used(struct reading *r, const struct xml_node *node)
{
	if (node != NULL)
		libvirt_end_below(r, node, BIN_CARRIED,
				  "an interface is attached by it");
}

static void wire(struct reading *r, struct lv_wire *w)
{
	const struct xml_node *forward = xml_child(w->root, "forward");
	const struct xml_node *bridge = xml_child(w->root, "bridge");
	const char *mode = attr_text(forward, "mode");
	const char *name = attr_text(bridge, "name");
	const char *dev = device_of(forward);

	for (size_t i = 0; mode != NULL && name == NULL && i < COUNT(modes);
	     i++) {
		if (!str_eq(modes[i].forward, mode) || dev == NULL)
			continue;
		w->attach = arena_printf(r->g->mem, "macvlan:%s", dev);
		w->mode = modes[i].mode;
		used(r, forward);
		return;
	}
	if (mode != NULL && str_eq(mode, "hostdev")) {
		w->why_not = "its devices are passed through";
	} else if (name == NULL) {
		w->why_not = "its bridge has no name";
	} else {
		w->attach = arena_printf(r->g->mem, "bridge:%s", name);
		w->by_libvirt = mode == NULL || !str_eq(mode, "bridge");
		libvirt_end(r, libvirt_attr(bridge, "name").s, BIN_CARRIED,
			    "an interface is attached to it");
		libvirt_end(r, libvirt_attr(forward, "mode").s, BIN_HOSTSIDE,
			    "what the old host did for the network");
	}
}

struct lv_wire libvirt_network(struct reading *r, const char *name,
			       const char *group)
{
	const struct lv_network *n = network_of(r, name);
	struct lv_wire w = { .root = n->root };

	if (n->root == NULL) {
		w.why_not = n->path == NULL ?
				    "no file beneath the root describes it" :
				    "its file cannot be read";
		return w;
	}
	w.group = group_of(n->root, group);
	if (group != NULL && w.group == NULL)
		reading_find_at(r, FIND_NET_UNRESOLVED,
				libvirt_at(r, n->root, "portgroup"),
				"network %s has no group of ports %s",
				libvirt_shown(r, name),
				libvirt_shown(r, group));
	libvirt_end(r, libvirt_text(xml_child(n->root, "name")).s, BIN_CARRIED,
		    "an interface names it");
	wire(r, &w);
	return w;
}

void libvirt_networks_end(struct reading *r)
{
	const struct libvirt *v = libvirt_of(r);

	for (size_t i = 0; i < v->networks.n; i++) {
		const struct xml_node *root = v->networks.v[i].root;
		const struct xml_node *rate = xml_child(root, "bandwidth");

		if (root == NULL)
			continue;
		if (rate != NULL) {
			reading_find_at(r, FIND_NET_SHAPING,
					reading_origin(r, ORIGIN_FILE,
						       v->networks.v[i].path,
						       rate->line, "bandwidth",
						       NULL),
					"the rate of the whole network was "
					"limited");
			libvirt_end_below(r, rate, BIN_HOSTSIDE,
					  "the rate of the whole network");
		}
		libvirt_end_below(r, root, BIN_INERT,
				  "nothing that the guest's interfaces use");
	}
}
