/*
 * What the old tool did before it started a guest without an init: it cleared
 * the files of /var/run and /var/lock and left a record of the run level. The
 * loopback interface, which was the host's, is set up.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "runtime/shim/shim.h"

enum { DEPTH = 64 }; /* a descriptor each; nothing of use lies deeper */

/*
 * Removes what is no directory below fd, which is closed. No link is followed
 * and no other file system entered: what is mounted there is not ours.
 */
static void clear(int fd, dev_t dev, unsigned depth, unsigned *count)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *d;
	struct stat st;

	if (dir == NULL) {
		close(fd);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		int sub;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_dev != dev)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			*count += unlinkat(fd, d->d_name, 0) == 0;
			continue;
		}
		if (depth == DEPTH)
			continue;
		sub = openat(fd, d->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			clear(sub, dev, depth + 1, count);
	}
	closedir(dir);
}

static void clear_path(const char *path)
{
	const int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	unsigned count = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (errno != ENOENT)
			shim_log("clear %s: %s", path,
				 errno == ELOOP || errno == ENOTDIR ?
					 "is no directory of its own" :
					 strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	clear(fd, st.st_dev, 0, &count);
	shim_log("clear %s: %u files", path, count);
}

static void loopback(void)
{
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo" };

	if (s < 0)
		return;
	if (ioctl(s, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_UP) == 0) {
		r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
		if (ioctl(s, SIOCSIFFLAGS, &r) == 0)
			shim_log("lo is up");
		else
			shim_log("set lo up: %s", strerror(errno));
	}
	close(s);
}

/* As init would: the level, and 'N' for the one before it. */
static void record_level(const char *path, const char *level)
{
	const int fd = open(path,
			    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
				    O_NONBLOCK | O_CLOEXEC,
			    0644);
	struct utmp u = { .ut_type = RUN_LVL, .ut_id = { '~', '~' } };
	ssize_t n = -1;

	strncpy(u.ut_user, "runlevel", sizeof(u.ut_user) - 1);
	u.ut_line[0] = '~';
	u.ut_pid = (pid_t)(unsigned char)level[0] + ('N' << 8);
	u.ut_tv.tv_sec = (int)time(NULL);
	if (fd >= 0)
		n = write(fd, &u, sizeof(u));
	if (n != (ssize_t)sizeof(u))
		shim_log("record run level %s in %s: %s", level, path,
			 strerror(errno));
	else
		shim_log("run level %s is recorded in %s", level, path);
	if (fd >= 0)
		close(fd);
}

void shim_prepare(const struct shim_conf *c)
{
	for (size_t i = 0; i < c->clear.n; i++)
		clear_path(c->clear.v[i]);
	loopback();
	if (c->utmp != NULL && c->runlevel != NULL && c->runlevel[0] != '\0')
		record_level(c->utmp, c->runlevel);
}
