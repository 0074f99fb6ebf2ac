/* Parts of the look into a guest's tree. Everything goes through tree.h. */
#ifndef REHOST_PLAN_LOOK_H
#define REHOST_PLAN_LOOK_H

#include "plan/plan.h"

/* A value that the guest's own tree shows: kind FILE, at that path. */
const struct origin *look_origin(struct plan *p, const char *path,
				 const char *text);

/* The first line of a file of the tree, trimmed; NULL when there is none. */
const char *look_line(struct plan *p, const char *path);

/* Init, its version, distribution, architecture (look_os.c). */
void look_os(struct plan *p);

/* The nodes of /dev as the list of devices (look_dev.c). */
void look_dev(struct plan *p);

/* Applications that a move touches, last use (look_apps.c). */
void look_apps(struct plan *p);

/* Where /etc names an alias of venet0 (look_venet.c). */
void look_venet(struct plan *p);

/* Walks the whole tree: unified and tagged files, growth (look_size.c). */
int look_size(struct plan *p, struct err *e);

#endif
