/*
 * Mounts: fstab, fstab.local, fstab.remote as the old secure-mount read them.
 * A line's pieces come one after the other ("entry", "option" ...); a mount is
 * made when all are there.
 */
#ifndef REHOST_IMPORTERS_VSERVER_MOUNTS_H
#define REHOST_IMPORTERS_VSERVER_MOUNTS_H

#include "importers/vserver/vserver.h"

/* N of the rows: which of the three files. */
enum vserver_mounts_file {
	MOUNTS_FSTAB,
	MOUNTS_LOCAL,
	MOUNTS_REMOTE,
	MOUNTS__MAX
};

/*
 * A piece of a line by the current setting's item, as format.h lists them;
 * without item the value is a whole line, and further settings are made.
 */
int vserver_mounts_entry(struct reading *r, const char *value, struct err *e);

#endif
