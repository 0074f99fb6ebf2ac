/* Parsers of the rows in keys_misc.def. */
#ifndef REHOST_IMPORTERS_VSERVER_MISC_H
#define REHOST_IMPORTERS_VSERVER_MISC_H

#include "importers/vserver/vserver.h"

/* The root file system: a link, or the directory itself (value NULL). */
int vserver_misc_vdir(struct reading *r, const char *value, struct err *e);
/* The cache: how much the guest had on its disks at the last stop. */
int vserver_misc_cache(struct reading *r, const char *value, struct err *e);
/* The run file: whether it says that the guest ran. */
int vserver_misc_run(struct reading *r, const char *value, struct err *e);
/* The row's field from a text; an empty one is as if it were not there. */
int vserver_misc_text(struct reading *r, const char *value, struct err *e);
/* xid, nid, tag: decimal digits; out of range with a finding. */
int vserver_misc_id(struct reading *r, const char *value, struct err *e);
/* A name or field of uname; the kernel keeps 64 bytes. */
int vserver_misc_uts(struct reading *r, const char *value, struct err *e);
/* The older files hostname and domainname. */
int vserver_misc_old_uts(struct reading *r, const char *value, struct err *e);
/* Type and flags of personality(2). */
int vserver_misc_personality(struct reading *r, const char *value,
			     struct err *e);
/* nonamespace, of the guest or of all. */
int vserver_misc_nonamespace(struct reading *r, const char *value,
			     struct err *e);
int vserver_misc_disabled(struct reading *r, const char *value, struct err *e);
int vserver_misc_unified(struct reading *r, const char *value, struct err *e);
/* Where the package database lies: rpmstate, base, or neither. */
int vserver_misc_rpmstate(struct reading *r, const char *value, struct err *e);
int vserver_misc_pkgbase(struct reading *r, const char *value, struct err *e);
int vserver_misc_pkgdir(struct reading *r, const char *value, struct err *e);
/* A file of another tool for the same kernel: named, not carried. */
int vserver_misc_foreign(struct reading *r, const char *value, struct err *e);

#endif
