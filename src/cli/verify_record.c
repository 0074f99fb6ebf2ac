/* DIR/NAME/verify/TARGET-ENGINE-TIME.json: what a verification has seen. */
#include <dirent.h>
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
		    arena_printf(mem, "%s-%s-%s%s", v->package->target,
				 v->engine,
				 v->baseline == NULL ? "" : "running-", now),
		    mem, e);
	unlinkat(dir, part, 0);
	return r;
}

/* --- records of before --- */

/* publish: "T.json", "T.1.json", "T.2.json" */
int verify_record_cmp(const char *a, const char *b)
{
	static const char end[] = ".json";
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *const name[] = { a, b };
	const char *stem[2];

	for (size_t i = 0; i < COUNT(name); i++)
		stem[i] = arena_strndup(
			mem, name[i],
			strlen(name[i]) -
				(str_ends(name[i], end) ? strlen(end) : 0));
	return strverscmp(stem[0], stem[1]);
}

/* What is there of records that would do. */
struct search {
	const struct verify_package *p;
	const char *engine;
	enum verify_verdict least;
	struct arena *mem;
	const char *time; /* of the best so far, NULL: none */
	bool own;         /* the best is of the engine */
	const char *file;
	json_t *guest;
	size_t n, current; /* records; of the conversion that is there now */
};

static bool would_do(struct search *s, const json_t *g)
{
	if (!json_is_object(g) ||
	    !str_eq(json_str(g, "target"), s->p->target) ||
	    json_is_string(json_object_get(g, "compared_with")))
		return false;
	s->n++;
	if (!str_eq(json_str(g, "manifest_sha256"), s->p->manifest_sha256))
		return false;
	s->current++;
	return verify_verdict_find(json_str(g, "verdict")) != VERIFIED__MAX &&
	       verify_verdict_find(json_str(g, "verdict")) >= s->least;
}

static void consider(struct search *s, const char *name)
{
	const char *file = arena_printf(s->mem, "verify/%s", name);
	const char *path = arena_printf(s->mem, "%s/%s", s->p->dir, file);
	json_t *doc CLEANUP(json_freep) = json_load_file(path, 0, NULL);
	json_t *g = json_array_get(json_object_get(doc, "guests"), 0);
	const char *time = json_str(json_object_get(doc, "host"), "time");
	const bool own = str_eq(json_str(g, "engine"), s->engine);
	int later = s->time == NULL ? 1 : strcmp(time, s->time);

	if (later == 0)
		later = verify_record_cmp(file, s->file);
	if (!would_do(s, g) ||
	    (s->time != NULL && (own != s->own ? s->own : later <= 0)))
		return;
	json_decref(s->guest);
	s->guest = json_incref(g);
	s->own = own;
	s->time = arena_strdup(s->mem, time);
	s->file = file;
}

static void take_items(const json_t *g, struct arena *mem,
		       struct verify_baseline *ret)
{
	const json_t *checks = json_object_get(g, "checks"), *c;
	size_t i;

	json_array_foreach (checks, i, c)
		*vec_add(mem, &ret->items) = (struct verify_recorded){
			.item = arena_strdup(mem, json_str(c, "item")),
			.seen = !str_eq(json_str(c, "relation"), "unseen"),
		};
}

static int say_none(const struct search *s, struct err *e)
{
	if (s->n == 0)
		return err_set(e, 0,
			       "there is no record of a verification for %s "
			       "to compare with: run rehost verify first",
			       s->p->target);
	if (s->current == 0)
		return err_set(e, 0,
			       "converted again since it was verified: run "
			       "rehost verify first");
	return err_set(e, 0, "no record has the verdict %s or better",
		       verify_verdict_name(s->least));
}

int verify_record_find(const struct verify_package *p, const char *engine,
		       enum verify_verdict least, struct arena *mem,
		       struct verify_baseline *ret, struct err *e)
{
	struct search s = {
		.p = p, .engine = engine, .least = least, .mem = mem
	};
	DIR *d = opendir(arena_printf(mem, "%s/verify", p->dir));
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && str_ends(entry->d_name, ".json"))
			consider(&s, entry->d_name);
	if (d != NULL)
		closedir(d);
	if (s.guest == NULL)
		return say_none(&s, e);
	*ret = (struct verify_baseline){
		.file = s.file,
		.verdict = verify_verdict_find(json_str(s.guest, "verdict")),
	};
	take_items(s.guest, mem, ret);
	json_decref(s.guest);
	return 0;
}
