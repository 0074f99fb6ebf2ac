/*
 * The table of rows and the prototypes that it needs. A keys_*.def holds rows
 * as plain designated initialisers, "{ .name = ..., },"; the parsers of its
 * rows are declared in the header of their part.
 */
#ifndef REHOST_IMPORTERS_VSERVER_TABLE_H
#define REHOST_IMPORTERS_VSERVER_TABLE_H

#include "importers/vserver/boot.h"
#include "importers/vserver/caps.h"
#include "importers/vserver/legacy.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/misc.h"
#include "importers/vserver/mounts.h"
#include "importers/vserver/net.h"
#include "importers/vserver/vserver.h"

/* How many rows there are, for the importer's own row. */
enum {
	VSERVER_N_KEYS = sizeof((const struct key[]){
#include "importers/vserver/keys.def"
			 }) /
			 sizeof(struct key)
};

/*
 * The row of a path below CFG: of that name, or else one whose '*' stand for
 * whole components. ret_stars gets what the first two stand for (in mem, NULL
 * where there is none). NULL: no row.
 */
const struct key *vserver_table_find(struct arena *mem, const char *path,
				     const char *ret_stars[2]);

/* Whether any row's path lies below this one: a directory the tools know. */
bool vserver_table_is_dir(const char *path);

/* The same, by its own name: no '*' of a row stands for a part of it. */
bool vserver_table_names_dir(const char *path);

#endif
