/* What the importer's own file and its tests share. */
#ifndef REHOST_IMPORTERS_OPENVZ_READ_H
#define REHOST_IMPORTERS_OPENVZ_READ_H

#include "importers/openvz/openvz.h"

/* The state of a reading, with the defaults set; nothing is read yet. */
struct openvz *openvz_begin(struct reading *r, const char *path);

/* Lets all parts finish what they kept. */
void openvz_settle(struct reading *r);

#endif
