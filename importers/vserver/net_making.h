/*
 * An address in the making: what net_addr.c and net_prefix.c share.
 */
#ifndef REHOST_IMPORTERS_VSERVER_NET_MAKING_H
#define REHOST_IMPORTERS_VSERVER_NET_MAKING_H

#include "importers/vserver/net.h"

struct vserver_net_making {
	struct reading *r;
	const struct vserver_net_around *around;
	struct vserver_net_iface *i;
	struct addr *a;
	struct inet_addr ip;
	const char *text;  /* of the address, canonical */
	const char *odd;   /* what is odd about its spelling, or NULL */
	const char *in_ip; /* what stood behind a '/' in ip, or NULL */
	const char *dev;   /* NULL: none */
	unsigned vlan;     /* that its name implies; 0: none */
	bool nodev;
};

/* Whether there is a value, and it is not empty. */
static inline bool vserver_net_has(const struct vserver_net_value *v)
{
	return v != NULL && v->s != NULL && v->text != NULL &&
	       v->text[0] != '\0';
}

/* Whether the interface has the file. */
static inline bool vserver_net_is_set(const struct vserver_net_making *m,
				      enum vserver_net_key key)
{
	return m->i->v[key].s != NULL;
}

/* Ends a value that has a setting; one that is ended stays as it is. */
void vserver_net_end(struct vserver_net_making *m,
		     const struct vserver_net_value *v, enum bin bin,
		     const char *note);

/* The same, with a finding of that text. */
void vserver_net_end_find(struct vserver_net_making *m,
			  const struct vserver_net_value *v, enum bin bin,
			  enum finding_id id, const char *note);

/*
 * The value that the old tools' read loop left: an own one without newline (or
 * empty) is read on past where there is one above. NULL: none.
 */
const struct vserver_net_value *vserver_net_pick(struct vserver_net_making *m,
						 enum vserver_net_key key);

/* The prefix of the address, and whether the network leaves it to a guest. */
void vserver_net_prefix(struct vserver_net_making *m);

#endif
