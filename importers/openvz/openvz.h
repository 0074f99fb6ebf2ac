/*
 * OpenVZ and Virtuozzo: what the parts of the reader share.
 *
 * The reader (read.c) cuts vz.conf and the guest's own file into assignments
 * (lines.c), decides which of several of one key counted, finds the row of
 * each key, cuts its value by the row's format into settings and hands each to
 * reading_setting. Parsers stand in the part whose rows use them: limits.c,
 * cpu.c, net.c, netif.c, caps.c, devices.c, disks.c, boot.c; the rows in
 * keys_*.def. What makes sense only together is kept in struct openvz and
 * finished by the part's settle function.
 *
 * Source of all formats: vzctl 4.11, libvzctl 8.0 and pve-manager 3, as
 * described in openvz.md parts 1 to 3.
 */
#ifndef REHOST_IMPORTERS_OPENVZ_OPENVZ_H
#define REHOST_IMPORTERS_OPENVZ_OPENVZ_H

#include "importers/openvz/lines.h"
#include "importers/openvz/values.h"
#include "reading.h"
#include "take.h"
#include "tree/tree.h"

/* How a value is cut into settings. */
enum ov_format {
	OV_SCALAR,    /* one */
	OV_PAIR,      /* barrier[:limit]: one for each side that is there */
	OV_WORDS,     /* parted by blanks and commas */
	OV_SPACES,    /* parted by blanks alone */
	OV_ADDRESSES, /* parted by blanks, commas, semicolons */
	OV_NETIF,     /* ';' parts interfaces, ',' sub-keys, ip= at ':' */
	OV_DISK,      /* ';' parts disks, ',' sub-keys */
	OV_BINDS,     /* blanks part mounts, ',' options */
};

/* Which of several lines with one key counted; openvz.md 2.3. */
enum ov_several {
	OV_FIRST, /* vzctl: the first; libvzctl: the last */
	OV_LAST,  /* the last in both */
	OV_ADD,   /* vzctl: all together; libvzctl: the last */
};

#define OV_ARG(format, several, n)                                             \
	((unsigned)(format) | ((unsigned)(several) << 4) | ((unsigned)(n) << 8))
#define OV_FORMAT_OF(arg) ((enum ov_format)((arg)&0xf))
#define OV_SEVERAL_OF(arg) ((enum ov_several)(((arg) >> 4) & 0xf))
#define OV_N_OF(arg) ((arg) >> 8)

/* Parameters of the form barrier:limit; N of their rows. */
enum ov_pair {
	OVP_KMEMSIZE,
	OVP_LOCKEDPAGES,
	OVP_PRIVVMPAGES,
	OVP_SHMPAGES,
	OVP_NUMPROC,
	OVP_PHYSPAGES,
	OVP_VMGUARPAGES,
	OVP_OOMGUARPAGES,
	OVP_NUMTCPSOCK,
	OVP_NUMFLOCK,
	OVP_NUMPTY,
	OVP_NUMSIGINFO,
	OVP_TCPSNDBUF,
	OVP_TCPRCVBUF,
	OVP_OTHERSOCKBUF,
	OVP_DGRAMRCVBUF,
	OVP_NUMOTHERSOCK,
	OVP_DCACHESIZE,
	OVP_NUMFILE,
	OVP_NUMIPTENT,
	OVP_SWAPPAGES,
	OVP_SLM,
	OVP_DISKSPACE,
	OVP_DISKINODES,
	OVP__MAX
};

struct ov_side {
	struct setting *s; /* NULL: not given; both may share one setting */
	struct ov_number n;
};

struct ov_param {
	bool set;
	struct ov_side barrier, limit;
};

/* Scalars that are settled together with others; N of their rows. */
enum ov_kept {
	OVK_CPULIMIT,
	OVK_CPUS,
	OVK_ONBOOT,
	OVK_DISABLED,
	OVK_SLMMODE,
	OVK_MEMGUARANTEE,
	OVK_MEMGUARANTEE_BYTES,
	OVK_VM_OVERCOMMIT,
	OVK_VE_ROOT,
	OVK_VE_PRIVATE,
	OVK_VE_LAYOUT,
	OVK_ROOT_DISK,
	OVK_OSTEMPLATE,
	OVK_NAME,
	OVK_VENET_MASK,
	OVK_IPV6,
	OVK_LOCAL_UID,
	OVK_LOCAL_GID,
	OVK_DISK_QUOTA,
	OVK_NEIGHBOURS,
	OVK_DUMPDIR,
	OVK__MAX
};

struct ov_value {
	struct setting *s; /* NULL: not given */
	const char *text;
};

/* One piece of NETIF or DISK, as it was cut. */
struct ov_piece {
	struct setting *s;
	const char *key, *text; /* "mac", "00:18:51:..." */
};

struct ov_group { /* an interface, or a disk */
	unsigned line;
	VEC(struct ov_piece) pieces;
};

/* reading.state */
struct openvz {
	struct tree *t;           /* the host's */
	const char *path;         /* of the configuration */
	const char *dir;          /* where it lies: /etc/vz/conf */
	const char *id;           /* "101", or a UUID without braces */
	const char *real;         /* path with all links followed */
	struct openvz_dump *dump; /* NULL: it is no backup */
	enum ov_dialect dialect;
	uint64_t page; /* bytes in a page of the source */

	enum { OV_WHOLE, OV_BARRIER, OV_LIMIT } side; /* under the parser */
	struct ov_param params[OVP__MAX];
	struct ov_value kept[OVK__MAX];
	VEC(struct ov_value) addresses;
	PVEC(struct ov_group) netifs, disks, binds;
	struct ov_group *group;  /* the one under the parser */
	const char *netif_fault; /* why the rest of NETIF was lost; or NULL */

	uint64_t caps_on;
	bool ve_admin_off, caps_lost;
	struct setting *modules; /* the first of IPTABLES */
	struct strv denied;      /* device rules that were taken away */
	const char *private_dir; /* VE_PRIVATE, expanded; NULL: not known */
};

static inline struct openvz *openvz_of(struct reading *r)
{
	return r->state;
}

extern const struct key openvz_keys[];
extern const size_t openvz_n_keys;

/* --- parsers of several parts ----------------------------------------- */

int openvz_inert(struct reading *r, const char *value, struct err *e);
/* Keeps the setting and its text in kept[N]. */
int openvz_keep(struct reading *r, const char *value, struct err *e);
/* Keeps a piece of NETIF or DISK in the group under the parser. */
int openvz_piece(struct reading *r, const char *value, struct err *e);
/* "yes" of a kept value; false where it is absent or no legal word. */
bool openvz_is_yes(struct reading *r, enum ov_kept k);

/* End a setting that nothing has ended yet; the second with a finding. */
void openvz_end(struct reading *r, struct setting *s, enum bin bin,
		const char *note);
void openvz_end_find(struct reading *r, struct setting *s, enum bin bin,
		     enum finding_id id, const char *note);
/* A piece of the source for a message. */
const char *openvz_shown(struct reading *r, const char *s);

/* --- the parts, in the order in which they are settled ---------------- */

void openvz_boot_settle(struct reading *r);
void openvz_limits_settle(struct reading *r);
void openvz_cpu_settle(struct reading *r);
void openvz_caps_settle(struct reading *r);
void openvz_devices_settle(struct reading *r);
void openvz_net_settle(struct reading *r);
void openvz_disks_settle(struct reading *r);
void openvz_ids_settle(struct reading *r); /* after the disks: it looks there */
/* Scripts of the guest beside its file, or in its private area. */
void openvz_scripts(struct reading *r);

/* vz.conf, where there is one, and the guest's file. */
int openvz_read_files(struct reading *r, struct err *e);
/* For the table tests: one assignment of the guest's file. */
void openvz_read_text(struct reading *r, const char *text);

#endif
