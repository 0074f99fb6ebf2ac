/* DIR/NAME/verify/TARGET-ENGINE-TIME.json: what a verification has seen. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/verify_record.h"

/* RFC 3339, UTC. A record is evidence: it holds the real time. */
static void utc(char ret[32])
{
	const time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *lsm_of(struct arena *mem)
{
	char text[256];
	int fd CLEANUP(fd_closep) =
		open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n <= 0 ? NULL : arena_strndup(mem, text, (size_t)n);
}

json_t *verify_record_host(struct arena *mem)
{
	const bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
	json_t *o = json_object();
	struct utsname u;
	char now[32];

	uname(&u);
	utc(now);
	json_put_str(o, "kernel", u.release);
	json_put_str(o, "cgroup", v2 ? "v2" : "v1");
	json_put(o, "lsm", json_text(lsm_of(mem)));
	json_put_str(o, "time", now);
	return o;
}

/* DIR/verify/TARGET-ENGINE-TIME.json, never over another. */
int verify_record(const struct verify_run *v, struct arena *mem, struct err *e)
{
	int dir CLEANUP(fd_closep) =
		open(v->package->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int sub CLEANUP(fd_closep) = -1;
	struct buf b CLEANUP(buf_done) = { 0 };
	json_t *guests = json_array();
	json_t *doc CLEANUP(json_freep) = NULL;
	const char *name;
	char now[32];

	if (dir < 0)
		return err_set(e, errno, "open %s", v->package->dir);
	if (fd_mkdirs(dir, "verify", e) < 0)
		return -1;
	sub = openat(dir, "verify", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sub < 0)
		return err_set(e, errno, "open %s/verify", v->package->dir);
	utc(now);
	name = arena_printf(mem, "%s-%s-%s", v->package->target, v->engine,
			    now);
	for (unsigned i = 1;
	     faccessat(sub, arena_printf(mem, "%s.json", name), F_OK, 0) == 0;
	     i++)
		name = arena_printf(mem, "%s-%s-%s.%u", v->package->target,
				    v->engine, now, i);
	json_array_append_new(guests, verify_report_guest(v));
	doc = verify_report_document("rehost " REHOST_VERSION,
				     verify_record_host(mem), guests);
	json_write(&b, doc);
	return fd_replace(sub, arena_printf(mem, "%s.json", name), b.p, b.n, e);
}
