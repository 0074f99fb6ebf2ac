/* The table of rows and the parsers that it names. */
#ifndef REHOST_IMPORTERS_LIBVIRT_TABLE_H
#define REHOST_IMPORTERS_LIBVIRT_TABLE_H

#include "importers/libvirt/libvirt.h"

/* Left at its place for the part that finishes it. */
int libvirt_keep(struct reading *r, const char *value, struct err *e);
/* Of virtual machines: containers ignored it; a machine's is let go. */
int libvirt_vm(struct reading *r, const char *value, struct err *e);

/*
 * LV(name, fate, FIELD, FINDING, parse, example, note, ref): a row as
 * designated initialisers; FIELD and FINDING without prefix, "_MAX" for none.
 * A name that ends in slash and two stars is what lies at and below a path.
 */
#define LV(name_, fate_, field_, finding_, parse_, example_, note_, ref_)      \
	{ .name = name_,                                                       \
	  .fate = FATE_##fate_,                                                \
	  .field = FIELD_##field_,                                             \
	  .parse = parse_,                                                     \
	  .finding = FIND_##finding_,                                          \
	  .example = example_,                                                 \
	  .note = note_,                                                       \
	  .ref = ref_ },

/* How many rows there are, for the importer's own row. */
enum {
	LIBVIRT_N_KEYS = sizeof((const struct key[]){
#include "importers/libvirt/keys.def"
			 }) /
			 sizeof(struct key)
};

#endif
