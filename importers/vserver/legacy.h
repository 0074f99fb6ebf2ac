/*
 * The legacy configuration NAME.conf (and NAME.sh): shell assignments, taken
 * apart without running anything. The rows are named "conf:VARIABLE".
 */
#ifndef REHOST_IMPORTERS_VSERVER_LEGACY_H
#define REHOST_IMPORTERS_VSERVER_LEGACY_H

#include "importers/vserver/vserver.h"

/* The row's field from a word, by the field's type; "" is as if not set. */
int vserver_legacy_value(struct reading *r, const char *value, struct err *e);
/* "none" clears the domain. */
int vserver_legacy_domain(struct reading *r, const char *value, struct err *e);
/* Elements of lists, one setting each. */
int vserver_legacy_address(struct reading *r, const char *value, struct err *e);
int vserver_legacy_cap(struct reading *r, const char *value, struct err *e);
int vserver_legacy_flag(struct reading *r, const char *value, struct err *e);
/* "-HSu 256": one resource, -H and -S of the whole line before it. */
int vserver_legacy_ulimit(struct reading *r, const char *value, struct err *e);
/* NAME.sh */
int vserver_legacy_hook(struct reading *r, const char *value, struct err *e);

#endif
