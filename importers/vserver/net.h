/*
 * Addresses and network stacks: interfaces/, netns/, spaces/, noncontext. The
 * parsers only keep what they get, for a value makes sense only together with
 * the others of its interface; vserver_net_settle makes the addresses.
 */
#ifndef REHOST_IMPORTERS_VSERVER_NET_H
#define REHOST_IMPORTERS_VSERVER_NET_H

#include "base/inet.h"
#include "importers/vserver/vserver.h"

/* A file of an interface's directory, or of interfaces/ itself. */
enum vserver_net_key {
	NET_IP,
	NET_DEV,
	NET_PREFIX,
	NET_MASK,
	NET_BCAST,
	NET_SCOPE,
	NET_EXTIP,
	NET_NAME,
	NET_PEER,
	NET_MAC,
	NET_NODEV,
	NET_ONLY_IP,
	NET_DISABLED,
	NET_DOWN,
	NET_VLANDEV,
	NET_NOVLANDEV,
	NET_TUN,
	NET_TAP,
	NET_TUN_DETAIL, /* nocsum, shared, uid, gid, linktype: several */
	NET_INDIRECT,
	NET_GATEWAY, /* gateway, gw */
	NET_TABLE,
	NET_NET,
	NET_VLAN,
	NET_LBACK,
	NET_EMPTY, /* the directory is there and has nothing in it */
	NET__MAX
};

/* What decides about the network stack and process ids as a whole. */
enum vserver_net_space {
	NET_SPACE_PID,
	NET_SPACE_NET,
	NET_NONCONTEXT,
	NET_NONETNS,
	NET_NETNS, /* the directory netns, empty */
	NET_NETNS_NAME,
	NET_NETNS_SHARED,
	NET_SPACE__MAX
};

/* A file of netns/interfaces/<star>/. */
enum vserver_net_link {
	NET_LINK_HOST,
	NET_LINK_GUEST,
	NET_LINK_TYPE,
	NET_LINK__MAX
};

/* For the rows: keep the current setting. N of the row is of the enum. */
int vserver_net_keep(struct reading *r, const char *value, struct err *e);
int vserver_net_keep_default(struct reading *r, const char *value,
			     struct err *e);
int vserver_net_keep_vlandev(struct reading *r, const char *value,
			     struct err *e); /* .defaults/interfaces/vlandev */
int vserver_net_keep_space(struct reading *r, const char *value, struct err *e);
int vserver_net_keep_link(struct reading *r, const char *value, struct err *e);

/* IPROOT of a legacy guest says "every address of the host". */
void vserver_net_legacy_all(struct reading *r);

/*
 * net_addr.c: the values of one interface. An own value is `own`, the one of
 * interfaces/ itself `up`; either may be NULL.
 */
struct vserver_net_value {
	struct setting *s; /* NULL: not there */
	const char *text;
	bool unterminated;
};

struct vserver_net_iface {
	const char *name; /* of its directory */
	struct vserver_net_value v[NET__MAX];
	PVEC(struct vserver_net_value) details; /* NET_TUN_DETAIL */
};

/* What vserver_net_address needs beside the interface. */
struct vserver_net_around {
	const struct vserver_net_value *up; /* [NET__MAX], of interfaces/ */
	const struct vserver_net_value *vlandev; /* of .defaults */
};

/*
 * Makes the address of an interface, or ends all its settings with the reason
 * why there is none.
 */
void vserver_net_address(struct reading *r,
			 const struct vserver_net_around *around,
			 struct vserver_net_iface *i);

/* --- net_text.c: what a text says, whatever it belongs to --- */

/*
 * A dotted mask as the old helper mask2prefix counted it: the leading ones of
 * each octet, up to the first that is not 255. False: it was refused.
 */
bool vserver_net_mask(const char *mask, unsigned *ret);

/* The length that "24", "/24" or "0xffffff00" meant in a mask file. */
bool vserver_net_mask_meant(const char *text, unsigned *ret);

/*
 * The number in a prefix file, as iproute2 read it; false: there is none.
 * *ret_odd says what is odd about it, NULL: nothing.
 */
bool vserver_net_length(struct arena *mem, const char *text, uint64_t *ret,
			const char **ret_odd);

/* 1 to 4094; 0: the text is no VLAN id. */
unsigned vserver_net_vlan_id(const char *text);

/*
 * The VLAN id that a device's name implies, 0: none. "eth0.0231" has 231 on
 * eth0; of "vlan12" the device below is not known and *ret_parent is NULL.
 */
unsigned vserver_net_vlan(struct arena *mem, const char *dev,
			  const char **ret_parent);

/* The number in a device's name that looks like a VLAN id and is none. */
const char *vserver_net_no_vlan(const char *dev);

/*
 * The address that a text means. Returns why a guest cannot own it, NULL where
 * it can; *ret_odd then says what is odd about its spelling, NULL: nothing.
 */
const char *vserver_net_ip(struct arena *mem, const char *text,
			   struct inet_addr *ret, const char **ret_odd);

#endif
