/*
 * Setters of the model while reading: value and the current setting's origin
 * into a field. They refuse to replace a value of a higher kind of origin;
 * among equals the later wins and the earlier setting becomes overridden.
 * object is the guest or an item of its lists, in the field's scope (checked
 * by assert, as the field's type is).
 */
#ifndef REHOST_TAKE_H
#define REHOST_TAKE_H

#include "reading.h"

void take_bool(struct reading *r, enum field_id f, void *object, bool v);
void take_u64(struct reading *r, enum field_id f, void *object, uint64_t v);
void take_i64(struct reading *r, enum field_id f, void *object, int64_t v);
void take_limit(struct reading *r, enum field_id f, void *object, uint64_t v);
void take_unlimited(struct reading *r, enum field_id f, void *object);
void take_str(struct reading *r, enum field_id f, void *object, const char *v);

/* One more element of a list field. */
void take_element(struct reading *r, enum field_id f, void *object,
		  const char *v);

/* Sets or clears bits of a capability set; starts from an empty set. */
void take_caps(struct reading *r, enum field_id f, void *object, uint64_t bits,
	       bool on);

/* The current setting takes part in a value that another one sets. */
void take_part(struct reading *r, enum field_id f, const void *object);

/* New items of the guest's lists. */
struct nic *take_nic(struct reading *r);
struct addr *take_addr(struct reading *r);
struct route *take_route(struct reading *r);
struct mount *take_mount(struct reading *r);
struct device *take_device(struct reading *r);
struct rlimit_rule *take_rlimit(struct reading *r);
struct sysctl *take_sysctl(struct reading *r);
struct env *take_env(struct reading *r);
struct hook *take_hook(struct reading *r);
struct disk *take_disk(struct reading *r);
struct io_limit *take_io(struct reading *r);
struct idmap *take_idmap(struct reading *r);

#endif
