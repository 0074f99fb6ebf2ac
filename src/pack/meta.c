/*
 * Owner, mode, time, node number, xattrs, ACLs.
 *
 * A POSIX ACL is an xattr (linux/posix_acl_xattr.h): a version, then entries
 * of tag, permissions and id, all little-endian. It is carried as such, for
 * readers of xattrs, and decoded for the text form that GNU tar --acls and
 * star read.
 */
#include "pack/meta.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

static const char *const dropped[] = {
	"security.evm",
	"security.ima",
	"security.selinux",
};

static const struct {
	const char *xattr;
	int type;
} acls[] = {
	{ "system.posix_acl_access", ARCHIVE_ENTRY_ACL_TYPE_ACCESS },
	{ "system.posix_acl_default", ARCHIVE_ENTRY_ACL_TYPE_DEFAULT },
};

static const struct {
	unsigned tag;
	int libarchive;
} acl_tags[] = {
	{ ACL_USER_OBJ, ARCHIVE_ENTRY_ACL_USER_OBJ },
	{ ACL_USER, ARCHIVE_ENTRY_ACL_USER },
	{ ACL_GROUP_OBJ, ARCHIVE_ENTRY_ACL_GROUP_OBJ },
	{ ACL_GROUP, ARCHIVE_ENTRY_ACL_GROUP },
	{ ACL_MASK, ARCHIVE_ENTRY_ACL_MASK },
	{ ACL_OTHER, ARCHIVE_ENTRY_ACL_OTHER },
};

static bool is_dropped(const char *name)
{
	for (size_t i = 0; i < COUNT(dropped); i++)
		if (str_eq(dropped[i], name))
			return true;
	return false;
}

/* The bits of permission are the same on both sides: r 4, w 2, x 1. */
static void add_acl_entry(struct archive_entry *ae, int type,
			  const struct posix_acl_xattr_entry *raw)
{
	unsigned tag = le16toh(raw->e_tag);
	uint32_t id = le32toh(raw->e_id);
	bool named = tag == ACL_USER || tag == ACL_GROUP;

	for (size_t i = 0; i < COUNT(acl_tags); i++)
		if (acl_tags[i].tag == tag)
			archive_entry_acl_add_entry(ae, type,
						    le16toh(raw->e_perm) & 7,
						    acl_tags[i].libarchive,
						    named ? (int)id : -1, NULL);
}

/* One that is not as expected is carried as an xattr only. */
static void add_acl(struct archive_entry *ae, int type,
		    const struct tree_xattr *x)
{
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry raw;
	const char *p = x->value;

	if (x->size < sizeof(head))
		return;
	memcpy(&head, p, sizeof(head));
	if (le32toh(head.a_version) != POSIX_ACL_XATTR_VERSION ||
	    (x->size - sizeof(head)) % sizeof(raw))
		return;
	for (size_t at = sizeof(head); at < x->size; at += sizeof(raw)) {
		memcpy(&raw, p + at, sizeof(raw));
		add_acl_entry(ae, type, &raw);
	}
}

static void add_xattr(struct archive_entry *ae, const struct tree_xattr *x)
{
	archive_entry_xattr_add_entry(ae, x->name, x->value, x->size);
	for (size_t i = 0; i < COUNT(acls); i++)
		if (str_eq(acls[i].xattr, x->name))
			add_acl(ae, acls[i].type, x);
}

/*
 * Seconds are rounded down before 1970: libarchive writes -1.75 as "-2.25",
 * which is what it says for all but its own reader.
 */
static void set_mtime(struct archive_entry *ae, const struct timespec *t)
{
	archive_entry_set_mtime(ae, t->tv_sec, t->tv_sec < 0 ? 0 : t->tv_nsec);
}

unsigned meta_drop(struct tree_xattrs *x)
{
	size_t kept = 0, n = x->n;

	for (size_t i = 0; i < n; i++)
		if (!is_dropped(x->v[i].name))
			x->v[kept++] = x->v[i];
	x->n = kept;
	return (unsigned)(n - kept);
}

void meta_fill(struct archive_entry *ae, const struct member *m)
{
	const struct tree_stat *st = &m->st;

	archive_entry_set_mode(ae, st->mode);
	archive_entry_set_uid(ae, st->uid);
	archive_entry_set_gid(ae, st->gid);
	set_mtime(ae, &st->mtime);
	archive_entry_set_size(ae,
			       S_ISREG(st->mode) ? (la_int64_t)st->size : 0);
	if (S_ISCHR(st->mode) || S_ISBLK(st->mode)) {
		archive_entry_set_rdevmajor(ae, st->rdev_major);
		archive_entry_set_rdevminor(ae, st->rdev_minor);
	}
	for (size_t i = 0; i < m->xattrs.n; i++)
		add_xattr(ae, &m->xattrs.v[i]);
}
