/* Start, look, stop, judge. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "policy/host_side.h"
#include "policy/read_lxc.h"
#include "runtime/health.h"
#include "runtime/look.h"
#include "runtime/unpack.h"

/* The file of the source filter; NULL: the package has none. */
static const char *filter_of(const struct verify_package *p, struct arena *mem)
{
	const char *path =
		arena_printf(mem, "%s/%s/" HOST_SIDE_FILTER, p->dir, p->target);

	return access(path, F_OK) == 0 ? path : NULL;
}

int look_emitted(const struct verify_package *p, struct arena *mem,
		 struct policy **ret, struct err *e)
{
	const char *path = arena_printf(mem, "%s/%s/config", p->dir, p->target);
	struct probe reader = { .mem = mem };
	struct policy *policy;
	const char *text;
	size_t n;

	if (!str_eq(p->target, "lxc"))
		return err_set(e, 0, "target %s cannot be read back",
			       p->target);
	if (probe_read(&reader, path, &text, &n, e) < 0 ||
	    policy_read_lxc(text, path, mem, &policy, e) < 0)
		return -1;
	path = filter_of(p, mem);
	if (path != NULL && (probe_read(&reader, path, &text, &n, e) < 0 ||
			     host_side_read(text, path, policy, e) < 0))
		return -1;
	*ret = policy;
	return 0;
}

/* So named that a later run takes it for what was left, as it is then. */
static const char *console_of(const struct verify_package *p,
			      const struct look_options *o, struct arena *mem)
{
	return arena_printf(mem, "%s/rehost.%s.console.%d", o->scratch, p->name,
			    (int)getpid());
}

/* Text as a document shows it: bytes that are no UTF-8 are U+FFFD. */
static bool shows_as(const char *raw, const char *shown)
{
	json_t *text CLEANUP(json_freep) = json_text(raw);

	return str_eq(json_string_value(text), shown);
}

static void restore_item(struct policy_item *it, const struct policy *emitted)
{
	for (size_t i = 0; i < emitted->items.n; i++) {
		const struct policy_item *raw = &emitted->items.v[i];

		if (raw->field != it->field || !shows_as(raw->key, it->key))
			continue;
		it->key = raw->key;
		if (shows_as(raw->value, it->value))
			it->value = raw->value;
		return;
	}
}

/*
 * policy.json cannot hold what is no UTF-8, a running guest can: such items
 * get back the bytes of the configuration that was emitted.
 */
static void restore(struct policy *p, const struct policy *emitted)
{
	static const char replaced[] = "\xef\xbf\xbd"; /* U+FFFD */

	for (size_t i = 0; i < p->items.n; i++)
		if (strstr(p->items.v[i].key, replaced) != NULL ||
		    strstr(p->items.v[i].value, replaced) != NULL)
			restore_item(&p->items.v[i], emitted);
	policy_sort(p);
}

static void restore_announced(struct verify_announced *a,
			      const struct policy *emitted)
{
	for (size_t i = 0; i < emitted->items.n; i++)
		if (emitted->items.v[i].field == a->field &&
		    shows_as(emitted->items.v[i].key, a->key))
			a->key = emitted->items.v[i].key;
}

int look_restore(const struct verify_package *p, struct arena *mem,
		 struct policy **ret, struct err *e)
{
	if (look_emitted(p, mem, ret, e) < 0)
		return -1;
	restore(p->planned, *ret);
	restore(p->before, *ret);
	for (size_t i = 0; i < p->announced.n; i++)
		restore_announced(&p->announced.v[i], *ret);
	return 0;
}

static int prepare(const struct verify_package *p, const struct look_options *o,
		   struct arena *mem, struct engine_guest *ret, struct err *e)
{
	struct policy *policy;

	if (look_restore(p, mem, &policy, e) < 0)
		return -1;
	*ret = (struct engine_guest){
		.engine = o->engine,
		.package = p,
		.policy = policy,
		.mem = mem,
		.lock = -1,
		.options = { .name = p->name,
			     .scratch = o->scratch,
			     .filter = filter_of(p, mem),
			     .fill = o->fill,
			     .fill_arg = o->fill_arg,
			     .stop_seconds = o->stop_seconds,
			     .console = console_of(p, o, mem) },
	};
	return 0;
}

int look_start(const struct verify_package *p, const struct look_options *o,
	       struct arena *mem, struct engine_guest *ret, struct err *e)
{
	*ret = (struct engine_guest){ .engine = o->engine, .lock = -1 };
	if (prepare(p, o, mem, ret, e) < 0 ||
	    unpack_root(p, o->scratch, mem, &ret->options.rootfs, &ret->lock,
			e) < 0)
		return -1;
	return o->engine->start(ret, e);
}

int look_print(const struct verify_package *p, const struct look_options *o,
	       struct arena *mem, struct buf *ret, struct err *e)
{
	struct engine_guest g;

	if (prepare(p, o, mem, &g, e) < 0)
		return -1;
	g.options.rootfs = unpack_place(p, o->scratch, mem);
	return o->engine->print(&g, ret, e);
}

int look_call(void *engine, void (*fn)(int fd, const void *arg),
	      const void *arg, unsigned seconds, struct buf *ret, struct err *e)
{
	return box_call(engine, fn, arg, seconds, ret, e);
}

static int call_lab(void *engine, void (*fn)(int fd, const void *arg),
		    const void *arg, unsigned seconds, struct buf *ret,
		    struct err *e)
{
	return box_call_lab(engine, fn, arg, seconds, ret, e);
}

static int call_neighbour(void *engine, void (*fn)(int fd, const void *arg),
			  const void *arg, unsigned seconds, struct buf *ret,
			  struct err *e)
{
	return box_call_neighbour(engine, fn, arg, seconds, ret, e);
}

static void add_withheld(struct probe *p, const struct box *b)
{
	const struct box_withheld_list *w = box_withheld(b);

	for (size_t i = 0; i < w->list.n; i++)
		*vec_add(p->mem, &p->seen->unseen) = (struct verify_unseen){
			.field = w->list.v[i].field,
			.key = w->list.v[i].key,
			.reason = w->list.v[i].reason,
			.asked = w->list.v[i].asked,
		};
}

const char *look_ports(const struct verify_package *p,
		       const struct look_options *o)
{
	return o->ports != NULL ? o->ports : p->ports;
}

/* Of what its init has started and did not wait for. */
enum { PORTS_SECONDS = 5 };

/* Looks at what runs; -1 only for a list of ports that is none. */
static int look_at(struct probe *p, const struct look_options *o, struct err *e)
{
	health_wait(p, o->seconds);
	if (p->seen->failed != NULL)
		return 0;
	if (health_ports(p, look_ports(p->package, o), PORTS_SECONDS, e) < 0)
		return -1;
	probe_all(p);
	return 0;
}

static void stop(struct probe *p, struct engine_guest *g)
{
	struct err e;
	bool clean = false;

	if (g->engine->stop(g, &clean, &e) < 0)
		p->seen->failed = arena_printf(p->mem, "stop: %s", e.msg);
	else if (p->seen->failed == NULL)
		*vec_add(p->mem, &p->seen->facts) = (struct verify_fact){
			.area = AREA_BOOT,
			.item = "stop",
			.expected = "by itself",
			.observed = clean ? "by itself" : "killed",
			.probe = "health",
		};
}

int look_run(const struct verify_package *p, const struct look_options *o,
	     struct arena *mem, struct verify_run *ret, struct err *e)
{
	struct verify_package *own;
	struct engine_guest g CLEANUP(engine_endp) = { .lock = -1 };
	struct verify_look looks[FIELD__MAX];
	struct probe_subject subject = { .call = look_call,
					 .lab = call_lab,
					 .neighbour = call_neighbour,
					 .console = console_of(p, o, mem) };
	struct probe look = { .most = o->most,
			      .mem = mem,
			      .subject = &subject,
			      .package = p,
			      .seen = &ret->seen };
	struct err why;

	own = arena_memdup(mem, p, sizeof(*p));
	engine_announce(o->engine, own, mem);
	p = look.package = own;
	*ret = (struct verify_run){ .package = p, .engine = o->engine->name };
	if (o->engine->version(mem, &ret->engine_version, e) < 0)
		return -1;
	ret->seen.observed = policy_new(mem);
	probe_looks(looks);
	if (look_start(p, o, mem, &g, &why) < 0) {
		ret->seen.failed = arena_strdup(mem, why.msg);
	} else {
		subject.init = box_init(g.box);
		subject.engine = g.box;
		subject.rootfs = g.options.rootfs;
		look.emitted = g.policy;
		add_withheld(&look, g.box);
		if (look_at(&look, o, e) < 0)
			return -1;
		stop(&look, &g);
	}
	health_console(&look, console_of(p, o, mem));
	unlink(console_of(p, o, mem));
	verify_judge(p, &ret->seen, looks, mem, &ret->result);
	return 0;
}
