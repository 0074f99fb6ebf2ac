/*
 * Extended attributes, as listxattr and getxattr give them to root: those in
 * the inode, in a block, and in inodes of their own.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

#include "image/ext4.h"

enum {
	GOOD_OLD_INODE = 128,
	MAGIC = 4,    /* bytes of it before the first entry */
	ACL_DISK = 1, /* version of an ACL on disk, and outside */
	ACL_XATTR = 2,
	ACL_HEAD = 4,    /* bytes of the version */
	ACL_SHORT = 4,   /* bytes of an entry that names nobody */
	ACL_LONG = 8,    /* bytes of an entry with an id; outside: each */
	ACL_USER = 0x02, /* tags of these */
	ACL_GROUP = 0x08,
};

/* What the kernel shows of a name; the rest is its own. */
static const char *const shown[] = { "user.", "trusted.", "security.",
				     "system.posix_acl_" };

static bool is_shown(const char *name)
{
	for (size_t i = 0; i < COUNT(shown); i++)
		if (str_starts(name, shown[i]) && name[strlen(shown[i])])
			return true;
	return false;
}

/* A look that costs nothing: most files have none. */
static bool has_some(struct ext4 *x, const struct ext4_inode *i)
{
	size_t size = EXT2_INODE_SIZE(x->fs->super);
	size_t at = (size_t)GOOD_OLD_INODE + i->raw.i_extra_isize;

	if (i->raw.i_file_acl || i->raw.osd2.linux2.l_i_file_acl_high)
		return true;
	if (size <= GOOD_OLD_INODE || at + 2 * MAGIC > size)
		return false;
	return at + 2 * MAGIC > sizeof(i->bytes) ||
	       (block_le32(i->bytes + at) == EXT2_EXT_ATTR_MAGIC &&
		block_le32(i->bytes + at + MAGIC) != 0);
}

static void put16(struct buf *b, uint16_t v)
{
	v = htole16(v);
	buf_add(b, &v, sizeof(v));
}

static void put32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	buf_add(b, &v, sizeof(v));
}

/* An ACL leaves ids out on disk where an entry has none. -1: it is damaged. */
static int acl_of(const char *p, size_t n, struct buf *ret)
{
	if (n < ACL_HEAD || block_le32(p) != ACL_DISK)
		return -1;
	put32(ret, ACL_XATTR);
	for (size_t at = ACL_HEAD; at < n;) {
		uint16_t tag;
		bool has_id;

		if (n - at < ACL_SHORT)
			return -1;
		tag = block_le16(p + at);
		has_id = tag == ACL_USER || tag == ACL_GROUP;
		if (has_id && n - at < ACL_LONG)
			return -1;
		put16(ret, tag);
		put16(ret, block_le16(p + at + 2));
		put32(ret, has_id ? block_le32(p + at + 4) : UINT32_MAX);
		at += has_id ? ACL_LONG : ACL_SHORT;
	}
	return 0;
}

struct taking {
	struct arena *mem;
	VEC(struct tree_xattr) found;
	bool damaged; /* an ACL is */
};

static int take(char *name, char *value, size_t n, void *arg)
{
	struct buf acl CLEANUP(buf_done) = { 0 };
	struct taking *t = arg;

	if (!is_shown(name))
		return 0;
	if (str_starts(name, "system.posix_acl_")) {
		if (acl_of(value, n, &acl)) {
			t->damaged = true;
			return XATTR_ABORT;
		}
		value = acl.p;
		n = acl.n;
	}
	*vec_add(t->mem, &t->found) = (struct tree_xattr){
		.name = arena_strdup(t->mem, name),
		.value = arena_memdup(t->mem, n > 0 ? value : "", n),
		.size = n,
	};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void handle_closep(struct ext2_xattr_handle **h)
{
	if (*h)
		ext2fs_xattrs_close(h);
}

int ext4_xattrs(struct ext4 *x, const struct ext4_inode *i, struct arena *mem,
		struct tree_xattrs *ret, struct err *e)
{
	struct ext2_xattr_handle *h CLEANUP(handle_closep) = NULL;
	struct taking t = { .mem = mem };
	errcode_t code;

	if (!has_some(x, i)) {
		*ret = (struct tree_xattrs){ 0 };
		return 0;
	}
	code = ext2fs_xattrs_open(x->fs, i->ino, &h);
	if (!code)
		code = ext2fs_xattrs_read(h);
	if (!code)
		code = ext2fs_xattrs_iterate(h, take, &t);
	if (code)
		return ext4_fail(x, code, e, "xattrs of inode %" PRIu32,
				 i->ino);
	if (t.damaged)
		return ext4_bad(x, e, "inode %" PRIu32 ": its ACL is damaged",
				i->ino);
	if (t.found.n > 1)
		qsort(t.found.v, t.found.n, sizeof(*t.found.v), by_name);
	*ret = (struct tree_xattrs){ .v = t.found.v, .n = t.found.n };
	return 0;
}
