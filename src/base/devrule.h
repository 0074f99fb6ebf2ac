/*
 * Device rules: "c 1:3 rwm", "b *:* m", "a *:* rwm" as the cgroup v1 files
 * devices.allow and devices.deny spell them (Documentation/admin-guide/
 * cgroup-v1/devices.rst).
 */
#ifndef REHOST_BASE_DEVRULE_H
#define REHOST_BASE_DEVRULE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum { DEV_READ = 4, DEV_WRITE = 2, DEV_MKNOD = 1, DEV_RWM = 7 };

struct devrule {
	char type; /* 'c', 'b', or 'a' for both */
	bool any_major, any_minor;
	uint32_t major, minor; /* meaningless where any_... is set */
	unsigned access;       /* DEV_... */
};

enum { DEVRULE_TEXT = 40 };

/* "a" alone is "a *:* rwm". */
int devrule_parse(const char *s, struct devrule *ret, struct err *e);
void devrule_show(const struct devrule *r, char ret[DEVRULE_TEXT]);
/* "c 10:200": the rule without its access; the key of a policy item. */
void devrule_show_id(const struct devrule *r, char ret[DEVRULE_TEXT]);
/* "rwm" with only the letters that are set. */
void devrule_show_access(unsigned access, char ret[4]);
int devrule_cmp(const struct devrule *a, const struct devrule *b);
/* Whether every device that b names is named by a too (access aside). */
bool devrule_covers(const struct devrule *a, const struct devrule *b);

#endif
