/*
 * Unit tests of packing: a small tree is packed, read back with libarchive
 * and compared. Faults are put in by replacing an operation of the tree.
 *
 * With arguments it packs or verifies for scripts: check_pack_tool.h.
 */
#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check_pack.h"
#include "check_pack_tool.h"
#include "tree/dir.h"

#define DIR_200                                                                \
	"long-long-long-long-long-long-long-long-long-long-long-"              \
	"long-long-long-long-long-long-long-long-long-long-long-"              \
	"long-long-long-long-long-long-long-long-long-long-long-"              \
	"long-long-long-long-long-long-long"

static void make_guest(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX,
				    .sun_path = "root/socket" };
	int s CLEANUP(fd_closep) = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd CLEANUP(fd_closep) = -1;

	ck_assert_int_eq(bind(s, (void *)&addr, sizeof(addr)), 0);
	make_file("root/b", "content", 7);
	ck_assert_int_eq(chmod("root/b", 06751), 0);
	ck_assert_int_eq(mkdir("root/a", 01777), 0);
	ck_assert_int_eq(chmod("root/a", 01777), 0);
	ck_assert_int_eq(link("root/b", "root/a/first"), 0);
	ck_assert_int_eq(link("root/b", "root/z"), 0);
	ck_assert_int_eq(link("root/socket", "root/socket2"), 0);
	ck_assert_int_eq(symlink("/etc/\377\n", "root/link"), 0);
	ck_assert_int_eq(link("root/link", "root/link2"), 0);
	ck_assert_int_eq(mkfifo("root/fifo", 0600), 0);
	make_file("root/empty", "", 0);
	make_file("root/\377odd\n", "odd", 3);
	make_file("root/\303\251", "utf", 3);
	ck_assert_int_eq(mkdir("root/" DIR_200, 0755), 0);
	make_file("root/" DIR_200 "/" DIR_200, "long", 4);
	fd = open("root/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(pwrite(fd, "s", 1, 5000000), 1);
	ck_assert_int_eq(ftruncate(fd, 9000000), 0);
	set_time("root/b");
	set_time("root/link");
	set_time("root/" DIR_200);
}

/* Files of a still tree are opened another way. */
START_TEST(contents)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);

	umask(022);
	box_open(&b);
	if (_i)
		tree_set_still(b.t);
	make_guest();
	pack_ok(&b, &o);
	expect("out.tar.zst", "040755 ./\n"
			      "041777 ./a/\n"
			      "106751 ./a/first 7 63 74\n"
			      "006751 ./b = ./a/first\n"
			      "100644 ./empty\n"
			      "010600 ./fifo\n"
			      "120777 ./link -> /etc/\377\n\n"
			      "000777 ./link2 = ./link\n"
			      "040755 ./" DIR_200 "/\n"
			      "100644 ./" DIR_200 "/" DIR_200 " 4 6c 67\n"
			      "100644 ./sparse 9000000 00 00\n"
			      "006751 ./z = ./a/first\n"
			      "100644 ./\303\251 3 75 66\n"
			      "100644 ./\377odd\n 3 6f 64\n");
	ck_assert_uint_eq(b.got.files, 6);
	ck_assert_uint_eq(b.got.dirs, 3);
	ck_assert_uint_eq(b.got.links, 1);
	ck_assert_uint_eq(b.got.hardlinks, 3);
	ck_assert_uint_eq(b.got.fifos, 1);
	ck_assert_uint_eq(b.got.sockets, 2);
	ck_assert_uint_eq(b.got.changed.n, 0);
	ck_assert_uint_eq(b.got.vanished.n, 0);
	ck_assert(!b.got.incomplete);
}
END_TEST

START_TEST(access_times)
{
	static const char *const names[] = { "root", "root/d", "root/d/file",
					     "root/sparse", "root/d/link" };
	const struct timespec old[2] = { { 1000, 1 }, { 2000, 2 } };
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct stat st;

	box_open(&b);
	if (_i)
		tree_set_still(b.t);
	ck_assert_int_eq(mkdir("root/d", 0755), 0);
	make_file("root/d/file", "content", 7);
	ck_assert_int_eq(link("root/d/file", "root/d/link"), 0);
	make_file("root/sparse", "x", 1);
	ck_assert_int_eq(truncate("root/sparse", 1 << 20), 0);
	for (size_t i = COUNT(names); i-- > 0;)
		ck_assert_int_eq(utimensat(AT_FDCWD, names[i], old, 0), 0);
	pack_ok(&b, &o);
	for (size_t i = 0; i < COUNT(names); i++) {
		ck_assert_int_eq(stat(names[i], &st), 0);
		ck_assert_int_eq(st.st_atim.tv_sec, 1000);
		ck_assert_int_eq(st.st_atim.tv_nsec, 1);
	}
}
END_TEST

START_TEST(sparse)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct listing l CLEANUP(listing_done) = { 0 };
	la_int64_t at, n;
	size_t others = 0;

	box_open(&b);
	make_guest();
	make_file("root/hole", "", 0);
	ck_assert_int_eq(truncate("root/hole", 1 << 20), 0);
	pack_ok(&b, &o);
	ck_assert_uint_lt(b.got.bytes_in, 200000);
	ck_assert_uint_lt(b.got.bytes_tar, 250000);
	find_member(&l, "./sparse");
	ck_assert_uint_eq(l.content.n, 9000000);
	ck_assert_int_eq(l.content.p[5000000], 's');
	l.content.p[5000000] = '\0';
	for (size_t i = 0; i < l.content.n; i++)
		others += l.content.p[i] != '\0';
	ck_assert_uint_eq(others, 0);
	ck_assert_int_gt(archive_entry_sparse_reset(l.ae), 0);
	archive_entry_sparse_next(l.ae, &at, &n);
	ck_assert_int_le(at, 5000000);
	listing_done(&l);
	memset(&l, 0, sizeof(l));
	find_member(&l, "./hole");
	ck_assert_int_eq(archive_entry_size(l.ae), 1 << 20);
	ck_assert_uint_eq(l.content.n, 0); /* no zeros stored */
}
END_TEST

START_TEST(metadata)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct listing l CLEANUP(listing_done) = { 0 };
	struct stat st;

	box_open(&b);
	make_guest();
	pack_ok(&b, &o);
	ck_assert_int_eq(stat("root/b", &st), 0);
	find_member(&l, "./a/first");
	ck_assert_int_eq(archive_entry_mtime(l.ae), 1234567890);
	ck_assert_int_eq(archive_entry_mtime_nsec(l.ae), 123456789);
	ck_assert_int_eq(archive_entry_uid(l.ae), st.st_uid);
	ck_assert_int_eq(archive_entry_gid(l.ae), st.st_gid);
	ck_assert(!archive_entry_ctime_is_set(l.ae));
	ck_assert(!archive_entry_atime_is_set(l.ae));
	ck_assert_ptr_null(archive_entry_fflags_text(l.ae));
	if (archive_entry_uname(l.ae))
		ck_assert_str_eq(archive_entry_uname(l.ae), "");
}
END_TEST

START_TEST(xattrs)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct listing l CLEANUP(listing_done) = { 0 };
	const char *name;
	const void *value;
	size_t n;

	box_open(&b);
	make_guest();
	if (setxattr("root/b", "user.x", "v\0w", 3, 0) && errno == ENOTSUP)
		return; /* a scratch file system without them */
	pack_ok(&b, &o);
	find_member(&l, "./a/first");
	ck_assert_int_eq(archive_entry_xattr_reset(l.ae), 1);
	archive_entry_xattr_next(l.ae, &name, &value, &n);
	ck_assert_str_eq(name, "user.x");
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(value, "v\0w", 3);
}
END_TEST

/* The tar stream inside out.tar.zst, as it is. */
static void unzip(struct buf *ret)
{
	struct listing l CLEANUP(listing_done) = { .a = archive_read_new() };

	archive_read_support_format_raw(l.a);
	archive_read_support_filter_zstd(l.a);
	ck_assert_int_eq(archive_read_open_filename(l.a, "out.tar.zst", 16384),
			 0);
	ck_assert(list_next(&l));
	read_content(&l);
	buf_add(ret, l.content.p, l.content.n);
}

/*
 * A reader that is told "hdrcharset" warns (GNU tar), so only the two members
 * that need it say so: the odd name, and the odd target of a link.
 */
START_TEST(charset)
{
	static const char record[] = "hdrcharset=BINARY\n";
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct buf tar CLEANUP(buf_done) = { 0 };
	unsigned n = 0;
	const char *p;

	box_open(&b);
	make_guest();
	pack_ok(&b, &o);
	unzip(&tar);
	p = tar.p;
	while ((p = memmem(p, (size_t)(tar.p + tar.n - p), record,
			   sizeof(record) - 1))) {
		n++;
		p += sizeof(record) - 1;
	}
	ck_assert_uint_eq(n, 2);
}
END_TEST

/* Extended headers, of 1 KiB, only where they say something. */
START_TEST(headers)
{
	const struct timespec whole[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	const struct timespec odd[2] = { { .tv_sec = 1 }, { 2, 3 } };
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	uint64_t plain = 512 + 1024 + 512 + 1024; /* root, a, link, end */

	box_open(&b);
	make_file("root/a", "a", 1);
	ck_assert_int_eq(link("root/a", "root/link"), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "root/a", whole, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "root", whole, 0), 0);
	pack_ok(&b, &o);
	ck_assert_uint_eq(b.got.bytes_tar, plain);
	ck_assert_int_eq(utimensat(AT_FDCWD, "root/a", odd, 0), 0);
	pack_ok(&b, &o);
	ck_assert_uint_eq(b.got.bytes_tar, plain + 1024);
}
END_TEST

START_TEST(digests)
{
	struct pack_options o = { .one_fs = true, .tar_digest = true };
	struct box b CLEANUP(box_done);
	struct buf tar CLEANUP(buf_done) = { 0 };
	struct tree *here CLEANUP(tree_closep) = NULL;
	char first[DIGEST_HEX], sha256[DIGEST_HEX];
	const char *packed;
	size_t n;

	box_open(&b);
	make_guest();
	pack_ok(&b, &o);
	unzip(&tar);
	ck_assert_uint_eq(tar.n, b.got.bytes_tar);
	digest_of(tar.p, tar.n, sha256);
	ck_assert_str_eq(sha256, b.got.tar_sha256);
	ck_assert_int_eq(tree_open_dir(".", &here, &b.e), 0);
	ck_assert_int_eq(tree_read(here, "out.tar.zst", 1 << 20, b.mem, &packed,
				   &n, &b.e),
			 0);
	ck_assert_uint_eq(n, b.got.bytes_out);
	digest_of(packed, n, sha256);
	ck_assert_str_eq(sha256, b.got.sha256);
	memcpy(first, sha256, sizeof(first));
	o.tar_digest = false;
	pack_ok(&b, &o); /* again, over the old one: the same bytes */
	ck_assert_str_eq(first, b.got.sha256);
	ck_assert_str_eq("", b.got.tar_sha256);
}
END_TEST

static const struct {
	const char *skip, *said;
} skips[] = {
	{ "/a", "040755 ./\n100644 ./a.b\n" },
	{ "a/", "040755 ./\n100644 ./a.b\n" },
	{ "./a", "040755 ./\n100644 ./a.b\n" },
	{ "/a/*", "040755 ./\n040755 ./a/\n100644 ./a.b\n" },
	{ "a/d", "040755 ./\n040755 ./a/\n100644 ./a/f\n100644 ./a.b\n" },
	{ "/", "040755 ./\n040755 ./a/\n040755 ./a/d/\n100644 ./a/f\n"
	       "100644 ./a.b\n" },
};

START_TEST(skip)
{
	const char *const list[] = { "no/such", skips[_i].skip };
	const struct pack_options o = { .skip = list, .n_skip = 2 };
	struct box b CLEANUP(box_done);

	umask(022);
	box_open(&b);
	ck_assert_int_eq(mkdir("root/a", 0755), 0);
	ck_assert_int_eq(mkdir("root/a/d", 0755), 0);
	make_file("root/a/f", "", 0);
	make_file("root/a.b", "", 0);
	pack_ok(&b, &o);
	expect("out.tar.zst", skips[_i].said);
}
END_TEST

/* What happens to root/b before its content is read. */
static ssize_t shrink(struct tree_file *f, uint64_t offset, void *data,
		      size_t n, struct err *e)
{
	ck_assert_int_eq(truncate("root/b", 3), 0);
	return dir_file_read(f, offset, data, n, e);
}

static ssize_t grow(struct tree_file *f, uint64_t offset, void *data, size_t n,
		    struct err *e)
{
	ck_assert_int_eq(truncate("root/b", 5000), 0);
	return dir_file_read(f, offset, data, n, e);
}

static ssize_t break_read(struct tree_file *f UNUSED, uint64_t offset UNUSED,
			  void *data UNUSED, size_t n UNUSED, struct err *e)
{
	return err_set(e, EIO, "read b");
}

static int lose(struct tree *t, const char *path, struct tree_file **ret,
		struct err *e)
{
	if (str_eq(path, "b"))
		unlink("root/b");
	return dir_file_open(t, path, ret, e);
}

static int swap_for_fifo(struct tree *t, const char *path,
			 struct tree_file **ret, struct err *e)
{
	if (str_eq(path, "b") && unlink("root/b") == 0)
		ck_assert_int_eq(mkfifo("root/b", 0600), 0);
	return dir_file_open(t, path, ret, e);
}

static int deny(struct tree *t, const char *path, struct tree_file **ret,
		struct err *e)
{
	if (str_eq(path, "b"))
		return err_set(e, EACCES, "open b");
	return dir_file_open(t, path, ret, e);
}

static int deny_xattrs(struct tree *t UNUSED, const char *path,
		       struct arena *mem UNUSED, struct tree_xattrs *ret,
		       struct err *e)
{
	if (str_eq(path, "b"))
		return err_set(e, EIO, "xattrs of b");
	*ret = (struct tree_xattrs){ 0 };
	return 0;
}

static const struct {
	struct tree_ops ops; /* those that are set */
	uint64_t changed, vanished, unreadable;
	const char *b; /* its line */
} faults[] = {
	{ { .file_read = shrink }, 1, 0, 0, "100644 ./b 7 63 00\n" },
	{ { .file_read = grow }, 1, 0, 0, "100644 ./b 7 63 74\n" },
	{ { .file_read = break_read }, 0, 0, 1, "100644 ./b 7 00 00\n" },
	{ { .file_open = lose }, 0, 1, 0, "" },
	{ { .file_open = swap_for_fifo }, 0, 1, 0, "" },
	{ { .file_open = deny }, 0, 0, 1, "" },
	{ { .xattrs = deny_xattrs }, 0, 0, 1, "100644 ./b 7 63 74\n" },
};

START_TEST(fault)
{
	const struct pack_options o = { .one_fs = true };
	const struct tree_ops *with = &faults[_i].ops;
	struct box b CLEANUP(box_done);

	umask(022);
	box_open(&b);
	make_file("root/b", "content", 7);
	make_file("root/c", "", 0);
	if (with->file_read) {
		b.ops.file_read = with->file_read;
		b.ops.file_try = NULL;
	}
	if (with->file_open)
		b.ops.file_open = with->file_open;
	if (with->xattrs)
		b.ops.xattrs = with->xattrs;
	pack_ok(&b, &o);
	expect("out.tar.zst",
	       arena_printf(b.mem, "040755 ./\n%s100644 ./c\n", faults[_i].b));
	ck_assert_uint_eq(b.got.changed.n, faults[_i].changed);
	ck_assert_uint_eq(b.got.vanished.n, faults[_i].vanished);
	ck_assert_uint_eq(b.got.unreadable.n, faults[_i].unreadable);
	ck_assert_int_eq(b.got.incomplete, faults[_i].unreadable > 0);
	if (faults[_i].changed)
		ck_assert_str_eq(b.got.changed.first.v[0], "/b");
	if (faults[_i].vanished)
		ck_assert_str_eq(b.got.vanished.first.v[0], "/b");
	if (faults[_i].unreadable)
		ck_assert_str_eq(b.got.unreadable.first.v[0], "/b");
}
END_TEST

/* The first name of an inode is lost: the second one is the file. */
START_TEST(lost_link)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);

	umask(022);
	box_open(&b);
	make_file("root/b", "content", 7);
	ck_assert_int_eq(link("root/b", "root/c"), 0);
	ck_assert_int_eq(link("root/b", "root/d"), 0);
	b.ops.file_open = deny;
	pack_ok(&b, &o);
	expect("out.tar.zst", "040755 ./\n100644 ./c 7 63 74\n"
			      "000644 ./d = ./c\n");
	ck_assert(b.got.incomplete);
}
END_TEST

START_TEST(many_names)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	char path[32];

	box_open(&b);
	for (int i = 0; i < PACK_NAMES + 20; i++) {
		snprintf(path, sizeof(path), "root/%04d", i);
		make_file(path, "x", 1);
	}
	b.ops.file_read = break_read;
	b.ops.file_try = NULL;
	pack_ok(&b, &o);
	ck_assert_uint_eq(b.got.unreadable.n, PACK_NAMES + 20);
	ck_assert_uint_eq(b.got.unreadable.first.n, PACK_NAMES);
}
END_TEST

/* Half of it is in memory, nothing, or the medium cannot tell. */
static ssize_t try_half(struct tree_file *f, uint64_t offset, void *data,
			size_t n, struct err *e)
{
	return dir_file_read(f, offset, data, (n + 1) / 2, e);
}

static ssize_t try_nothing(struct tree_file *f, uint64_t offset UNUSED,
			   void *data UNUSED, size_t n UNUSED, struct err *e)
{
	return err_set(e, EAGAIN, "read %s", f->name);
}

static ssize_t (*const tries[])(struct tree_file *f, uint64_t offset,
				void *data, size_t n, struct err *e) = {
	try_half,
	try_nothing,
	NULL,
};

/* More files than wait at a time: each has its own content in the end. */
START_TEST(cold)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct listing l CLEANUP(listing_done) = { 0 };
	char path[32];

	box_open(&b);
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "root/content of %03d", i);
		make_file(path, path, strlen(path));
	}
	b.ops.file_try = tries[_i];
	pack_ok(&b, &o);
	ck_assert_uint_eq(b.got.files, 300);
	ck_assert_uint_eq(b.got.changed.n, 0);
	list_open(&l, "out.tar.zst");
	while (list_next(&l)) {
		const char *name = archive_entry_pathname(l.ae) + 2;

		if (*name == '\0')
			continue;
		read_content(&l);
		ck_assert_str_eq(buf_str(&l.content) + 5, name);
	}
}
END_TEST

/*
 * As somebody else than the owner: what may not be read is named, what may be
 * is read although O_NOATIME is refused.
 */
START_TEST(locked)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	bool is_root = geteuid() == 0;
	int r;

	umask(022);
	box_open(&b);
	if (_i)
		tree_set_still(b.t);
	ck_assert_int_eq(chmod(".", 0777), 0);
	ck_assert_int_eq(mkdir("root/d", is_root ? 0700 : 0), 0);
	make_file("root/f", "content", 7);
	make_file("root/g", "content", 7);
	ck_assert_int_eq(chmod("root/g", is_root ? 0600 : 0), 0);
	if (is_root)
		ck_assert_int_eq(seteuid(65534), 0);
	r = pack(&b, "out.tar.zst", &o);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod("root/d", 0700), 0);
	ck_assert_msg(r == 0, "%s", r ? b.e.msg : "");
	ck_assert(b.got.incomplete);
	ck_assert_uint_eq(b.got.unreadable.n, 2);
	ck_assert_str_eq(b.got.unreadable.first.v[0], "/d");
	ck_assert_str_eq(b.got.unreadable.first.v[1], "/g");
	expect("out.tar.zst",
	       is_root ? "040755 ./\n040700 ./d/\n100644 ./f 7 63 74\n" :
			 "040755 ./\n040000 ./d/\n100644 ./f 7 63 74\n");
}
END_TEST

static int break_walk(struct tree *t UNUSED, const char *path UNUSED,
		      bool one_fs UNUSED, const struct tree_visitor *v UNUSED,
		      struct err *e)
{
	return err_set(e, EIO, "walk root");
}

/* A failure leaves neither a new file nor a temporary one. */
START_TEST(failure)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct tree *here CLEANUP(tree_closep) = NULL;
	struct tree_entries list;

	box_open(&b);
	b.got.files = 77;
	ck_assert_int_eq(pack(&b, "no/such", &o), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
	ck_assert_int_eq(pack_write(b.t, -1, "x", &o, b.mem, &b.got, &b.e), -1);
	ck_assert_int_eq(b.e.code, EBADF);
	b.ops.walk = break_walk;
	ck_assert_int_eq(pack(&b, "out", &o), -1);
	ck_assert_str_eq(b.e.msg, "pack root: walk root: Input/output error");
	ck_assert_uint_eq(b.got.files, 77);
	ck_assert_int_eq(tree_open_dir(".", &here, &b.e), 0);
	ck_assert_int_eq(tree_list(here, "", b.mem, &list, &b.e), 0);
	ck_assert_uint_eq(list.n, 1);
}
END_TEST

/* The output cannot be written to its end. */
START_TEST(disk_full)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct rlimit none = { 0, 0 };

	box_open(&b);
	make_guest();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &none), 0);
	none.rlim_cur = 10;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(pack(&b, "out", &o), -1);
	none.rlim_cur = none.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(b.e.code, EFBIG);
	ck_assert_int_eq(access("out", F_OK), -1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("pack");
	TCase *c = tcase_create("pack");

	tcase_add_loop_test(c, contents, 0, 2);
	tcase_add_loop_test(c, access_times, 0, 2);
	tcase_add_test(c, sparse);
	tcase_add_test(c, metadata);
	tcase_add_test(c, xattrs);
	tcase_add_test(c, charset);
	tcase_add_test(c, headers);
	tcase_add_test(c, digests);
	tcase_add_loop_test(c, skip, 0, COUNT(skips));
	tcase_add_loop_test(c, fault, 0, COUNT(faults));
	tcase_add_test(c, lost_link);
	tcase_add_test(c, many_names);
	tcase_add_loop_test(c, cold, 0, COUNT(tries));
	tcase_add_loop_test(c, locked, 0, 2);
	tcase_add_test(c, failure);
	tcase_add_test(c, disk_full);
	tcase_set_timeout(c, 30);
	suite_add_tcase(s, c);
	return s;
}

int main(int argc, char **argv)
{
	SRunner *r;
	int failed;

	if (argc > 1)
		return tool(argc - 1, argv + 1);
	/* libarchive reads names by the locale; what is written has none */
	setlocale(LC_CTYPE, "C.UTF-8");
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
