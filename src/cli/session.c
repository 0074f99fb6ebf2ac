/* Opening what a command works on. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "batch.h"
#include "cli/session.h"
#include "cli/work.h"
#include "facts.h"
#include "plan/options.h"

static const char default_site[] = "/etc/rehost.conf";
static const char capture_name[] = "/rehost-capture.txt";

/* "vs1" of etc/hostname beneath the root, the directory's name, "localhost". */
static const char *host_name(struct arena *mem, struct tree *t, const char *dir)
{
	const char *data, *slash;
	struct slice rest, line;
	size_t n;
	struct err e;

	if (tree_read(t, "/etc/hostname", 4096, mem, &data, &n, &e) == 0) {
		rest = (struct slice){ data, n };
		while (slice_next(&rest, '\n', &line)) {
			line = slice_trim(line);
			if (line.n != 0 && line.p[0] != '#')
				return str_show(mem, line.p,
						strcspn(slice_dup(mem, line),
							". /:"),
						64);
		}
	}
	slash = strrchr(dir, '/');
	if (slash != NULL && slash[1] != '\0')
		return slash + 1;
	return "localhost";
}

static int read_facts(struct session *s, struct host *h, struct err *e)
{
	struct facts *f;

	if (!tree_exists(h->tree, capture_name))
		return 0;
	if (facts_read(h->tree, capture_name, s->mem, &f, e) < 0)
		return err_wrap(e, "%s", h->dir);
	h->facts = f;
	if (!f->complete)
		log_warn("%s%s: the end is missing: the capture was cut off",
			 h->dir, capture_name);
	return 0;
}

static int add_host(struct session *s, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	const char *dir = eq == NULL || text[0] == '/' ? text : eq + 1;
	struct host *h;

	h = pvec_add(s->mem, &s->hosts);
	h->dir = dir;
	if (tree_open_dir(dir, &h->tree, e) < 0)
		return err_wrap(e, "--root=%s", text);
	tree_set_name(h->tree, "");
	h->name = dir == text ?
			  host_name(s->mem, h->tree, dir) :
			  arena_strndup(s->mem, text, (size_t)(eq - text));
	for (size_t i = 0; i + 1 < s->hosts.n; i++)
		if (str_eq(s->hosts.v[i]->name, h->name))
			return err_set(e, EINVAL,
				       "--root=%s: \"%s\" is the name of %s "
				       "too: give --root=NAME=%s",
				       text, h->name, s->hosts.v[i]->dir, dir);
	return read_facts(s, h, e);
}

/* --facts FILE: of the only root, or of the one whose host it names. */
static int add_facts(struct session *s, const char *path, struct err *e)
{
	struct host *h = s->hosts.n == 1 ? s->hosts.v[0] : NULL;
	struct facts *f;

	if (facts_read(NULL, path, s->mem, &f, e) < 0)
		return -1;
	for (size_t i = 0; i < s->hosts.n; i++)
		if (f->hostname != NULL &&
		    str_eq(f->hostname, s->hosts.v[i]->name))
			h = s->hosts.v[i];
	if (h == NULL)
		return err_set(e, EINVAL,
			       "--facts=%s: recorded on \"%s\", which is none "
			       "of the roots",
			       path, f->hostname ? f->hostname : "?");
	h->facts = f;
	return 0;
}

static int open_site(struct session *s, struct err *e)
{
	const char *path = s->o->site;

	s->site = site_new(s->mem);
	if (path == NULL && access(default_site, R_OK) == 0)
		path = default_site;
	if (path != NULL && site_read(path, s->mem, &s->site, e) < 0) {
		e->code = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < s->hosts.n; i++)
		s->hosts.v[i]->site = s->site;
	return 0;
}

static int cgroup_word(const struct site_target *t)
{
	if (t == NULL || t->cgroup == NULL)
		return 0;
	if (str_eq(t->cgroup, "v1"))
		return CGROUP_V1;
	return str_eq(t->cgroup, "both") ? CGROUP_BOTH : CGROUP_V2;
}

static int add_target(struct session *s, const char *name, struct err *e)
{
	const struct site_target *t = site_target(s->site, name);
	struct session_target *st;

	st = pvec_add(s->mem, &s->targets);
	st->emitter = emit_find(name);
	if (st->emitter == NULL)
		return err_set(e, EINVAL,
			       "--target=%s: no such target (see rehost rules)",
			       name);
	st->options = (struct emit_options){
		.version = st->emitter->default_version,
		.path = st->emitter->default_path,
		.cgroup = CGROUP_V2,
		.native = s->o->native,
		.sets_addresses = st->emitter->sets_addresses,
		.shifted = s->o->shift,
	};
	if (t != NULL && t->version != NULL)
		st->options.version = t->version;
	if (t != NULL && t->path != NULL)
		st->options.path = t->path;
	if (cgroup_word(t) != 0)
		st->options.cgroup = (unsigned)cgroup_word(t);
	return 0;
}

static int open_targets(struct session *s, struct err *e)
{
	if (s->o->targets.n == 0 && (CMD_PLANS & 1u << s->o->command) != 0)
		return add_target(s, "lxc", e);
	for (size_t i = 0; i < s->o->targets.n; i++)
		if (add_target(s, s->o->targets.v[i], e) < 0)
			return -1;
	return 0;
}

static int cmp_guests(const struct source *x, const struct source *y)
{
	int c = strcmp(x->host->name, y->host->name);

	if (c == 0)
		c = strcmp(x->kind, y->kind);
	return c != 0 ? c : strcmp(x->id, y->id);
}

/* Of one guest what is present, then the newest backup. */
static int cmp_sources(const void *a, const void *b)
{
	const struct source *x = *(struct source *const *)a;
	const struct source *y = *(struct source *const *)b;
	int c = cmp_guests(x, y);

	if (c == 0 && x->when != NULL && y->when != NULL)
		c = strcmp(y->when, x->when);
	else if (c == 0)
		c = (x->when != NULL) - (y->when != NULL);
	return c != 0 ? c : strcmp(x->path, y->path);
}

/* Every guest of every root, for "none given" and for KIND:NAME. */
static int list_all(struct session *s, struct sources *ret, struct err *e)
{
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t h = 0; h < s->hosts.n; h++)
		for (size_t i = 0; i < n; i++) {
			struct sources some = { 0 };

			if (s->o->from != NULL &&
			    !str_eq(s->o->from, all[i]->name))
				continue;
			if (all[i]->list(s->hosts.v[h], s->mem, &some, e) < 0)
				return err_wrap(e, "%s", s->hosts.v[h]->dir);
			for (size_t j = 0; j < some.list.n; j++)
				*pvec_add(s->mem, &ret->list) = *some.list.v[j];
		}
	return 0;
}

/* The importer that is surest of a path. */
static const struct importer *best_bid(const struct session *s,
				       const struct host *h, const char *path)
{
	const struct importer *best = NULL;
	size_t n;
	const struct importer *const *all = importer_all(&n);
	int high = 0;

	if (s->o->from != NULL)
		return importer_find(s->o->from);
	for (size_t i = 0; i < n; i++) {
		const int bid = all[i]->bid(h, path);

		if (bid > high) {
			high = bid;
			best = all[i];
		}
	}
	return best;
}

/* The root that a path lies in, and the path as seen from there. */
static struct host *host_of(struct session *s, const char *path,
			    const char **ret_path)
{
	char real[PATH_MAX], dir[PATH_MAX];

	for (size_t i = 0; i < s->hosts.n; i++) {
		struct host *h = s->hosts.v[i];
		size_t n;

		if (realpath(path, real) == NULL ||
		    realpath(h->dir, dir) == NULL)
			continue;
		n = str_eq(dir, "/") ? 0 : strlen(dir);
		if (strncmp(real, dir, n) == 0 && real[n] == '/') {
			*ret_path = arena_strdup(s->mem, real + n);
			return h;
		}
	}
	for (size_t i = 0; i < s->hosts.n; i++)
		if (path[0] == '/' && tree_exists(s->hosts.v[i]->tree, path)) {
			*ret_path = path;
			return s->hosts.v[i];
		}
	return NULL;
}

static const char *id_of(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	const char *dot = strrchr(name, '.');

	if (dot != NULL && str_eq(dot, ".conf"))
		return arena_strndup(mem, name, (size_t)(dot - name));
	return name;
}

/* The guests in a directory that is none itself. */
static int list_dir(struct session *s, struct host *h, const char *dir,
		    struct err *e)
{
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t i = 0; i < n; i++)
		if (all[i]->list_dir != NULL &&
		    (s->o->from == NULL || str_eq(s->o->from, all[i]->name)) &&
		    all[i]->list_dir(h, dir, s->mem, &s->sources, e) < 0)
			return -1;
	return 0;
}

static int add_path(struct session *s, const char *path, struct err *e)
{
	const struct importer *imp;
	struct source *src;
	const char *inside;
	struct host *h = host_of(s, path, &inside);

	if (h == NULL)
		return err_set(e, EINVAL,
			       "%s: not there, neither as a path nor beneath a "
			       "root",
			       path);
	imp = best_bid(s, h, inside);
	if ((imp == NULL || s->o->from != NULL) &&
	    tree_is_dir(h->tree, inside)) {
		const size_t before = s->sources.list.n;

		if (list_dir(s, h, inside, e) < 0)
			return err_wrap(e, "%s", path);
		if (s->sources.list.n > before)
			return 0;
	}
	if (imp == NULL)
		return err_set(
			e, EINVAL,
			"%s: not a configuration of a kind that is known "
			"(--from says which it is)",
			path);
	src = pvec_add(s->mem, &s->sources.list);
	*src = (struct source){ .host = h,
				.kind = imp->name,
				.id = imp->id != NULL ?
					      imp->id(s->mem, inside) :
					      id_of(s->mem, inside),
				.path = inside };
	if (imp->when != NULL)
		src->when = imp->when(h, s->mem, inside);
	return 0;
}

/* [HOST/]KIND:NAME, with globs: all that fit. */
static bool is_key(const char *arg)
{
	const char *colon = strchr(arg, ':');
	size_t n;
	const struct importer *const *all = importer_all(&n);

	if (colon == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		const size_t k = strlen(all[i]->name);

		if ((size_t)(colon - arg) >= k &&
		    strncmp(colon - k, all[i]->name, k) == 0)
			return true;
	}
	return false;
}

static int add_key(struct session *s, const struct sources *all,
		   const char *arg, struct err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < all->list.n; i++) {
		char *key = source_key(s->mem, all->list.v[i]);

		if (!site_fits(arg, key))
			continue;
		found++;
		*pvec_add(s->mem, &s->sources.list) = *all->list.v[i];
	}
	if (found == 0)
		return err_set(e, EINVAL, "%s: no guest of that name", arg);
	return 0;
}

static int find_sources(struct session *s, struct err *e)
{
	struct sources all = { 0 };
	bool listed = false;

	for (size_t i = 0; i < s->o->args.n; i++) {
		const char *arg = s->o->args.v[i];

		if (!is_key(arg)) {
			if (add_path(s, arg, e) < 0)
				return -1;
			continue;
		}
		if (!listed && list_all(s, &all, e) < 0)
			return -1;
		listed = true;
		if (add_key(s, &all, arg, e) < 0)
			return -1;
	}
	if (s->o->args.n == 0 && list_all(s, &s->sources, e) < 0)
		return -1;
	return 0;
}

/* Whether it is another source of the last guest that was kept. */
static bool is_again(const struct session *s, size_t kept,
		     const struct source *src)
{
	const struct source *last = kept > 0 ? s->sources.list.v[kept - 1] :
					       NULL;

	if (last == NULL || cmp_guests(last, src) != 0)
		return false;
	if (!str_eq(last->path, src->path))
		log_note("%s: left out: %s is the same guest%s", src->path,
			 last->path, last->when != NULL ? ", later" : "");
	return true;
}

/* Sorted, each guest once, without those that the site file skips. */
static void tidy_sources(struct session *s)
{
	size_t kept = 0;

	if (s->sources.list.n > 1)
		qsort(s->sources.list.v, s->sources.list.n,
		      sizeof(*s->sources.list.v), cmp_sources);
	for (size_t i = 0; i < s->sources.list.n; i++) {
		struct source *src = s->sources.list.v[i];
		const char *key = source_key(s->mem, src);
		bool skip = false;

		if (is_again(s, kept, src))
			continue;
		for (size_t j = 0; j < s->site->guests.n; j++) {
			const struct site_guest *g = s->site->guests.v[j];

			if (!g->skip || !site_fits(g->pattern, key))
				continue;
			log_note("%s: skipped, as %s:%u says%s%s", key,
				 s->site->file, g->line, g->reason ? ": " : "",
				 g->reason ? g->reason : "");
			skip = true;
			s->n_skipped++;
			break;
		}
		if (!skip)
			s->sources.list.v[kept++] = src;
	}
	s->sources.list.n = kept;
}

int session_open(const struct options *o, struct arena *mem,
		 struct session **ret, struct err *e)
{
	struct session *s = arena_alloc(mem, sizeof(*s));

	*ret = s; /* the caller closes it whatever happens */
	s->mem = mem;
	s->o = o;
	s->plan =
		(struct plan_options){ .native = o->native,
				       .live = o->live,
				       .writes = o->command ==
							 COMMAND_CONVERT ||
						 o->command == COMMAND_REHEARSE,
				       .size = o->size,
				       .set = o->set.v,
				       .n_set = o->set.n,
				       .accept = o->accept.v,
				       .n_accept = o->accept.n };
	if (o->from != NULL && importer_find(o->from) == NULL)
		return err_set(e, EINVAL, "--from=%s: no such kind", o->from);
	if (o->roots.n == 0 && add_host(s, "/", e) < 0)
		return -1;
	for (size_t i = 0; i < o->roots.n; i++)
		if (add_host(s, o->roots.v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < o->facts.n; i++)
		if (add_facts(s, o->facts.v[i], e) < 0)
			return -1;
	if (plan_options_check(&s->plan, e) < 0) {
		e->code = EINVAL;
		return -1;
	}
	if (open_site(s, e) < 0 || open_targets(s, e) < 0 ||
	    find_sources(s, e) < 0)
		return -1;
	tidy_sources(s);
	return 0;
}

void session_closep(struct session **s)
{
	if (*s == NULL)
		return;
	for (size_t i = 0; i < (*s)->hosts.n; i++)
		tree_close((*s)->hosts.v[i]->tree);
}

char *session_places(const struct session *s, struct arena *mem)
{
	struct strv places = { 0 };
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t h = 0; h < s->hosts.n; h++)
		for (size_t i = 0; i < n; i++)
			strv_add(mem, &places,
				 arena_printf(mem, "%s: %s", s->hosts.v[h]->dir,
					      all[i]->places));
	return strv_join(mem, &places, "; ");
}
