/*
 * Backups that vzdump made of OpenVZ guests: a tar of the private area with
 * the configuration in it. Reference: openvz.md 1.6, 6.8.
 */
#ifndef REHOST_IMPORTERS_OPENVZ_DUMP_H
#define REHOST_IMPORTERS_OPENVZ_DUMP_H

#include "importers/openvz/openvz.h"

struct openvz_dump {
	struct tree *tree; /* what is in it; borrowed from the reading */
	const char *conf;  /* path of the archive, then of its vps.conf */
};

/*
 * Reads a file of the host, or of the backup: path is that of the archive and
 * beneath it.
 */
int openvz_read_file(const struct openvz *v, const char *path, size_t max,
		     struct arena *mem, struct slice *ret, struct err *e);

/* Whether the name is one that vzdump gives: its CTID, else NULL. */
const char *openvz_dump_ctid(struct arena *mem, const char *name);

/* "101" of such a name, of another of a tar what stands before ".tar". */
const char *openvz_dump_id(struct arena *mem, const char *path);
/* As importer.h has it. */
const char *openvz_dump_when(const struct host *h, struct arena *mem,
			     const char *path);
/* Whether the file is an archive, such as a backup is. */
bool openvz_dump_is(const struct host *h, const char *path);

/* The backups in a directory. */
int openvz_dump_list(const struct host *h, const char *dir, struct arena *mem,
		     struct sources *ret, struct err *e);

/*
 * Opens the archive that r's source is, which is r's from then on, and sees to
 * it that a configuration of OpenVZ is in it.
 */
int openvz_dump_open(struct reading *r, struct err *e);
/* Where its tree is, how old it is and what it does not hold. */
void openvz_dump_settle(struct reading *r);

#endif
