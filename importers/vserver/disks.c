/*
 * Limits of the disk (dlimits) and kernel parameters (sysctl): a directory an
 * entry, whose files make sense only together.
 *
 * Source: util-vserver src/vdlimit.c, lib/getfilevalue; scripts/
 * vserver.functions, setDiskLimits; src/vsysctl.c.
 */
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

enum {
	SYSCTL_MAX = 127, /* bytes of a value that were written */
	PERCENT_MAX = 100,
	DLIMIT_BLOCK = 1024, /* bytes: the unit of space_total */
};

/* The old kernel counted in 32 bits. */
#define DLIMIT_INFINITY UINT64_C(0xffffffff)
#define DLIMIT_KEEP UINT64_C(0xfffffffe)

struct dlimit {
	const char *name; /* of its directory */
	struct setting *s[VS_DLIMIT__MAX];
	bool unterminated;
};

struct sysctl_pair {
	const char *name; /* of its directory */
	struct setting *setting, *value;
};

struct vserver_disks {
	PVEC(struct dlimit) dlimits;
	PVEC(struct sysctl_pair) sysctls;
};

struct vserver_disks *vserver_disks_new(struct reading *r)
{
	return arena_alloc(r->g->mem, sizeof(struct vserver_disks));
}

static struct dlimit *dlimit_of(struct reading *r)
{
	struct vserver_disks *l = vserver_limits_disks(r);
	const char *name = vserver_of(r)->star;
	struct dlimit *d;

	for (size_t i = 0; i < l->dlimits.n; i++)
		if (str_eq(l->dlimits.v[i]->name, name))
			return l->dlimits.v[i];
	d = pvec_add(r->g->mem, &l->dlimits);
	d->name = name;
	return d;
}

int vserver_limits_dlimit(struct reading *r, const char *value, struct err *e)
{
	struct dlimit *d = dlimit_of(r);

	(void)value;
	(void)e;
	d->s[VS_N_OF(r->cur->row->arg)] = r->cur;
	if (vserver_of(r)->unterminated)
		d->unterminated = true;
	return 0;
}

static struct sysctl_pair *sysctl_of(struct reading *r)
{
	struct vserver_disks *l = vserver_limits_disks(r);
	const char *name = vserver_of(r)->star;
	struct sysctl_pair *p;

	for (size_t i = 0; i < l->sysctls.n; i++)
		if (str_eq(l->sysctls.v[i]->name, name))
			return l->sysctls.v[i];
	p = pvec_add(r->g->mem, &l->sysctls);
	p->name = name;
	return p;
}

int vserver_limits_sysctl(struct reading *r, const char *value, struct err *e)
{
	struct sysctl_pair *p = sysctl_of(r);

	(void)value;
	(void)e;
	if (r->cur->row->field == FIELD_SYSCTL_NAME)
		p->setting = r->cur;
	else
		p->value = r->cur;
	return 0;
}

/* All that an entry says, for messages. */
static const char *meant(struct reading *r, const struct dlimit *d)
{
	static const char *const names[VS_DLIMIT_DISABLED] = {
		[VS_DLIMIT_DIRECTORY] = "directory",
		[VS_DLIMIT_SPACE] = "space_total (KiB)",
		[VS_DLIMIT_INODES] = "inodes_total",
		[VS_DLIMIT_RESERVED] = "reserved (%)",
	};
	struct strv words = { 0 };

	for (size_t i = 0; i < VS_DLIMIT_DISABLED; i++)
		if (d->s[i] != NULL)
			strv_add(r->g->mem, &words,
				 arena_printf(
					 r->g->mem, "%s \"%s\"", names[i],
					 vserver_shown(r, d->s[i]->from.text)));
	return strv_join(r->g->mem, &words, ", ");
}

static void end_dlimit(struct reading *r, const struct dlimit *d,
		       const char *why, bool find)
{
	for (size_t i = 0; i < VS_DLIMIT__MAX; i++) {
		if (d->s[i] == NULL)
			continue;
		reading_resume(r, d->s[i]);
		reading_decide(r, BIN_INERT, "%s", why);
		if (find)
			reading_find(r, FIND_LIM_DISK_SKIPPED,
				     "dlimits/%s: %s, so it never held; meant "
				     "was %s",
				     vserver_shown(r, d->name), why,
				     meant(r, d));
		find = false;
	}
}

static const char *incomplete(struct reading *r, const struct dlimit *d)
{
	for (size_t i = 0; i < VS_DLIMIT_DISABLED; i++)
		if (d->s[i] == NULL)
			return "one of its four files is missing";
	if (d->unterminated)
		return "a file has no newline at its end";
	return r->g->xid.from == NULL ? "there is no context id" : NULL;
}

static void take_quota(struct reading *r, struct disk *disk, struct setting *s,
		       enum field_id field, unsigned unit)
{
	uint64_t n, v;
	int64_t i;
	struct err e;

	reading_resume(r, s);
	if (num_i64(vserver_meant(r, s->from.text), &i, &e) < 0 || i < -2) {
		reading_decide(r, BIN_INVALID, "no number of a disk limit");
		reading_find(r, FIND_LIM_INVALID,
			     "\"%s\" is no number of a disk limit: left out%s",
			     vserver_shown(r, s->from.text),
			     vserver_limits_meant(r, s->from.text, unit));
		return;
	}
	n = (uint64_t)i & DLIMIT_INFINITY;
	if (i > (int64_t)DLIMIT_INFINITY)
		n = DLIMIT_INFINITY;
	if (n == DLIMIT_KEEP)
		reading_decide(r, BIN_INERT, "keeps what the kernel has");
	else if (n == DLIMIT_INFINITY || !num_mul(n, unit, &v))
		take_unlimited(r, field, disk);
	else
		take_limit(r, field, disk, v);
}

static void take_reserved(struct reading *r, struct disk *disk,
			  struct setting *s)
{
	uint64_t n;
	struct err e;

	reading_resume(r, s);
	if (num_u64(vserver_meant(r, s->from.text), &n, &e) < 0 ||
	    n > PERCENT_MAX)
		vserver_limits_invalid(r, "not a percentage of 0 to 100");
	else
		take_u64(r, FIELD_DISK_RESERVED, disk, n);
}

/* Where a path leads to, however it is spelled; one that is not there. */
static const char *place_of(struct reading *r, const struct setting *directory)
{
	const char *path = directory->from.text;
	size_t n = strlen(path);
	struct err e;

	if (path[0] == '/' &&
	    tree_resolve(vserver_of(r)->t, path, r->g->mem, &path, &e) == 0)
		return path;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_strndup(r->g->mem, path, n);
}

/*
 * A later entry of the same file system, which wins; only one place shows that
 * it is one. NULL: there is none.
 */
static const struct dlimit *repeated_by(struct reading *r,
					const struct vserver_disks *l, size_t i)
{
	const char *place =
		place_of(r, l->dlimits.v[i]->s[VS_DLIMIT_DIRECTORY]);

	for (size_t j = l->dlimits.n; j > i + 1; j--) {
		const struct dlimit *d = l->dlimits.v[j - 1];

		if (d->s[VS_DLIMIT_DISABLED] == NULL &&
		    incomplete(r, d) == NULL &&
		    str_eq(place_of(r, d->s[VS_DLIMIT_DIRECTORY]), place))
			return d;
	}
	return NULL;
}

static void end_repeated(struct reading *r, const struct dlimit *d,
			 const struct dlimit *by)
{
	for (size_t k = 0; k < VS_DLIMIT_DISABLED; k++)
		vserver_limits_overridden(
			r, d->s[k],
			arena_printf(r->g->mem, "dlimits/%s",
				     vserver_shown(r, by->name)));
	reading_resume(r, d->s[VS_DLIMIT_DIRECTORY]);
	reading_find(r, FIND_SRC_MULTIPLE,
		     "dlimits/%s is for the same place and comes later: it "
		     "holds, not %s",
		     vserver_shown(r, by->name), meant(r, d));
}

static void settle_dlimit(struct reading *r, size_t i)
{
	const struct dlimit *d = vserver_limits_disks(r)->dlimits.v[i];
	const char *why = incomplete(r, d);
	const struct dlimit *by;
	struct disk *disk;

	if (d->s[VS_DLIMIT_DISABLED] != NULL) {
		end_dlimit(r, d, "disabled", false);
		return;
	}
	if (why != NULL) {
		end_dlimit(r, d, why, true);
		return;
	}
	by = repeated_by(r, vserver_limits_disks(r), i);
	if (by != NULL) {
		end_repeated(r, d, by);
		return;
	}
	disk = take_disk(r);
	reading_resume(r, d->s[VS_DLIMIT_DIRECTORY]);
	take_str(r, FIELD_DISK_PATH, disk, r->cur->from.text);
	if (r->cur->from.text[0] != '/' ||
	    !tree_is_dir(vserver_of(r)->t, r->cur->from.text))
		reading_find(r, FIND_SRC_NOT_STARTED,
			     "the directory %s of a disk limit is not there: "
			     "kept as it is",
			     vserver_shown(r, r->cur->from.text));
	take_quota(r, disk, d->s[VS_DLIMIT_SPACE], FIELD_DISK_SPACE,
		   DLIMIT_BLOCK);
	take_quota(r, disk, d->s[VS_DLIMIT_INODES], FIELD_DISK_INODES, 1);
	take_reserved(r, disk, d->s[VS_DLIMIT_RESERVED]);
}

/* --- kernel parameters ------------------------------------------------- */

/* sysctl(8): where a slash comes first, slashes are the separators. */
static const char *dotted(struct arena *mem, const char *name)
{
	char *s = arena_strdup(mem, name);
	const size_t first = strcspn(s, "./");

	if (s[first] != '/')
		return s;
	for (char *p = s; *p != '\0'; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
	return s;
}

static void skip_hidden(struct reading *r, struct setting *s)
{
	if (s == NULL)
		return;
	reading_resume(r, s);
	reading_decide(r, BIN_INERT,
		       "entries whose name begins with a dot are skipped");
}

static void settle_sysctl(struct reading *r, const struct sysctl_pair *p)
{
	struct setting *lone = p->setting != NULL ? p->setting : p->value;
	struct sysctl *item;

	if (p->name[0] == '.') {
		skip_hidden(r, p->setting);
		skip_hidden(r, p->value);
		return;
	}
	if (p->setting == NULL || p->value == NULL) {
		reading_resume(r, lone);
		vserver_limits_invalid(r, "sysctl needs both setting and "
					  "value");
		return;
	}
	item = take_sysctl(r);
	reading_resume(r, p->setting);
	take_str(r, FIELD_SYSCTL_NAME, item,
		 dotted(r->g->mem, p->setting->from.text));
	reading_resume(r, p->value);
	take_str(r, FIELD_SYSCTL_VALUE, item,
		 arena_strndup(r->g->mem, p->value->from.text,
			       strnlen(p->value->from.text, SYSCTL_MAX)));
}

void vserver_disks_settle(struct reading *r, struct vserver_disks *l)
{
	for (size_t i = 0; i < l->dlimits.n; i++)
		settle_dlimit(r, i);
	for (size_t i = 0; i < l->sysctls.n; i++)
		settle_sysctl(r, l->sysctls.v[i]);
}
