/* The table of rows and the parsers that it names. */
#ifndef REHOST_IMPORTERS_OPENVZ_TABLE_H
#define REHOST_IMPORTERS_OPENVZ_TABLE_H

#include "importers/openvz/openvz.h"

int openvz_pair(struct reading *r, const char *value, struct err *e);
int openvz_cpu_units(struct reading *r, const char *value, struct err *e);
int openvz_cpu_mask(struct reading *r, const char *value, struct err *e);
int openvz_node_mask(struct reading *r, const char *value, struct err *e);
int openvz_io_prio(struct reading *r, const char *value, struct err *e);
int openvz_io_limit(struct reading *r, const char *value, struct err *e);
int openvz_iops_limit(struct reading *r, const char *value, struct err *e);
int openvz_mhz(struct reading *r, const char *value, struct err *e);
int openvz_subgroups(struct reading *r, const char *value, struct err *e);

int openvz_address(struct reading *r, const char *value, struct err *e);
int openvz_ext_address(struct reading *r, const char *value, struct err *e);
int openvz_dns(struct reading *r, const char *value, struct err *e);
int openvz_netdev(struct reading *r, const char *value, struct err *e);
int openvz_shaping(struct reading *r, const char *value, struct err *e);

int openvz_capability(struct reading *r, const char *value, struct err *e);
int openvz_feature(struct reading *r, const char *value, struct err *e);
int openvz_module(struct reading *r, const char *value, struct err *e);
int openvz_netfilter(struct reading *r, const char *value, struct err *e);
int openvz_device(struct reading *r, const char *value, struct err *e);
int openvz_devnode(struct reading *r, const char *value, struct err *e);

int openvz_quota_ugid(struct reading *r, const char *value, struct err *e);
int openvz_grace(struct reading *r, const char *value, struct err *e);
int openvz_flag_no(struct reading *r, const char *value, struct err *e);
int openvz_mount_opts(struct reading *r, const char *value, struct err *e);

int openvz_hostname(struct reading *r, const char *value, struct err *e);
int openvz_description(struct reading *r, const char *value, struct err *e);
int openvz_platform(struct reading *r, const char *value, struct err *e);
int openvz_ve_type(struct reading *r, const char *value, struct err *e);
int openvz_osrelease(struct reading *r, const char *value, struct err *e);
int openvz_boot_order(struct reading *r, const char *value, struct err *e);
int openvz_stop_timeout(struct reading *r, const char *value, struct err *e);
int openvz_environment(struct reading *r, const char *value, struct err *e);
int openvz_technology(struct reading *r, const char *value, struct err *e);
int openvz_script(struct reading *r, const char *value, struct err *e);

/*
 * OVZ(name, format, several, n, fate, FIELD, FINDING, parse, example, note,
 *     ref): a row as designated initialisers; FIELD and FINDING without
 * prefix, "_MAX" for none.
 */
#define OVZ(name_, format, several, n, fate_, field_, finding_, parse_,        \
	    example_, note_, ref_)                                             \
	{ .name = name_,                                                       \
	  .fate = FATE_##fate_,                                                \
	  .field = FIELD_##field_,                                             \
	  .parse = parse_,                                                     \
	  .finding = FIND_##finding_,                                          \
	  .arg = OV_ARG(OV_##format, OV_##several, n),                         \
	  .example = example_,                                                 \
	  .note = note_,                                                       \
	  .ref = ref_ },

/* How many rows there are, for the importer's own row. */
enum {
	OPENVZ_N_KEYS = sizeof((const struct key[]){
#include "importers/openvz/keys.def"
			}) /
			sizeof(struct key)
};

#endif
