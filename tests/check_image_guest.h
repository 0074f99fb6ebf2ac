/* A tree of all that a guest may hold, to be put into an image. */
#ifndef REHOST_TESTS_CHECK_IMAGE_GUEST_H
#define REHOST_TESTS_CHECK_IMAGE_GUEST_H

#include "check_image.h"

/* Bytes that no compressor and no block of zeros is like; from a seed. */
UNUSED static void fill(char *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (char)(seed >> 24);
	}
}

UNUSED static void make_random(const char *path, size_t n, uint32_t seed)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char *p = arena_alloc(mem, n + 1);

	fill(p, n, seed);
	make_file(path, p, n);
}

/* Islands of data, as many extents. */
UNUSED static void make_islands(const char *path, int n, off_t gap)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	/* from 1: mke2fs makes a hole of zeros */
	for (int i = 1; i <= n; i++)
		ck_assert_int_eq(pwrite(fd, &i, sizeof(i), (i - 1) * gap),
				 sizeof(i));
	ck_assert_int_eq(ftruncate(fd, n * gap + 12345), 0);
}

UNUSED static void set_xattr(const char *path, const char *name,
			     const void *value, size_t n)
{
	ck_assert_msg(lsetxattr(path, name, value, n, 0) == 0, "%s: %s: %m",
		      path, name);
}

/* user::rw-, user:1234:rw-, group::r--, mask::rw-, other::r-- */
static const unsigned char box_acl[] = {
	2, 0,    0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,   6,
	0, 0xd2, 4,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16,  0,
	6, 0,    255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255,
};
/* cap_net_raw=ep, version 2 */
static const unsigned char box_cap[] = { 1, 0, 0, 2, 0, 32, 0, 0, 0, 0,
					 0, 0, 0, 0, 0, 0,  0, 0, 0, 0 };

/* "root": all kinds of things. As root also nodes, owners, capabilities. */
UNUSED static void make_guest(bool big_xattrs)
{
	static char value[3000];

	sh("mkdir root root/d root/d/empty root/many; echo hello >root/d/a; "
	   "ln root/d/a root/d/b; ln root/d/a root/z; ln -s a root/d/l; "
	   "ln -s /etc/$(printf '%0100d' 1) root/d/long; mkfifo root/fifo; "
	   ": >root/none; chmod 4751 root/d/a; "
	   "ln -s ../../../d/a root/d/up; ln -s loop root/loop; "
	   "i=0; while [ $i -lt 700 ]; do "
	   ": >root/many/name-that-is-not-short-$i; i=$((i + 1)); done; "
	   ": >root/$(printf '%0255d' 1)");
	make_random("root/big", 3 * 1000 * 1000 + 17, 1);
	make_random("root/small", 100, 2);
	make_islands("root/islands", 400, 40000);
	make_islands("root/far", 2, 9 << 20);
	fill(value, sizeof(value), 3);
	set_xattr("root/d/a", "user.one", "1", 1);
	set_xattr("root/d/a", "user.empty", "", 0);
	set_xattr("root/small", "user.block", value, 900);
	set_xattr("root/d", "system.posix_acl_default", box_acl,
		  sizeof(box_acl));
	set_xattr("root/d/a", "system.posix_acl_access", box_acl,
		  sizeof(box_acl));
	if (big_xattrs)
		set_xattr("root/none", "user.big", value, sizeof(value));
	if (geteuid() != 0)
		return;
	set_xattr("root/big", "security.capability", box_cap, sizeof(box_cap));
	set_xattr("root/d/l", "trusted.link", "x", 1);
	ck_assert_int_eq(mknod("root/c", S_IFCHR | 0600, makedev(1, 3)), 0);
	ck_assert_int_eq(mknod("root/n", S_IFBLK | 0600, makedev(259, 70000)),
			 0);
	ck_assert_int_eq(lchown("root/d/l", 100000, 3000000000), 0);
	ck_assert_int_eq(chown("root/none", 65536, 7), 0);
}

#endif
