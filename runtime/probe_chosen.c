/*
 * What somebody chose for an interface though nobody planned it: a hardware
 * address that is not the kernel's own draw, a name of the host's end that is
 * none of those that engines make up.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/probe.h"

/* One line of a file in /sys/class/net/NAME; "-" where it cannot be read. */
static void read_line(const char *nic, const char *name, char ret[64])
{
	char path[128];
	int fd CLEANUP(fd_closep) = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%.16s/%s", nic, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, 63);
	ret[n < 0 ? 0 : n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (ret[0] == '\0')
		snprintf(ret, 64, "-");
}

/*
 * arg: descriptor of the guest's network namespace. "NAME ASSIGNED MAC" a
 * line. The guest may have no /sys, so a new one is mounted, seen by nobody.
 */
static void in_sys(int fd, const void *arg)
{
	const int *net = arg;
	const struct dirent *d;
	DIR *dir;

	if (setns(*net, CLONE_NEWNET) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs",
		  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return;
	dir = opendir("/sys/class/net");
	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		char assigned[64], mac[64];

		if (d->d_name[0] == '.')
			continue;
		read_line(d->d_name, "addr_assign_type", assigned);
		read_line(d->d_name, "address", mac);
		dprintf(fd, "%s %s %s\n", d->d_name, assigned, mac);
	}
	closedir(dir);
	dprintf(fd, "end\n");
}

/* NET_ADDR_SET of <linux/netdevice.h>: by dev_set_mac_address(). */
#define ASSIGNED_SET "3"

static void see_mac(struct probe *p, const struct strv *w)
{
	if (str_eq(w->v[1], ASSIGNED_SET) &&
	    policy_get(p->package->planned, FIELD_NIC_NAME, w->v[0]) != NULL &&
	    !probe_asked(p, FIELD_NIC_MAC, w->v[0]))
		probe_add(p, FIELD_NIC_MAC, w->v[0], w->v[2]);
}

int probe_chosen(struct probe *p, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct slice rest, line;
	bool whole = false;
	int net CLEANUP(fd_closep) = -1;

	if (p->subject->lab == NULL)
		return err_set(e, 0, "there is no lab to look from");
	net = open(arena_printf(p->mem, "/proc/%d/ns/net",
				(int)p->subject->init),
		   O_RDONLY | O_CLOEXEC);
	if (net < 0)
		return err_set(e, errno, "open its network namespace");
	if (p->subject->lab(p->subject->engine, in_sys, &net, 10, &b, e) < 0)
		return -1;
	rest = (struct slice){ buf_str(&b), b.n };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");

		whole = w.n == 1;
		if (w.n == 3)
			see_mac(p, &w);
	}
	return whole ? 0 : err_set(e, 0, "interfaces cannot be listed");
}

/* "veth" and a number, as the box makes it, or six of LXC's letters. */
static bool is_made_up(const char *name)
{
	static const char digits[] = "0123456789";
	static const char letters[] = "0123456789"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz";
	const char *rest = name + strlen("veth");

	if (!str_starts(name, "veth") || rest[0] == '\0')
		return false;
	return rest[strspn(rest, digits)] == '\0' ||
	       (strlen(rest) == 6 && rest[strspn(rest, letters)] == '\0');
}

void probe_host_name(struct probe *p, const char *nic, const char *name)
{
	if (probe_asked(p, FIELD_NIC_HOST_NAME, nic) || !is_made_up(name))
		probe_add(p, FIELD_NIC_HOST_NAME, nic, name);
}
