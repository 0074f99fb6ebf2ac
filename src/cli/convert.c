/* rehost convert: write the guests below DIR. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/host_parts.h"
#include "cli/package.h"
#include "cli/planning.h"

struct converting {
	int dir; /* of the output; -1 in a dry run */
	json_t *index;
	json_t *host; /* what the new host needs, of all guests */
	size_t n_written;
	bool is_lost; /* the index could not be written */
};

/* In the worker: plan, and write unless it is blocked. */
static int convert_guest(void *planning, size_t i, struct buf *record,
			 struct buf *section, struct err *e)
{
	struct planning *p = planning;
	const struct converting *c = p->arg;
	struct work *w CLEANUP(work_freep) = NULL;
	json_t *doc CLEANUP(json_freep) = NULL;
	int same = 0;

	if (work_read(p->s, i, &w, e) < 0 || work_plan(w, e) < 0)
		return -1;
	w->progress = progress_slot(p->progress, i);
	if (w->verdict < VERDICT_BLOCKED && c->dir >= 0)
		same = package_write(w, c->dir, &doc, e);
	if (same < 0)
		return -1;
	if (doc == NULL)
		doc = work_document(w, false);
	json_put_bool(doc, "same", same == 1);
	if (w->verdict < VERDICT_BLOCKED)
		json_put(doc, "host_parts", host_parts_of(w));
	planning_render(p, doc, record, section);
	if (c->dir < 0) {
		buf_clear(section);
		package_plan(w, section);
	}
	return 0;
}

static int convert_one(void *planning, size_t i, struct buf *record,
		       struct buf *section, struct err *e)
{
	struct planning *p = planning;
	struct progress_slot *slot = progress_slot(p->progress, i);
	int r = convert_guest(p, i, record, section, e);

	if (slot != NULL) /* its result may have to wait for others' */
		__atomic_store_n(&slot->is_over, 1, __ATOMIC_RELAXED);
	return r;
}

static void now(char ret[32])
{
	const time_t t = time(NULL);
	struct tm tm;

	ret[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL)
		strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The entry of this key in the index, made anew. */
static json_t *fresh_entry(json_t *index, const char *key)
{
	json_t *guests = json_object_get(index, "guests"), *g,
	       *entry = json_object();
	size_t i;

	json_array_foreach (guests, i, g)
		if (str_eq(json_str(g, "key"), key)) {
			json_array_set_new(guests, i, entry);
			return entry;
		}
	json_array_append_new(guests, entry);
	return entry;
}

/* After each guest: index.json, replaced as a whole. */
static void note_guest(struct planning *p, size_t i, const json_t *record)
{
	struct converting *c = p->arg;
	struct buf b CLEANUP(buf_done) = { 0 };
	const char *verdict = json_str(record, "verdict");
	const bool written = str_eq(verdict, "ready") ||
			     str_eq(verdict, "review");
	const char *key = source_key(p->s->mem, p->s->sources.list.v[i]);
	char time[32];
	json_t *entry;
	struct err e;

	if (c->dir < 0)
		return;
	host_parts_add(c->host, json_object_get(record, "host_parts"));
	now(time);
	if (json_is_true(json_object_get(record, "same"))) {
		if (!p->s->o->quiet)
			log_note("%s: whole, and from the same input", key);
		return;
	}
	entry = fresh_entry(c->index, key);
	json_put_str(entry, "key", key);
	json_put_str(entry, "name", fleet_name(p->s->fleet, key));
	json_put_str(entry, "verdict", verdict);
	json_put(entry, "targets",
		 json_incref(json_object_get(record, "targets")));
	json_put(entry, "converted", json_text(written ? time : NULL));
	json_put_str(entry, "planned", time);
	json_write(&b, c->index);
	if (fd_replace(c->dir, "index.json", b.p, b.n, &e) < 0) {
		log_error("index.json: %s", e.msg);
		c->is_lost = true;
	}
	c->n_written += written;
	if (!p->s->o->quiet)
		log_note("%s: %s", key,
			 written                    ? "converted" :
			 str_eq(verdict, "blocked") ? "blocked: not converted" :
						      "failed");
}

static json_t *load_index(int dir)
{
	int fd CLEANUP(fd_closep) =
		dir < 0 ? -1 : openat(dir, "index.json", O_RDONLY | O_CLOEXEC);
	json_t *index = fd < 0 ? NULL : json_loadfd(fd, 0, NULL);

	if (index != NULL && json_is_array(json_object_get(index, "guests")))
		return index;
	if (index != NULL)
		json_decref(index);
	index = json_object();
	json_put_int(index, "schema", 1);
	json_put_str(index, "tool", "rehost " REHOST_VERSION);
	json_put(index, "guests", json_array());
	return index;
}

static int open_output(const struct options *o, int *ret, struct err *e)
{
	int fd;

	if (o->output == NULL)
		return err_set(e, EINVAL, "convert: -o DIR says where to");
	if (o->dry_run)
		return 0;
	if (mkdir(o->output, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make %s", o->output);
	fd = open(o->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open %s", o->output);
	*ret = fd;
	return fd_remove_temps(fd, e); /* a killed run's */
}

/* The fleet page beside the guests, written like everything else here. */
static int write_page(struct planning *p, int dir, struct err *e)
{
	int fd CLEANUP(fd_closep) = openat(
		dir, ".report.html.part",
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int r;

	if (f == NULL)
		return err_set(e, errno, "write report.html");
	fd_steal(&fd);
	r = planning_print(p, f, e);
	if (fclose(f) != 0 && r == 0)
		r = err_set(e, errno, "write report.html");
	if (r == 0 &&
	    renameat(dir, ".report.html.part", dir, "report.html") < 0)
		r = err_set(e, errno, "rename report.html");
	return r;
}

/* The summary for the terminal. */
static void print_summary(struct planning *p)
{
	struct report_options o = p->options;
	struct buf b CLEANUP(buf_done) = { 0 };

	o.single = false;
	o.color = options_color(p->s->o, STDOUT_FILENO);
	text_report.head(&b, &o, &p->totals);
	text_report.tail(&b, &o, &p->totals);
	fputs(buf_str(&b), stdout);
}

static int finish(struct planning *p, struct converting *c, struct err *e)
{
	if (c->dir < 0)
		return planning_sections(p, stdout, e);
	if (host_parts_write(c->host, c->dir, e) < 0 ||
	    write_page(p, c->dir, e) < 0)
		return -1;
	print_summary(p);
	return 0;
}

/* After a signal: what the workers that were killed had begun. */
static void clean_up(const struct planning *p, int dir)
{
	struct arena *mem = p->s->mem;
	struct err e;

	for (size_t i = 0; i < p->s->sources.list.n; i++) {
		const char *key, *name;

		if (!progress_runs(p->progress, i))
			continue;
		key = source_key(mem, p->s->sources.list.v[i]);
		name = fleet_name(p->s->fleet, key);
		if (fd_remove_tree(dir, arena_printf(mem, ".%s.part", name),
				   &e) < 0)
			log_error("%s: %s", key, e.msg);
	}
	if (fd_remove_temps(dir, &e) < 0)
		log_error("%s", e.msg);
}

int convert_run(const struct options *o, struct arena *mem, struct err *e)
{
	int dir CLEANUP(fd_closep) = -1;
	struct session *s CLEANUP(session_closep) = NULL;
	struct planning *p CLEANUP(planning_freep) = NULL;
	json_t *index CLEANUP(json_freep) = NULL;
	json_t *host CLEANUP(json_freep) = json_object();
	struct converting c;

	if (o->output == NULL)
		return open_output(o, &dir, e);
	if (session_open(o, mem, &s, e) < 0)
		return -1;
	if (s->sources.list.n == 0) {
		log_error("no guest was found; looked at %s",
			  session_places(s, mem));
		return EXIT_FAILED;
	}
	if (open_output(o, &dir, e) < 0 || session_fleet(s, e) < 0)
		return -1;
	index = load_index(dir);
	c = (struct converting){ .dir = dir, .index = index, .host = host };
	p = planning_new(s, &html_report, false);
	p->arg = &c;
	p->after = note_guest;
	p->verb = dir < 0 ? NULL : "converting";
	if (planning_run(p, convert_one, e) < 0) {
		if (batch_interrupted() && dir >= 0)
			clean_up(p, dir);
		return -1;
	}
	if (finish(p, &c, e) < 0)
		return -1;
	return c.is_lost ? EXIT_FAILED : planning_status(p);
}
