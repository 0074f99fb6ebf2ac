/* Loop mounts that are in no name space. */
#include "image/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"

enum {
	TRIES = 64, /* others take free loop devices as well */
	PATH = 40,  /* bytes of "/dev/loop..." and "/proc/self/fd/..." */
};

/* The nth loop device with the bytes of the image. 1: another one took it. */
static int configure(int n, int image, uint64_t at, uint64_t size,
		     char ret_path[PATH], int *ret, struct err *e)
{
	struct loop_config c = {
		.fd = (uint32_t)image,
		.info = { .lo_offset = at,
			  .lo_sizelimit = size,
			  .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};
	int fd CLEANUP(fd_closep) = -1;

	snprintf(ret_path, PATH, "/dev/loop%d", n);
	fd = open(ret_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open %s", ret_path);
	if (ioctl(fd, LOOP_CONFIGURE, &c)) {
		if (errno == EBUSY)
			return 1;
		return err_set(e, errno, "%s: LOOP_CONFIGURE", ret_path);
	}
	*ret = fd;
	fd = -1;
	return 0;
}

static int open_loop(int image, uint64_t at, uint64_t size, char ret_path[PATH],
		     int *ret, struct err *e)
{
	int control CLEANUP(fd_closep) =
		open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return err_set(e, errno, "open /dev/loop-control");
	for (int i = 0; i < TRIES; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE), r;

		if (n < 0)
			return err_set(e, errno, "a free loop device");
		r = configure(n, image, at, size, ret_path, ret, e);
		if (r <= 0)
			return r;
	}
	return err_set(e, EBUSY, "a free loop device");
}

/* What the file system itself says ("e xfs: ..."), else the error. */
static int mount_fail(int fs, const char *name, int code, struct err *e)
{
	char text[200];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	if (n <= 2)
		return err_set(e, code, "mount %s", name);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_set(e, code, "mount %s: %s", name, text + 2);
}

static int set_options(int fd, const char *device,
		       const struct partition_fs *fs)
{
	if (fsconfig(fd, FSCONFIG_SET_STRING, "source", device, 0) ||
	    fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0))
		return -1;
	for (size_t i = 0; fs->options[i]; i++) {
		char key[32];
		const char *value = strchr(fs->options[i], '=');
		int r;

		snprintf(key, sizeof(key), "%.*s",
			 (int)strcspn(fs->options[i], "="), fs->options[i]);
		r = value ? fsconfig(fd, FSCONFIG_SET_STRING, key, value + 1,
				     0) :
			    fsconfig(fd, FSCONFIG_SET_FLAG, key, NULL, 0);
		if (r)
			return -1;
	}
	return fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int mount_device(const char *device, const struct partition_fs *fs,
			int *ret, struct err *e)
{
	int fd CLEANUP(fd_closep) = fsopen(fs->name, FSOPEN_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "mount %s: the kernel here has it not",
			       fs->name);
	if (set_options(fd, device, fs))
		return mount_fail(fd, fs->name, errno, e);
	*ret = fsmount(fd, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			       MOUNT_ATTR_NOATIME);
	return *ret < 0 ? mount_fail(fd, fs->name, errno, e) : 0;
}

int mount_open(const struct block *b, const struct partition_fs *fs,
	       const char *name, struct tree **ret, struct err *e)
{
	int loop CLEANUP(fd_closep) = -1, mount CLEANUP(fd_closep) = -1, image;
	char device[PATH], root[PATH];
	uint64_t at;

	if (geteuid() != 0)
		return err_set(e, EPERM, "%s: --mount", b->name);
	image = block_fd(b, &at);
	if (image < 0) {
		err_fill(e, 0,
			 "%s: %s in a ploop image cannot be mounted: qemu-img "
			 "convert -f parallels -O raw makes a raw image of it",
			 b->name, fs->name);
		e->code = EINVAL;
		return -1;
	}
	if (open_loop(image, at, b->size, device, &loop, e) ||
	    mount_device(device, fs, &mount, e))
		return err_wrap(e, "%s", b->name);
	snprintf(root, sizeof(root), "/proc/self/fd/%d", mount);
	if (tree_open_dir(root, ret, e))
		return err_wrap(e, "%s", b->name);
	tree_set_name(*ret, name);
	tree_set_still(*ret);
	return 0;
}
