/* Archives become directories, with owners, lists and attributes. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/digest.h"
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

/* libarchive takes names by the locale of the thread; ours are in UTF-8. */
static int extract_utf8(const char *archive, struct err *e)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);
	int r = extract(archive, e);

	uselocale(before);
	if (utf8)
		freelocale(utf8);
	return r;
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
	r = extract_utf8(archive, e);
	if (fchdir(back) < 0)
		return err_set(e, errno, "change back");
	return r;
}

/* An overlay needs attributes that a tmpfs lacks, and memory is not disk. */
static int open_scratch(const char *scratch, struct err *e)
{
	int fd CLEANUP(fd_closep) = -1;
	struct statfs fs;

	if (mkdir(scratch, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "mkdir %s", scratch);
	fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(e, errno, "open %s", scratch);
	if (fs.f_type == TMPFS_MAGIC)
		return err_set(e, 0, "%s is a tmpfs: give --scratch on a disk",
			       scratch);
	return fd_steal(&fd);
}

static int check_room(int fd, const struct verify_package *p,
		      const char *scratch, struct err *e)
{
	struct statvfs room;

	if (fstatvfs(fd, &room) < 0)
		return err_set(e, errno, "ask for the room of %s", scratch);
	if ((uint64_t)room.f_bavail * room.f_frsize < p->rootfs_bytes)
		return err_set(e, ENOSPC, "unpack below %s", scratch);
	return 0;
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

/* The package that a root was unpacked of; it is locked while in use. */
static const char *lock_name(const char *root, struct arena *mem)
{
	return arena_printf(mem, "%s.of", root);
}

const char *unpack_place(const struct verify_package *p, const char *scratch,
			 struct arena *mem)
{
	if (p->tree != NULL)
		return p->tree;
	if (p->rootfs == NULL)
		return NULL;
	return p->rootfs_is_tree ?
		       arena_printf(mem, "%s/%s", p->dir, p->rootfs) :
		       arena_printf(mem, "%s/%s", scratch, root_name(p, mem));
}

/* The archive has to be the one that was written with the manifest. */
static int check_archive(const char *path, const char *sha256, struct err *e)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	struct digest *d = digest_new();
	char hex[DIGEST_HEX];
	char chunk[1 << 16];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		digest_add(d, chunk, (size_t)n);
	digest_end(d, hex);
	if (n < 0)
		return err_set(e, errno, "read %s", path);
	if (!str_eq(hex, sha256))
		return err_set(e, 0,
			       "%s was changed after the conversion: "
			       "manifest.json has another SHA-256",
			       path);
	return 0;
}

/* What a lock's file says; "" until the root is whole. */
static const char *owner_of(int lock, struct arena *mem)
{
	char text[PATH_MAX];
	const ssize_t n = pread(lock, text, sizeof(text), 0);

	return arena_strndup(mem, text, n <= 0 ? 0 : (size_t)n);
}

/* Opened and locked; another run may remove it in between. */
static int take_lock(int scratch, const char *name, int how, struct err *e)
{
	struct stat s;

	for (;;) {
		int fd CLEANUP(fd_closep) = openat(
			scratch, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0 || flock(fd, how) < 0 || fstat(fd, &s) < 0)
			return err_set(e, errno, "lock %s", name);
		if (s.st_nlink != 0)
			return fd_steal(&fd);
	}
}

static int unpack(const struct verify_package *p, int scratch, int lock,
		  const char *name, struct arena *mem, struct err *e)
{
	const char *archive = arena_printf(mem, "%s/%s", p->dir, p->rootfs);
	char dir[PATH_MAX];
	ssize_t n;

	if (owner_of(lock, mem)[0] != '\0')
		return 0; /* another run was faster */
	if (realpath(p->dir, dir) == NULL)
		return err_set(e, errno, "open %s", p->dir);
	if (check_archive(archive, p->rootfs_sha256, e) < 0 ||
	    fill(scratch, name, archive, e) < 0)
		return -1;
	n = (ssize_t)strlen(dir);
	return pwrite(lock, dir, (size_t)n, 0) == n ?
		       0 :
		       err_set(e, errno, "write %s.of", name);
}

/* Whether the package is there still, with the manifest it was unpacked of. */
static bool fits(const char *dir, const char *name, struct arena *mem)
{
	struct verify_package p = { 0 };
	struct err e;

	return verify_load_digest(dir, mem, &p.manifest_sha256, &e) == 0 &&
	       str_eq(root_name(&p, mem), name);
}

static void prune_one(int scratch, const char *name, struct arena *mem)
{
	const char *lock_file = lock_name(name, mem);
	struct err e;
	int lock CLEANUP(fd_closep) =
		take_lock(scratch, lock_file, LOCK_EX | LOCK_NB, &e);

	if (lock < 0 || fits(owner_of(lock, mem), name, mem))
		return;
	if (fd_remove_tree(scratch, name, &e) == 0)
		unlinkat(scratch, lock_file, 0);
}

static bool is_root(const char *name)
{
	return str_starts(name, "root-") &&
	       strlen(name) == strlen("root-") + 32;
}

/*
 * Roots that no run uses and whose package is gone, or was converted anew, or
 * that were not unpacked to their end.
 */
static void prune(int scratch, struct arena *mem)
{
	const int fd = openat(scratch, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (is_root(entry->d_name))
			prune_one(scratch, entry->d_name, mem);
	if (d != NULL)
		closedir(d);
}

int unpack_root(const struct verify_package *p, const char *scratch,
		struct arena *mem, const char **ret, int *ret_lock,
		struct err *e)
{
	const char *place = unpack_place(p, scratch, mem);
	const char *name = root_name(p, mem), *lock_file = lock_name(name, mem);
	int fd CLEANUP(fd_closep) = -1;
	int lock CLEANUP(fd_closep) = -1;

	if (place == NULL)
		return err_set(e, 0, "%s: no root file system was packed",
			       p->dir);
	fd = open_scratch(scratch, e);
	if (fd < 0)
		return -1;
	if (!p->rootfs_is_tree && p->tree == NULL) {
		lock = take_lock(fd, lock_file, LOCK_SH, e);
		if (lock < 0)
			return -1;
		prune(fd, mem);
		while (owner_of(lock, mem)[0] == '\0') {
			fd_closep(&lock);
			lock = take_lock(fd, lock_file, LOCK_EX, e);
			if (lock < 0 || check_room(fd, p, scratch, e) < 0 ||
			    unpack(p, fd, lock, name, mem, e) < 0)
				return -1;
			if (flock(lock, LOCK_SH) < 0)
				return err_set(e, errno, "lock %s", lock_file);
		}
	}
	*ret = place;
	*ret_lock = fd_steal(&lock);
	return 0;
}
