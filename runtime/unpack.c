/* Archives become directories, with owners, lists and attributes. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/unpack.h"

static void read_freep(struct archive **a)
{
	archive_read_free(*a);
}

static void write_freep(struct archive **a)
{
	archive_write_free(*a);
}

static int copy_data(struct archive *in, struct archive *out, struct err *e)
{
	const void *data;
	size_t n;
	la_int64_t at;
	int r;

	while ((r = archive_read_data_block(in, &data, &n, &at)) == ARCHIVE_OK)
		if (archive_write_data_block(out, data, n, at) < 0)
			return err_set(e, 0, "%s", archive_error_string(out));
	return r == ARCHIVE_EOF ? 0 :
				  err_set(e, 0, "%s", archive_error_string(in));
}

/* Names are taken beneath the current directory of the process. */
static int copy_all(struct archive *in, struct archive *out, struct err *e)
{
	struct archive_entry *entry;
	int r;

	while ((r = archive_read_next_header(in, &entry)) == ARCHIVE_OK) {
		if (archive_write_header(out, entry) != ARCHIVE_OK)
			return err_set(e, 0, "%s: %s",
				       archive_entry_pathname(entry),
				       archive_error_string(out));
		if (archive_entry_size(entry) > 0 && copy_data(in, out, e) < 0)
			return err_wrap(e, "%s", archive_entry_pathname(entry));
		if (archive_write_finish_entry(out) != ARCHIVE_OK)
			return err_set(e, 0, "%s", archive_error_string(out));
	}
	return r == ARCHIVE_EOF ? 0 :
				  err_set(e, 0, "%s", archive_error_string(in));
}

static int extract(const char *archive, struct err *e)
{
	struct archive *in CLEANUP(read_freep) = archive_read_new();
	struct archive *out CLEANUP(write_freep) = archive_write_disk_new();

	archive_read_support_filter_all(in);
	archive_read_support_format_tar(in);
	archive_write_disk_set_options(
		out, ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM |
			     ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_ACL |
			     ARCHIVE_EXTRACT_XATTR |
			     ARCHIVE_EXTRACT_SECURE_SYMLINKS |
			     ARCHIVE_EXTRACT_SECURE_NODOTDOT |
			     ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
	if (archive_read_open_filename(in, archive, 1 << 20) != ARCHIVE_OK)
		return err_set(e, 0, "%s", archive_error_string(in));
	return copy_all(in, out, e);
}

static int extract_into(int dir, const char *name, struct err *e)
{
	char archive[PATH_MAX];
	int back CLEANUP(fd_closep) =
		open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (realpath(name, archive) == NULL)
		return err_set(e, errno, "open %s", name);
	if (back < 0 || fchdir(dir) < 0)
		return err_set(e, errno, "change to the scratch directory");
	r = extract(archive, e);
	if (fchdir(back) < 0)
		return err_set(e, errno, "change back");
	return r;
}

/* An overlay needs attributes that a tmpfs lacks, and memory is not disk. */
static int open_scratch(const char *scratch, uint64_t need, struct err *e)
{
	int fd CLEANUP(fd_closep) = -1;
	struct statfs fs;
	struct statvfs room;

	if (mkdir(scratch, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "mkdir %s", scratch);
	fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstatvfs(fd, &room) < 0)
		return err_set(e, errno, "open %s", scratch);
	if (fs.f_type == TMPFS_MAGIC)
		return err_set(e, 0, "%s is a tmpfs: give --scratch on a disk",
			       scratch);
	if ((uint64_t)room.f_bavail * room.f_frsize < need)
		return err_set(e, ENOSPC, "unpack below %s", scratch);
	return fd_steal(&fd);
}

static int fill(int scratch, const char *name, const char *archive,
		struct err *e)
{
	int dir CLEANUP(fd_closep) = -1;

	if (fd_remove_tree(scratch, name, e) < 0 ||
	    fd_mkdirs(scratch, name, e) < 0)
		return -1;
	dir = openat(scratch, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fchmod(dir, 0755) < 0)
		return err_set(e, errno, "open %s", name);
	if (extract_into(dir, archive, e) < 0)
		return err_wrap(e, "unpack %s", archive);
	return 0;
}

static const char *root_name(const struct verify_package *p, struct arena *mem)
{
	return arena_printf(mem, "root-%.32s", p->manifest_sha256);
}

const char *unpack_place(const struct verify_package *p, const char *scratch,
			 struct arena *mem)
{
	if (p->rootfs == NULL)
		return NULL;
	return p->rootfs_is_tree ?
		       arena_printf(mem, "%s/%s", p->dir, p->rootfs) :
		       arena_printf(mem, "%s/%s", scratch, root_name(p, mem));
}

int unpack_root(const struct verify_package *p, const char *scratch,
		struct arena *mem, const char **ret, struct err *e)
{
	const char *place = unpack_place(p, scratch, mem);
	const char *name = root_name(p, mem), *done;
	int fd CLEANUP(fd_closep) = -1;

	if (place == NULL)
		return err_set(e, 0, "%s: no root file system was packed",
			       p->dir);
	if (!p->rootfs_is_tree) {
		done = arena_printf(mem, "%s.done", name);
		fd = open_scratch(scratch, p->rootfs_bytes, e);
		if (fd < 0)
			return -1;
		if (faccessat(fd, done, F_OK, 0) < 0 &&
		    (fill(fd, name,
			  arena_printf(mem, "%s/%s", p->dir, p->rootfs),
			  e) < 0 ||
		     fd_replace(fd, done, "", 0, e) < 0))
			return -1;
	}
	*ret = place;
	return 0;
}
