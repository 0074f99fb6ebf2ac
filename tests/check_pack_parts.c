/*
 * Unit tests of parts of packing: shifting of ids, the order of paths, names
 * as characters, digests of content, maps of holes.
 */
#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "check_pack.h"
#include "pack/charset.h"
#include "pack/content.h"
#include "pack/extents.h"
#include "pack/order.h"
#include "pack/shift.h"

/* --- shift ---------------------------------------------------------------- */

static const struct shift_range ranges[] = { { 0, 100000, 1000 },
					     { 2000, 500, 1 } };

static const struct {
	uint32_t uid, ret;
	bool back;
	int r;
} owners[] = {
	{ 0, 100000, false, 0 }, { 999, 100999, false, 0 },
	{ 2000, 500, false, 0 }, { 1000, 1000, false, -1 },
	{ 100000, 0, true, 0 },  { 500, 2000, true, 0 },
	{ 501, 501, true, -1 },  { UINT32_MAX, UINT32_MAX, false, -1 },
};

START_TEST(shift_owners)
{
	const struct shift s = { ranges, ranges, 2, 2, owners[_i].back };
	struct tree_stat st = { .uid = owners[_i].uid, .gid = owners[_i].uid };
	struct err e;

	ck_assert_int_eq(shift_owner(&s, &st, &e), owners[_i].r);
	ck_assert_uint_eq(st.uid, owners[_i].ret);
	ck_assert_uint_eq(st.gid, owners[_i].ret);
}
END_TEST

static const struct {
	uint32_t magic, root; /* of what there is; its size by the version */
	bool back;
	uint32_t ret_magic, ret_root;
	int r;
} caps[] = {
	{ VFS_CAP_REVISION_2 | 1, 0, false, VFS_CAP_REVISION_3 | 1, 100000, 0 },
	{ VFS_CAP_REVISION_3, 10, false, VFS_CAP_REVISION_3, 100010, 0 },
	{ VFS_CAP_REVISION_3 | 1, 100000, true, VFS_CAP_REVISION_2 | 1, 0, 0 },
	{ VFS_CAP_REVISION_3, 100010, true, VFS_CAP_REVISION_3, 10, 0 },
	{ VFS_CAP_REVISION_3, 5000, false, 0, 0, -1 },
	{ VFS_CAP_REVISION_2, 0, true, 0, 0, -1 },
};

static size_t caps_size(uint32_t magic)
{
	return (magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 ?
		       XATTR_CAPS_SZ_3 :
		       XATTR_CAPS_SZ_2;
}

START_TEST(shift_caps)
{
	const struct shift s = { ranges, ranges, 2, 2, caps[_i].back };
	struct vfs_ns_cap_data in = { htole32(caps[_i].magic),
				      { { htole32(0x2000), 0 } },
				      htole32(caps[_i].root) },
			       out = { 0 };
	struct tree_xattr one = { "security.capability", &in,
				  caps_size(caps[_i].magic) };
	struct tree_xattrs x = { &one, 1 };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct err e;

	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), caps[_i].r);
	if (caps[_i].r)
		return;
	ck_assert_uint_eq(one.size, caps_size(caps[_i].ret_magic));
	memcpy(&out, one.value, one.size);
	ck_assert_uint_eq(le32toh(out.magic_etc), caps[_i].ret_magic);
	ck_assert_uint_eq(le32toh(out.rootid), caps[_i].ret_root);
	ck_assert_uint_eq(le32toh(out.data[0].permitted), 0x2000);
}
END_TEST

START_TEST(shift_acl)
{
	const struct shift s = { ranges, ranges, 2, 2, false };
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry v[3];
	} acl = {
		{ htole32(POSIX_ACL_XATTR_VERSION) },
		{ { htole16(ACL_USER_OBJ), htole16(7), UINT32_MAX },
		  { htole16(ACL_USER), htole16(6), htole32(5) },
		  { htole16(ACL_GROUP), htole16(4), htole32(2000) } },
	};
	struct tree_xattr one = { "system.posix_acl_default", &acl,
				  sizeof(acl) };
	struct tree_xattrs x = { &one, 1 };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct err e;

	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), 0);
	memcpy(&acl, one.value, sizeof(acl));
	ck_assert_uint_eq(acl.v[0].e_id, UINT32_MAX);
	ck_assert_uint_eq(le32toh(acl.v[1].e_id), 100005);
	ck_assert_uint_eq(le32toh(acl.v[2].e_id), 500);
	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), -1); /* not twice */
	one.size--;
	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), -1);
}
END_TEST

/* An id that the ranges lack stops the packing and names the file. */
START_TEST(shift_refused)
{
	const struct shift s = { ranges, ranges, 0, 0, false };
	const struct pack_options o = { .shift = &s };
	struct box b CLEANUP(box_done);

	box_open(&b);
	ck_assert_int_eq(pack(&b, "out", &o), -1);
	ck_assert_ptr_nonnull(strstr(b.e.msg, "is in none of the ranges"));
	ck_assert_ptr_nonnull(strstr(b.e.msg, "shift ids of /"));
	ck_assert_int_eq(access("out", F_OK), -1);
}
END_TEST

/* --- parts ---------------------------------------------------------------- */

/* In the order of a walk. */
static const char *const ordered[] = { "",    "a",      "a/b", "a/b/c",
				       "a/c", "a\001b", "a b", "a.b",
				       "aa",  "b",      "\377" };

START_TEST(order)
{
	for (size_t i = 0; i < COUNT(ordered); i++)
		for (size_t j = 0; j < COUNT(ordered); j++) {
			int r = order_paths(ordered[i], ordered[j]);

			ck_assert_int_eq((r > 0) - (r < 0), (i > j) - (i < j));
		}
	ck_assert(order_beneath("a/b", "a") && order_beneath("a", ""));
	ck_assert(!order_beneath("a", "a") && !order_beneath("ab", "a"));
	ck_assert(!order_beneath("", ""));
}
END_TEST

static const struct {
	const char *name;
	bool safe;
} charsets[] = {
	{ "plain", true },
	{ "\303\251", true },
	{ "e\314\201", false }, /* the same, decomposed */
	{ "\346\227\245", true },
	{ "\360\237\230\200", true },
	{ "\343\202\253\343\202\231", false },
	{ "\341\204\200\341\205\241", false },
	{ "\377", false },
};

START_TEST(charset)
{
	ck_assert_int_eq(charset_is_safe(charsets[_i].name), charsets[_i].safe);
}
END_TEST

/* However the pieces are cut, and wherever the holes are. */
START_TEST(content)
{
	static const char data[10000] = { [5000] = 1, [9999] = 2 };
	char first[CONTENT_TEXT], second[CONTENT_TEXT];

	struct content *c CLEANUP(content_freep) = content_new();

	for (int large = 0; large < 2; large++) {
		content_begin(c, 20000, large);
		content_add(c, 0, data, sizeof(data));
		content_end(c, first);
		content_begin(c, 20000, large);
		content_add(c, 4999, data + 4999, 2);
		content_add(c, 9999, data + 9999, 1);
		content_end(c, second);
		ck_assert_str_eq(first, second);
		ck_assert_uint_eq(strlen(first), large ? 65 : 64);
	}
}
END_TEST

START_TEST(extents)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct extents x = { .mem = mem };
	const size_t n = 10 * EXTENTS_MAX;
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) { /* a large hole after each 100 */
		at += i % 100 == 1 ? 1000000 : 10000;
		extents_add(&x, (struct tree_extent){ at, 5000 });
		ck_assert_uint_lt(x.list.n, 2 * EXTENTS_MAX);
	}
	ck_assert_uint_gt(x.list.n, n / 100);
	ck_assert_uint_eq(x.list.v[0].offset, 10000);
	for (size_t i = 1; i < x.list.n; i++)
		ck_assert_uint_gt(x.list.v[i].offset,
				  x.list.v[i - 1].offset +
					  x.list.v[i - 1].length);
	ck_assert_uint_eq(x.list.v[x.list.n - 1].offset +
				  x.list.v[x.list.n - 1].length,
			  at + 5000);
	ck_assert_uint_lt(arena_size(mem), 5 << 20);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("pack_parts");
	TCase *c = tcase_create("pack_parts");

	tcase_add_loop_test(c, shift_owners, 0, COUNT(owners));
	tcase_add_loop_test(c, shift_caps, 0, COUNT(caps));
	tcase_add_test(c, shift_acl);
	tcase_add_test(c, shift_refused);
	tcase_add_test(c, order);
	tcase_add_loop_test(c, charset, 0, COUNT(charsets));
	tcase_add_test(c, content);
	tcase_add_test(c, extents);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r;
	int failed;

	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
