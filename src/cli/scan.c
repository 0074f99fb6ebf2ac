/* rehost scan: the inventory. Reads and looks, decides nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/num.h"
#include "batch.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "plan/plan.h"
#include "report/report.h"

struct scanning {
	struct session *s;
	struct strv guests; /* documents as compact JSON, in order */
	size_t n_failed;
};

static json_t *addresses(const struct guest *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->addrs.n; i++)
		if (g->addrs.v[i]->ip.from != NULL)
			json_array_append_new(list,
					      json_text(g->addrs.v[i]->ip.v));
	return list;
}

static json_t *pair(const char *a, const struct opt_str *av, const char *b,
		    const struct opt_str *bv)
{
	json_t *o = json_object();

	json_put(o, a, json_text(av->from != NULL ? av->v : NULL));
	json_put(o, b, json_text(bv->from != NULL ? bv->v : NULL));
	return o;
}

static json_t *apps(const struct guest *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->apps.n; i++)
		json_array_append_new(list, json_text(g->apps.v[i]));
	return list;
}

/* One guest as design 1.4 lists it. */
static json_t *entry(const struct work *w)
{
	const struct guest *g = w->g;
	json_t *o = json_object();

	json_put_str(o, "key", g->key);
	json_put_str(o, "host", g->host);
	json_put_str(o, "kind", g->kind);
	json_put_str(o, "id", g->id);
	json_put_str(o, "name", g->name);
	json_put_str(o, "state", g->state);
	json_put_str(o, "source", g->source);
	json_put(o, "rootfs", json_text(w->root != NULL ? g->rootfs.v : NULL));
	json_put(o, "bytes",
		 g->measured ? json_integer((json_int_t)g->n_bytes) :
			       json_null());
	json_put(o, "files",
		 g->measured ? json_integer((json_int_t)g->n_files) :
			       json_null());
	json_put(o, "addresses", addresses(g));
	json_put(o, "os", pair("id", &g->os_id, "version", &g->os_version));
	json_put(o, "init",
		 pair("kind", &g->init_kind, "version", &g->init_version));
	json_put(o, "arch", json_text(g->arch.from != NULL ? g->arch.v : NULL));
	json_put(o, "apps", apps(g));
	json_put(o, "last_used", json_text(g->last_used));
	json_put_bool(o, "autostart",
		      g->autostart.from != NULL && g->autostart.v);
	return o;
}

static int scan_one(void *arg, size_t i, struct buf *record,
		    struct buf *section, struct err *e)
{
	struct scanning *sc = arg;
	struct work *w CLEANUP(work_freep) = NULL;
	json_t *j CLEANUP(json_freep) = NULL;

	(void)section;
	if (work_read(sc->s, i, &w, e) < 0 || work_look(w, e) < 0)
		return -1;
	j = entry(w);
	json_write_compact(record, j);
	return 0;
}

static int scan_enter(void *arg, struct err *e)
{
	return session_confine(((struct scanning *)arg)->s, NULL, e);
}

static void scan_done(void *arg, size_t i, const struct batch_result *r)
{
	struct scanning *sc = arg;
	const struct source *src = sc->s->sources.list.v[i];

	if (!r->ok) {
		log_error("%s: %s", source_key(sc->s->mem, src), r->why);
		sc->n_failed++;
		return;
	}
	strv_add(sc->s->mem, &sc->guests,
		 arena_strdup(sc->s->mem, buf_str(&r->record)));
}

/* One at a time: as text a guest takes a fraction of its document. */
static json_t *guest_at(const struct scanning *sc, size_t i)
{
	return json_loads(sc->guests.v[i], 0, NULL);
}

static void first_address(const json_t *g, char ret[64])
{
	const json_t *list = json_object_get(g, "addresses");
	const size_t n = json_array_size(list);

	if (n == 0)
		snprintf(ret, 64, "-");
	else if (n == 1)
		snprintf(ret, 64, "%s",
			 json_string_value(json_array_get(list, 0)));
	else
		snprintf(ret, 64, "%s +%zu",
			 json_string_value(json_array_get(list, 0)), n - 1);
}

static const char *part(const json_t *g, const char *object, const char *key)
{
	const char *s = json_str(json_object_get(g, object), key);

	return s[0] == '\0' ? "-" : s;
}

/* A name of a guest or path may hold anything: as one line of text. */
static const char *printable(struct arena *mem, const char *s)
{
	return str_show(mem, s, strlen(s), 0);
}

static void print_row(const json_t *g, int width)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const bool sized = json_is_integer(json_object_get(g, "bytes"));
	char address[64], os[64], size[24] = "-";
	const char *root = json_str(g, "rootfs");

	first_address(g, address);
	snprintf(os, sizeof(os), "%s %s", part(g, "os", "id"),
		 part(g, "os", "version"));
	if (sized)
		num_show_size(json_num(g, "bytes"), size);
	printf("%-*s %-8s %-20s %-18s %-10s %10s  %s\n", width,
	       printable(mem, json_str(g, "key")), json_str(g, "state"),
	       address, printable(mem, os), part(g, "init", "kind"), size,
	       root[0] == '\0' ? "(not there)" : printable(mem, root));
}

static size_t key_width(const json_t *g)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return strlen(printable(mem, json_str(g, "key")));
}

static void print_table(const struct scanning *sc)
{
	size_t width = 5;

	for (size_t i = 0; i < sc->guests.n; i++) {
		json_t *g CLEANUP(json_freep) = guest_at(sc, i);
		const size_t n = key_width(g);

		width = n > width && n <= 40 ? n : width;
	}
	printf("%-*s %-8s %-20s %-18s %-10s %10s  %s\n", (int)width, "GUEST",
	       "STATE", "ADDRESSES", "SYSTEM", "INIT", "SIZE", "ROOT");
	for (size_t i = 0; i < sc->guests.n; i++) {
		json_t *g CLEANUP(json_freep) = guest_at(sc, i);

		print_row(g, (int)width);
	}
}

static void add_csv(struct buf *b, const json_t *g)
{
	const bool starts = json_is_true(json_object_get(g, "autostart"));
	char address[64];

	first_address(g, address);
	report_csv_cell(b, json_str(g, "key"), ",");
	report_csv_cell(b, json_str(g, "state"), ",");
	report_csv_cell(b, json_str(g, "source"), ",");
	report_csv_cell(b, json_str(g, "rootfs"), ",");
	report_csv_cell(b, address, ",");
	report_csv_cell(b, json_str(json_object_get(g, "os"), "id"), ",");
	report_csv_cell(b, json_str(json_object_get(g, "os"), "version"), ",");
	report_csv_cell(b, json_str(json_object_get(g, "init"), "kind"), ",");
	report_csv_cell(b, json_str(g, "arch"), ",");
	report_csv_cell(b, starts ? "yes" : "no", ",");
	report_csv_cell(b, json_str(g, "last_used"), ",");
	if (json_is_integer(json_object_get(g, "bytes")))
		buf_printf(b, "%" PRIu64 ",%" PRIu64 "\r\n",
			   json_num(g, "bytes"), json_num(g, "files"));
	else
		buf_adds(b, ",\r\n");
}

static void print_csv(const struct scanning *sc)
{
	fputs("key,state,source,rootfs,address,os,os_version,init,arch,"
	      "autostart,last_used,bytes,files\r\n",
	      stdout);
	for (size_t i = 0; i < sc->guests.n; i++) {
		json_t *g CLEANUP(json_freep) = guest_at(sc, i);
		struct buf b CLEANUP(buf_done) = { 0 };

		add_csv(&b, g);
		fputs(buf_str(&b), stdout);
	}
}

static void print_json(const struct scanning *sc)
{
	fputs("{\n\"schema\": 1,\n\"guests\": [", stdout);
	for (size_t i = 0; i < sc->guests.n; i++) {
		json_t *g CLEANUP(json_freep) = guest_at(sc, i);
		struct buf b CLEANUP(buf_done) = { 0 };

		json_write(&b, g);
		printf("%s%s", i == 0 ? "\n" : ",\n", buf_str(&b));
	}
	fputs("]\n}\n", stdout);
}

static const struct {
	const char *name;
	void (*print)(const struct scanning *sc);
} formats[] = {
	{ "table", print_table },
	{ "json", print_json },
	{ "csv", print_csv },
};

static int find_format(const char *name, size_t *ret, struct err *e)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (str_eq(formats[i].name, name == NULL ? "table" : name)) {
			*ret = i;
			return 0;
		}
	return err_set(e, EINVAL,
		       "--format=%s: scan writes table, json and csv", name);
}

int scan_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct session *s CLEANUP(session_closep) = NULL;
	struct scanning sc = { 0 };
	struct batch b = { .jobs = o->jobs,
			   .seconds = 3600,
			   .arg = &sc,
			   .enter = scan_enter,
			   .run = scan_one,
			   .done = scan_done };
	size_t format;

	if (find_format(o->format, &format, e) < 0 ||
	    session_open(o, mem, &s, e) < 0)
		return -1;
	if (s->sources.list.n == 0) {
		log_error("no guest was found; looked at %s",
			  session_places(s, mem));
		return EXIT_FAILED;
	}
	sc.s = s;
	b.n = s->sources.list.n;
	if (batch_run(&b, e) < 0)
		return -1;
	formats[format].print(&sc);
	return sc.n_failed != 0 ? EXIT_FAILED : EXIT_OK;
}
