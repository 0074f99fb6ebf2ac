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

static int open_records(const char *package, struct err *e)
{
	int dir CLEANUP(fd_closep) =
		open(package, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int sub;

	if (dir < 0)
		return err_set(e, errno, "open %s", package);
	if (fd_mkdirs(dir, "verify", e) < 0)
		return -1;
	sub = openat(dir, "verify", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return sub < 0 ? err_set(e, errno, "open %s/verify", package) : sub;
}

/* A whole file takes the first name that is free, unlike with a rename. */
static int publish(int dir, const char *part, const char *name,
		   struct arena *mem, struct err *e)
{
	const char *to = arena_printf(mem, "%s.json", name);

	for (unsigned i = 1; linkat(dir, part, dir, to, 0) < 0; i++) {
		if (errno != EEXIST)
			return err_set(e, errno, "write verify/%s", to);
		to = arena_printf(mem, "%s.%u.json", name, i);
	}
	return 0;
}

int verify_record(const struct verify_run *v, struct arena *mem, struct err *e)
{
	int dir CLEANUP(fd_closep) = open_records(v->package->dir, e);
	struct buf b CLEANUP(buf_done) = { 0 };
	json_t *guests = json_array();
	json_t *doc CLEANUP(json_freep) = NULL;
	const char *part = arena_printf(mem, ".part.%d", (int)getpid());
	char now[32];
	int r;

	json_array_append_new(guests, verify_report_guest(v));
	doc = verify_report_document("rehost " REHOST_VERSION,
				     verify_record_host(mem), guests);
	json_write(&b, doc);
	if (dir < 0 || fd_replace(dir, part, b.p, b.n, e) < 0)
		return -1;
	utc(now);
	r = publish(dir, part,
		    arena_printf(mem, "%s-%s-%s", v->package->target, v->engine,
				 now),
		    mem, e);
	unlinkat(dir, part, 0);
	return r;
}
