/*
 * The order of tree_walk for whole paths: directories before what they hold,
 * names by bytes. Of two paths it is their order by bytes, '/' being less
 * than any other.
 */
#ifndef REHOST_PACK_ORDER_H
#define REHOST_PACK_ORDER_H

#include <stdbool.h>

int order_paths(const char *a, const char *b); /* as strcmp */

/* Whether path is beneath dir, not dir itself; all is beneath "". */
bool order_beneath(const char *path, const char *dir);

#endif
