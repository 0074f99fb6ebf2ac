/*
 * How the guest was started and stopped: apps/init, scripts, apps/vshelper;
 * what its device map allowed: apps/vdevmap (devmap.c).
 */
#ifndef REHOST_IMPORTERS_VSERVER_BOOT_H
#define REHOST_IMPORTERS_VSERVER_BOOT_H

#include "importers/vserver/vserver.h"

/* N of the rows of apps/vdevmap/<star>/. */
enum vserver_boot_map_key {
	BOOT_MAP_DEVICE,
	BOOT_MAP_TARGET,
	BOOT_MAP_FLAGS,
	BOOT_MAP_OPEN,
	BOOT_MAP_CREATE,
	BOOT_MAP_REMAP,
	BOOT_MAP__MAX
};

/* Values that end at once, by type; the field is the row's. */
int vserver_boot_text(struct reading *r, const char *value, struct err *e);
int vserver_boot_element(struct reading *r, const char *value, struct err *e);
int vserver_boot_depends(struct reading *r, const char *value, struct err *e);

/* Values that wait for vserver_boot_settle. */
int vserver_boot_style(struct reading *r, const char *value, struct err *e);
int vserver_boot_seconds(struct reading *r, const char *value, struct err *e);
int vserver_boot_kill(struct reading *r, const char *value, struct err *e);
int vserver_boot_mark(struct reading *r, const char *value, struct err *e);
int vserver_boot_reboot(struct reading *r, const char *value, struct err *e);

/* A file of apps/init without an entry: what it says by being there. */
void vserver_boot_nothing(struct reading *r);

/* NAME=VALUE of the environment. */
int vserver_boot_env(struct reading *r, const char *value, struct err *e);

/* A script; the value is NULL, the file the current setting's. */
int vserver_boot_hook(struct reading *r, const char *value, struct err *e);
int vserver_boot_event(struct reading *r, const char *value, struct err *e);

int vserver_boot_map(struct reading *r, const char *value, struct err *e);

/* Where the guest's root lies on the old host; in the guest's arena. */
const char *vserver_boot_root(struct reading *r);

/* hooks.c: keeps the script, tells what it holds; event "pre-start". */
void vserver_hooks_take(struct reading *r, const char *event);

/* hooks.c: which of the scripts of scripts/ and .defaults/scripts/ ran. */
struct vserver_hooks;
struct vserver_hooks *vserver_hooks_new(struct reading *r);
void vserver_hooks_keep(struct reading *r, struct vserver_hooks *h);
void vserver_hooks_settle(struct reading *r, const struct vserver_hooks *h);

/* devmap.c: what boot.c calls. */
struct vserver_devmap;
struct vserver_devmap *vserver_devmap_new(struct reading *r);
void vserver_devmap_keep(struct reading *r, struct vserver_devmap *m,
			 enum vserver_boot_map_key key, const char *value);
void vserver_devmap_settle(struct reading *r, struct vserver_devmap *m);

/* groups.c: the same, of apps/init/mark. */
struct vserver_groups;
struct vserver_groups *vserver_groups_new(struct reading *r);
int vserver_groups_keep(struct reading *r, struct vserver_groups *g,
			const char *value, struct err *e);
void vserver_groups_settle(struct reading *r, const struct vserver_groups *g);

#endif
