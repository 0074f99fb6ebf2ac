/* The table of rows and the parsers that it names. */
#ifndef REHOST_IMPORTERS_LXC_TABLE_H
#define REHOST_IMPORTERS_LXC_TABLE_H

#include "importers/lxc/lxc.h"

int lxc_arch(struct reading *r, const char *value, struct err *e);
int lxc_init(struct reading *r, const char *value, struct err *e);
int lxc_signal(struct reading *r, const char *value, struct err *e);
int lxc_flag(struct reading *r, const char *value, struct err *e);
int lxc_number(struct reading *r, const char *value, struct err *e);
int lxc_seconds(struct reading *r, const char *value, struct err *e);
int lxc_group(struct reading *r, const char *value, struct err *e);
int lxc_environment(struct reading *r, const char *value, struct err *e);
int lxc_sysctl(struct reading *r, const char *value, struct err *e);
int lxc_proc(struct reading *r, const char *value, struct err *e);
int lxc_hook(struct reading *r, const char *value, struct err *e);
int lxc_auto_link(struct reading *r, const char *value, struct err *e);
int lxc_include_line(struct reading *r, const char *value, struct err *e);

int lxc_cap_drop(struct reading *r, const char *value, struct err *e);
int lxc_cap_keep(struct reading *r, const char *value, struct err *e);
int lxc_idmap(struct reading *r, const char *value, struct err *e);
int lxc_ns_keep(struct reading *r, const char *value, struct err *e);
int lxc_ns_share(struct reading *r, const char *value, struct err *e);

int lxc_device(struct reading *r, const char *value, struct err *e);
int lxc_cgroup_file(struct reading *r, const char *value, struct err *e);
int lxc_rlimit(struct reading *r, const char *value, struct err *e);

int lxc_nic_key(struct reading *r, const char *value, struct err *e);

int lxc_mount_entry(struct reading *r, const char *value, struct err *e);
int lxc_mount_auto(struct reading *r, const char *value, struct err *e);

/*
 * LX(name, format, n, fate, FIELD, FINDING, parse, example, note, ref): a row
 * as designated initialisers; FIELD and FINDING without prefix, "_MAX" for
 * none.
 */
#define LX(name_, format, n, fate_, field_, finding_, parse_, example_, note_, \
	   ref_)                                                               \
	{ .name = name_,                                                       \
	  .fate = FATE_##fate_,                                                \
	  .field = FIELD_##field_,                                             \
	  .parse = parse_,                                                     \
	  .finding = FIND_##finding_,                                          \
	  .arg = LX_ARG(LX_##format, n),                                       \
	  .example = example_,                                                 \
	  .note = note_,                                                       \
	  .ref = ref_ },

/* How many rows there are, for the importer's own row. */
enum {
	LXC_N_KEYS = sizeof((const struct key[]){
#include "importers/lxc/keys.def"
		     }) /
		     sizeof(struct key)
};

#endif
