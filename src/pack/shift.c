/*
 * Shifting ids. Formats: linux/posix_acl_xattr.h and struct vfs_ns_cap_data of
 * linux/capability.h, all little-endian.
 */
#include "pack/shift.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "base/str.h"

struct ranges {
	const struct shift_range *v;
	size_t n;
	bool back;
	const char *what;
};

static struct ranges uids(const struct shift *s)
{
	return (struct ranges){ s->uid, s->n_uid, s->back, "user" };
}

static struct ranges gids(const struct shift *s)
{
	return (struct ranges){ s->gid, s->n_gid, s->back, "group" };
}

static int map(struct ranges r, uint32_t *id, struct err *e)
{
	for (size_t i = 0; i < r.n; i++) {
		uint32_t from = r.back ? r.v[i].outside : r.v[i].inside;
		uint32_t to = r.back ? r.v[i].inside : r.v[i].outside;

		if (*id >= from && *id - from < r.v[i].count) {
			*id = to + (*id - from);
			return 0;
		}
	}
	return err_set(e, 0, "%s id %u is in none of the ranges", r.what, *id);
}

int shift_owner(const struct shift *s, struct tree_stat *st, struct err *e)
{
	uint32_t uid = st->uid, gid = st->gid;

	if (map(uids(s), &uid, e) || map(gids(s), &gid, e))
		return -1;
	st->uid = uid;
	st->gid = gid;
	return 0;
}

static int shift_acl_entry(const struct shift *s,
			   struct posix_acl_xattr_entry *raw, struct err *e)
{
	unsigned tag = le16toh(raw->e_tag);
	uint32_t id = le32toh(raw->e_id);

	if (tag != ACL_USER && tag != ACL_GROUP)
		return 0;
	if (map(tag == ACL_USER ? uids(s) : gids(s), &id, e))
		return err_wrap(e, "access control list");
	raw->e_id = htole32(id);
	return 0;
}

static int shift_acl(const struct shift *s, struct tree_xattr *x,
		     struct arena *mem, struct err *e)
{
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry raw;
	char *p = arena_memdup(mem, x->value, x->size);

	if (x->size < sizeof(head) ||
	    (x->size - sizeof(head)) % sizeof(raw) != 0)
		return err_set(e, 0, "%s is of an unknown form", x->name);
	memcpy(&head, p, sizeof(head));
	if (le32toh(head.a_version) != POSIX_ACL_XATTR_VERSION)
		return err_set(e, 0, "%s is of an unknown version", x->name);
	for (size_t at = sizeof(head); at < x->size; at += sizeof(raw)) {
		memcpy(&raw, p + at, sizeof(raw));
		if (shift_acl_entry(s, &raw, e))
			return -1;
		memcpy(p + at, &raw, sizeof(raw));
	}
	x->value = p;
	return 0;
}

/*
 * The result is of version 3 exactly when its root is not 0. Version 1, which
 * no kernel since 2.6.25 writes, holds no root and is left alone.
 */
static int shift_caps(const struct shift *s, struct tree_xattr *x,
		      struct arena *mem, struct err *e)
{
	struct vfs_ns_cap_data caps = { 0 };
	uint32_t magic, flags, root;

	if (x->size != XATTR_CAPS_SZ_2 && x->size != XATTR_CAPS_SZ_3)
		return 0;
	memcpy(&caps, x->value, x->size);
	magic = le32toh(caps.magic_etc);
	flags = magic & VFS_CAP_FLAGS_EFFECTIVE;
	root = le32toh(caps.rootid); /* 0 where there is none */
	if (map(uids(s), &root, e))
		return err_wrap(e, "root of file capabilities");
	magic = root ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2;
	caps.magic_etc = htole32(magic | flags);
	caps.rootid = htole32(root);
	x->size = root ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;
	x->value = arena_memdup(mem, &caps, x->size);
	return 0;
}

static const struct {
	const char *xattr;
	int (*shift)(const struct shift *s, struct tree_xattr *x,
		     struct arena *mem, struct err *e);
} kinds[] = {
	{ "security.capability", shift_caps },
	{ "system.posix_acl_access", shift_acl },
	{ "system.posix_acl_default", shift_acl },
};

int shift_xattrs(const struct shift *s, struct tree_xattrs *x,
		 struct arena *mem, struct err *e)
{
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < COUNT(kinds); k++)
			if (str_eq(x->v[i].name, kinds[k].xattr) &&
			    kinds[k].shift(s, &x->v[i], mem, e))
				return -1;
	return 0;
}
