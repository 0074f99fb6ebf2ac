/*
 * libvirt: what the parts of the reader share.
 *
 * The reader (read.c) walks the tree of a domain description. Each attribute,
 * each element's text, and each element that is empty is a setting; its path
 * ("devices/interface/mac@address") names its row. Rows whose value makes sense
 * alone are finished at once; the others are kept at their place in the tree,
 * and the settle function of the part that knows the element finishes them:
 * boot.c, limits.c, caps.c, mounts.c, net.c, devices.c. The rows stand in
 * keys_*.def.
 *
 * Source of all formats: libvirt 9.0 to 11.3 as described in libvirt.md.
 */
#ifndef REHOST_IMPORTERS_LIBVIRT_LIBVIRT_H
#define REHOST_IMPORTERS_LIBVIRT_LIBVIRT_H

#include "base/xml.h"
#include "reading.h"
#include "take.h"
#include "tree/tree.h"

/* What drives the domain; the type of the element domain. */
enum lv_driver {
	LV_LXC,    /* libvirt's own containers */
	LV_OPENVZ, /* a view of a guest of OpenVZ */
	LV_XEN,
	LV_KVM,   /* and qemu, kqemu, hvf */
	LV_OTHER, /* is not read */
};

/* A value and where it stands; s NULL: not given. */
struct lv_value {
	struct setting *s;
	const char *text;
};

struct lv_nodes {
	VEC(struct xml_node *) list;
};

/* A network that an interface names, and its settings. */
struct lv_network {
	const char *name, *path; /* path NULL: no file has it */
	struct xml_node *root;
};

/* reading.state */
struct libvirt {
	struct tree *t;          /* the host's */
	const char *path;        /* of the description */
	struct xml_node *root;   /* domain or domstatus */
	struct xml_node *domain; /* in it */
	enum lv_driver driver;
	const char *file;  /* that the settings being made stand in */
	unsigned auto_nic; /* how many interfaces had no name yet */
	VEC(struct lv_network) networks;
};

static inline struct libvirt *libvirt_of(struct reading *r)
{
	return r->state;
}

static inline bool libvirt_is_machine(struct reading *r)
{
	return libvirt_of(r)->driver == LV_XEN ||
	       libvirt_of(r)->driver == LV_KVM;
}

extern const struct key libvirt_keys[];
extern const size_t libvirt_n_keys;

/* --- read.c ----------------------------------------------------------- */

/* Begins a guest: the state, no setting yet. */
struct libvirt *libvirt_begin(struct reading *r, const char *path);
/* The file at v->path, repaired where libvirt wrote it wrongly. */
int libvirt_read_file(struct reading *r, struct err *e);
/* For the table tests: a description from memory. */
int libvirt_read_text(struct reading *r, const char *data, size_t n,
		      struct err *e);
/* Makes the settings of another document; prefix: "network". */
void libvirt_walk(struct reading *r, struct xml_node *root, const char *file,
		  const char *prefix);
/* The name of a guest without the rest, for listing; NULL: it has none. */
const char *libvirt_name_of(struct tree *t, const char *path, struct arena *mem,
			    enum lv_driver *ret_driver);

/* --- places in the tree ------------------------------------------------ */

/* All elements at a path below the domain, in order of the document. */
struct lv_nodes libvirt_all(struct reading *r, const char *path);
/* The first of them; NULL: none. */
struct xml_node *libvirt_first(struct reading *r, const char *path);
/* The text of an element ("" is none), an attribute; of may be NULL. */
struct lv_value libvirt_text(const struct xml_node *of);
struct lv_value libvirt_attr(const struct xml_node *of, const char *name);
struct lv_value libvirt_text_at(struct reading *r, const char *path);
/* What an element without text and attributes says by being there. */
struct lv_value libvirt_flag(const struct xml_node *of);
bool libvirt_is(struct lv_value v, const char *word);

/* --- ending settings --------------------------------------------------- */

/* Ends a setting that nothing has ended yet; s may be NULL. */
void libvirt_end(struct reading *r, struct setting *s, enum bin bin,
		 const char *note);
/* The same, with a finding of that text. */
void libvirt_end_find(struct reading *r, struct setting *s, enum bin bin,
		      enum finding_id id, const char *note);
/* All that is left of an element and what is in it. */
void libvirt_end_below(struct reading *r, const struct xml_node *node,
		       enum bin bin, const char *note);
/* A piece of the source for a message. */
const char *libvirt_shown(struct reading *r, const char *s);
/* Where an element stands; key: its name. */
const struct origin *libvirt_at(struct reading *r, const struct xml_node *node,
				const char *key);

/* --- values.c ---------------------------------------------------------- */

/* As libvirt reads it: blanks and '+' before it, none after; in bounds. */
int libvirt_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
		   struct err *e);
/* A size in bytes; unit NULL: one of `base` bytes. */
int libvirt_size(const char *text, const char *unit, uint64_t base,
		 uint64_t *ret, struct err *e);
/* "0-3,^2" to "0-1,3". */
int libvirt_cpu_set(const char *text, struct arena *mem, const char **ret,
		    struct err *e);
/* A canonical IPv4 address as inet_aton reads it, or an IPv6 one. */
int libvirt_ip(const char *text, bool v6, char ret[48], struct err *e);

/* --- the parts, in the order in which they are settled ----------------- */

void libvirt_boot_settle(struct reading *r);
void libvirt_limits_settle(struct reading *r);
void libvirt_caps_settle(struct reading *r);
void libvirt_mounts_settle(struct reading *r);
void libvirt_net_settle(struct reading *r);
void libvirt_devices_settle(struct reading *r);
/* Which network stack it has: after all interfaces are known. */
void libvirt_stack_settle(struct reading *r);
void libvirt_settle(struct reading *r);

#endif
