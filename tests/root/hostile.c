/*
 * What a hostile guest tries. A line each: "refused WHAT (errno)" or
 * "DONE WHAT". Built statically by hostile.sh; runs as the guest's root.
 *
 * usage: hostile HOSTPID MAJOR MINOR [WHAT...]
 *	a process of the host, and its disk; only those WHAT are tried
 *	hostile key COMMAND...
 *	runs it in a session with a key of its own
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t victim;
static dev_t disk;

static int done(long rc)
{
	return rc < 0 ? errno : 0;
}

/* Opened to write, and what stands there already is written. */
static int write_same(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	return done(write(fd, text, strlen(text)));
}

static int read_some(const char *path)
{
	char b[512];
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? errno : done(read(fd, b, sizeof(b)));
}

static int sysrq(void)
{
	return write_same("/proc/sysrq-trigger", "h"); /* prints a help */
}

static int core_pattern(void)
{
	char b[256];
	const int fd =
		open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof(b) - 1);

	if (n < 0)
		return errno;
	b[n] = '\0';
	return write_same("/proc/sys/kernel/core_pattern", b);
}

static int kcore(void)
{
	return read_some("/proc/kcore");
}

static int open_node(mode_t type, dev_t dev)
{
	unlink("/tmp/node");
	if (mknod("/tmp/node", type | 0600, dev) < 0)
		return errno;
	return read_some("/tmp/node");
}

static int disk_node(void)
{
	return open_node(S_IFBLK, disk);
}

static int memory_node(void)
{
	return open_node(S_IFCHR, makedev(1, 1));
}

static int kmsg_node(void)
{
	return open_node(S_IFCHR, makedev(1, 11));
}

static int mount_disk(void)
{
	static const char *const types[] = { "ext4", "xfs", "btrfs" };
	int why = ENODEV;

	mkdir("/mnt", 0755);
	unlink("/tmp/node");
	if (mknod("/tmp/node", S_IFBLK | 0600, disk) < 0)
		why = errno;
	for (unsigned i = 0; i < 3; i++) {
		if (mount("/tmp/node", "/mnt", types[i], MS_RDONLY, NULL) == 0)
			return 0;
		why = errno;
	}
	return why;
}

static int release_agent(void)
{
	static const char *const places[] = { "/mnt/release_agent",
					      "/sys/fs/cgroup/release_agent" };
	int why;

	mkdir("/mnt", 0755);
	why = done(mount("x", "/mnt", "cgroup", 0, "memory"));

	if (why != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) == 0)
		why = done(mount("x", "/mnt", "cgroup", 0, "memory"));
	for (unsigned i = 0; i < 2; i++) {
		const int fd = open(places[i], O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			return 0;
		if (why == 0)
			why = errno;
	}
	return why;
}

/* The host's number means nobody, or somebody else, in here. */
static bool is_victim(void)
{
	char path[64], b[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)victim);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, b, sizeof(b) - 1) < 0)
		return false;
	return strncmp(b, "sleep", 5) == 0;
}

static int trace(void)
{
	const int why = done(ptrace(PTRACE_ATTACH, victim, NULL, NULL));

	return why == 0 && !is_victim() ? ESRCH : why;
}

static int kill_it(void)
{
	const int why = done(kill(victim, SIGKILL));

	return why == 0 && !is_victim() ? ESRCH : why;
}

static int join(const char *ns, int type)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)victim, ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : done(setns(fd, type));
}

static int join_net(void)
{
	return join("net", CLONE_NEWNET);
}

static int join_mounts(void)
{
	return join("mnt", CLONE_NEWNS);
}

/* The host listens on that name of its own network. */
static int reach_socket(void)
{
	static const char name[] = "\0rehost-hostile";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, name, sizeof(name) - 1);
	return fd < 0 ? errno :
			done(connect(fd, (struct sockaddr *)&at,
				     (socklen_t)(offsetof(struct sockaddr_un,
							  sun_path) +
						 sizeof(name) - 1)));
}

/* hostile key puts it into the session's keyring of who runs the guest. */
static const char key[] = "rehost-hostile";

static int find_key(void)
{
	return done(syscall(SYS_request_key, "user", key, NULL, 0));
}

static int set_clock(void)
{
	/* not by the C library, which reads the time that is not there */
	return done(syscall(SYS_settimeofday, NULL, NULL));
}

static int load_module(void)
{
	const long rc = syscall(SYS_init_module, "", 0, "");

	return rc < 0 && (errno == ENOEXEC || errno == EFAULT) ? 0 : done(rc);
}

/* The root of what the working directory's file system is on. */
static int open_handle(void)
{
	struct {
		struct file_handle h;
		unsigned char bytes[8];
	} f = { .h = { .handle_bytes = 8, .handle_type = 1 }, { 2 } };
	const int at = open("/", O_RDONLY | O_CLOEXEC);
	const int fd = open_by_handle_at(at, &f.h, O_RDONLY);
	struct stat a, b;

	if (fd < 0)
		return errno;
	return fstat(fd, &a) == 0 && stat("/", &b) == 0 &&
			       a.st_ino == b.st_ino ?
		       ENOENT :
		       0;
}

static int leave_root(void)
{
	const int fd = open("/", O_RDONLY | O_CLOEXEC);
	struct stat own, top;

	if (fstat(fd, &own) < 0 || chroot("/tmp") < 0 || fchdir(fd) < 0)
		return errno;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return errno;
	if (stat(".", &top) < 0)
		return errno;
	return top.st_ino == own.st_ino && top.st_dev == own.st_dev ? EXDEV : 0;
}

static const struct {
	const char *what;
	int (*try)(void);
} tries[] = {
	{ "sysrq-trigger", sysrq },
	{ "core_pattern", core_pattern },
	{ "kcore", kcore },
	{ "a node of the host's disk", disk_node },
	{ "a node of the memory", memory_node },
	{ "a node of the kernel's log", kmsg_node },
	{ "mounting the host's disk", mount_disk },
	{ "release_agent", release_agent },
	{ "tracing a process of the host", trace },
	{ "killing a process of the host", kill_it },
	{ "joining the host's network", join_net },
	{ "joining the host's mounts", join_mounts },
	{ "a socket of the host", reach_socket },
	{ "a key of the host's session", find_key },
	{ "the clock", set_clock },
	{ "loading a module", load_module },
	{ "a file by its handle", open_handle },
	{ "leaving the root", leave_root },
};

static int with_key(char **command)
{
	enum { JOIN_SESSION_KEYRING = 1, SESSION_KEYRING = -3 };

	if (syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", key, "x", 1, SESSION_KEYRING) < 0)
		perror("key");
	execvp(command[0], command);
	return 127;
}

static bool is_asked(int argc, char **argv, const char *what)
{
	for (int i = 4; i < argc; i++)
		if (strcmp(argv[i], what) == 0)
			return true;
	return argc == 4;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "key") == 0)
		return with_key(argv + 2);
	if (argc < 4)
		return 2;
	victim = (pid_t)atoi(argv[1]);
	disk = makedev(atoi(argv[2]), atoi(argv[3]));
	for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int status;
		pid_t pid;

		if (!is_asked(argc, argv, tries[i].what))
			continue;
		pid = fork();
		if (pid == 0)
			_exit(tries[i].try());
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			printf("DONE %s\n", tries[i].what);
		else if (WIFEXITED(status))
			printf("refused %s (%d)\n", tries[i].what,
			       WEXITSTATUS(status));
		else
			printf("DIED %s\n", tries[i].what);
	}
	return 0;
}
