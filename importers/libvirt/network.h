/* Virtual networks of libvirt; libvirt.md 2.14. */
#ifndef REHOST_IMPORTERS_LIBVIRT_NETWORK_H
#define REHOST_IMPORTERS_LIBVIRT_NETWORK_H

#include "importers/libvirt/libvirt.h"

/* How an interface of the network reaches the wire. */
struct lv_wire {
	const char *attach;           /* "bridge:virbr0"; NULL: not known */
	const char *mode;             /* of macvlan; NULL: none */
	const char *why_not;          /* attach is NULL because of this */
	bool by_libvirt;              /* libvirt makes the bridge */
	const struct xml_node *group; /* its group of ports; NULL: none */
	const struct xml_node *root;  /* of the network; NULL: no file */
};

/* group: the name that the interface gives; NULL: the default one. */
struct lv_wire libvirt_network(struct reading *r, const char *name,
			       const char *group);

/* What no interface used of the networks that were read. */
void libvirt_networks_end(struct reading *r);

#endif
