/* Device rules and nodes; openvz.md 3.6, 5.6. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/devrule.h"
#include "base/num.h"
#include "importers/openvz/table.h"

/* What the kernels let every guest open, and the node that templates have. */
static const struct default_row {
	const char *rule, *access, *path; /* path: NULL for none */
	bool v7;                          /* only there */
} default_rows[] = {
	{ "c 1:3", "rw", "/dev/null", false },
	{ "c 1:5", "rw", "/dev/zero", false },
	{ "c 1:7", "rw", "/dev/full", false },
	{ "c 5:0", "rw", "/dev/tty", false },
	{ "c 5:2", "rw", "/dev/ptmx", false },
	{ "c 1:8", "r", "/dev/random", false },
	{ "c 1:9", "r", "/dev/urandom", false },
	{ "c 136:*", "rw", NULL, false },
	{ "c 5:1", "rw", "/dev/console", true },
	{ "c 1:11", "rw", NULL, true },
	{ "c 10:200", "rw", NULL, true },
	{ "c 10:229", "rw", NULL, true },
};

/* Numbers of nodes by their names below /dev; '%' takes a number. */
static const struct node_row {
	const char *name;
	char type;
	unsigned major, minor;
} node_rows[] = {
	{ "net/tun", 'c', 10, 200 },
	{ "fuse", 'c', 10, 229 },
	{ "ppp", 'c', 108, 0 },
	{ "random", 'c', 1, 8 },
	{ "urandom", 'c', 1, 9 },
	{ "null", 'c', 1, 3 },
	{ "zero", 'c', 1, 5 },
	{ "full", 'c', 1, 7 },
	{ "kmsg", 'c', 1, 11 },
	{ "tty", 'c', 5, 0 },
	{ "console", 'c', 5, 1 },
	{ "ptmx", 'c', 5, 2 },
	{ "ttyS%", 'c', 4, 64 },
	{ "ttyUSB%", 'c', 188, 0 },
	{ "ttyACM%", 'c', 166, 0 },
	{ "hpet", 'c', 10, 228 },
	{ "kvm", 'c', 10, 232 },
	{ "vhost-net", 'c', 10, 238 },
	{ "loop-control", 'c', 10, 237 },
	{ "loop%", 'b', 7, 0 },
	{ "autofs", 'c', 10, 235 },
	{ "nvram", 'c', 10, 144 },
	{ "uinput", 'c', 10, 223 },
	{ "watchdog", 'c', 10, 130 },
	{ "mapper/control", 'c', 10, 236 },
	{ "dri/card%", 'c', 226, 0 },
	{ "dri/renderD%", 'c', 226, 0 },
	{ "video%", 'c', 81, 0 },
	{ "input/event%", 'c', 13, 64 },
	{ "sr%", 'b', 11, 0 },
	{ "sg%", 'c', 21, 0 },
	{ "st%", 'c', 9, 0 },
	{ "nst%", 'c', 9, 128 },
	{ "sda", 'b', 8, 0 },
	{ "sdb", 'b', 8, 16 },
	{ "sdc", 'b', 8, 32 },
	{ "sdd", 'b', 8, 48 },
};

static struct device *find_device(const struct guest *g, const char *rule)
{
	for (size_t i = 0; i < g->devices.n; i++)
		if (g->devices.v[i]->rule.from != NULL &&
		    str_eq(g->devices.v[i]->rule.v, rule))
			return g->devices.v[i];
	return NULL;
}

/* "rwq", "none": the letters that still mean something. */
static int access_of(const char *text, const char **ret, struct err *e)
{
	static const char *const shown[] = { "", "w", "r", "rw" };
	unsigned bits = 0;

	if (str_eq(text, "none")) {
		*ret = "";
		return 0;
	}
	for (const char *s = text; *s != '\0'; s++) {
		if (*s != 'r' && *s != 'w' && *s != 'q')
			return err_set(e, 0, "\"%.20s\" is not made of r, w, q",
				       text);
		bits |= *s == 'r' ? 2 : *s == 'w' ? 1 : 0;
	}
	*ret = shown[bits];
	return 0;
}

/* "none": not there, or taken away from what stands before. */
static void deny(struct reading *r, const char *rule, struct device *d)
{
	struct finding *f;

	strv_add(r->g->mem, &openvz_of(r)->denied, rule);
	if (d == NULL) {
		reading_decide(r, BIN_CARRIED,
			       "refused, as all that no rule names");
		return;
	}
	take_str(r, FIELD_DEVICE_ACCESS, d, "");
	f = reading_find(r, FIND_DEV_FLAGS, "%s was given and taken away",
			 rule);
	finding_covers(r->g, f, FIELD_DEVICE_RULE, rule);
	finding_covers(r->g, f, FIELD_DEVICE_ACCESS, rule);
	finding_covers(r->g, f, FIELD_DEVICE_PATH, rule);
}

/* NULL: no access was given. */
static struct device *take_rule(struct reading *r, const char *rule,
				const char *access)
{
	struct device *d = find_device(r->g, rule);

	if (access[0] == '\0') {
		deny(r, rule, d);
		return NULL;
	}
	if (d == NULL) {
		d = take_device(r);
		take_str(r, FIELD_DEVICE_RULE, d, rule);
	}
	take_str(r, FIELD_DEVICE_ACCESS, d, access);
	return d;
}

/* "c:10:200:rw", "b:252:all:r". */
int openvz_device(struct reading *r, const char *value, struct err *e)
{
	const struct strv part = strv_split(r->g->mem, value, ":");
	const char *access;
	uint64_t major, minor = 0;
	bool all;

	if (part.n == 0) {
		reading_decide(r, BIN_INERT, "empty");
		return 0;
	}
	if (part.n != 4 || (!str_eq(part.v[0], "b") && !str_eq(part.v[0], "c")))
		return err_set(e, 0, "not TYPE:MAJOR:MINOR:ACCESS");
	all = str_eq(part.v[2], "all");
	if (openvz_integer(part.v[1], 0, 4095, &major, e) < 0 ||
	    (!all && openvz_integer(part.v[2], 0, 1048575, &minor, e) < 0) ||
	    access_of(part.v[3], &access, e) < 0)
		return -1;
	if (strchr(part.v[3], 'q') != NULL)
		reading_find(r, FIND_DEV_FLAGS,
			     "%s: q, the right to manage quota, is not "
			     "carried",
			     openvz_shown(r, value));
	take_rule(r,
		  all ? arena_printf(r->g->mem, "%s %" PRIu64 ":*", part.v[0],
				     major) :
			arena_printf(r->g->mem, "%s %" PRIu64 ":%" PRIu64,
				     part.v[0], major, minor),
		  access);
	return 0;
}

/* The row of a node; *ret_n the number that '%' stands for. */
static const struct node_row *node_of(const char *name, uint64_t *ret_n)
{
	for (size_t i = 0; i < COUNT(node_rows); i++) {
		const size_t n = strcspn(node_rows[i].name, "%");
		struct err e;

		*ret_n = 0;
		if (node_rows[i].name[n] == '\0') {
			if (str_eq(name, node_rows[i].name))
				return &node_rows[i];
		} else if (strncmp(name, node_rows[i].name, n) == 0 &&
			   isdigit((unsigned char)name[n]) &&
			   openvz_integer(name + n, 0, 255, ret_n, &e) == 0) {
			return &node_rows[i];
		}
	}
	return NULL;
}

/* A path below /dev that stays there. */
static bool is_node_name(const char *s)
{
	if (s[0] == '\0' || s[0] == '/' || strstr(s, "..") != NULL)
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("/_-.+:", *s) == NULL)
			return false;
	return true;
}

/* "net/tun:rw"; vzctl split at the last ':', libvzctl at the first. */
int openvz_devnode(struct reading *r, const char *value, struct err *e)
{
	const char *colon = openvz_of(r)->dialect == OV_V7 ?
				    strchr(value, ':') :
				    strrchr(value, ':');
	const struct node_row *row;
	const char *name, *access;
	struct device *d;
	uint64_t n;

	if (value[0] == '\0') {
		reading_decide(r, BIN_INERT, "empty");
		return 0;
	}
	if (colon == NULL)
		return err_set(e, 0, "not NAME:ACCESS");
	name = arena_strndup(r->g->mem, value, (size_t)(colon - value));
	if (!is_node_name(name))
		return err_set(e, 0, "\"%s\" is no node below /dev",
			       openvz_shown(r, name));
	if (access_of(colon + 1, &access, e) < 0)
		return -1;
	row = node_of(name, &n);
	if (row == NULL) {
		reading_decide(r, BIN_DROPPED,
			       "the numbers of /dev/%s are the old host's",
			       name);
		reading_find(r, FIND_DEV_UNKNOWN, "%s", r->cur->note);
		return 0;
	}
	d = take_rule(r,
		      arena_printf(r->g->mem, "%c %u:%" PRIu64, row->type,
				   row->major, row->minor + n),
		      access);
	if (d != NULL)
		take_str(r, FIELD_DEVICE_PATH, d,
			 arena_printf(r->g->mem, "/dev/%s", name));
	return 0;
}

void openvz_devices_settle(struct reading *r)
{
	const bool v7 = openvz_of(r)->dialect == OV_V7;

	for (size_t i = 0; i < COUNT(default_rows); i++) {
		const struct default_row *row = &default_rows[i];
		struct device *d;

		if ((row->v7 && !v7) || find_device(r->g, row->rule) != NULL ||
		    strv_has(&openvz_of(r)->denied, row->rule))
			continue;
		d = take_device(r);
		reading_default(r, FIELD_DEVICE_RULE, d, row->rule,
				"openvz.md 3.6");
		reading_default(r, FIELD_DEVICE_ACCESS, d, row->access,
				"openvz.md 3.6");
		if (row->path != NULL)
			reading_default(r, FIELD_DEVICE_PATH, d, row->path,
					"openvz.md 3.6");
	}
}
