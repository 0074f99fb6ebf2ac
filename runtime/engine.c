/* The engines, and what they share. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/proc.h"
#include "runtime/engine.h"

static const struct engine *const engines[] = { &engine_builtin, &lxc_engine,
						&runc_engine };

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < COUNT(engines); i++)
		if (str_eq(engines[i]->name, name))
			return engines[i];
	return NULL;
}

const char *engine_names(struct arena *mem)
{
	struct strv names = { 0 };

	for (size_t i = 0; i < COUNT(engines); i++)
		strv_add(mem, &names, engines[i]->name);
	return strv_join(mem, &names, ", ");
}

/* Where every device may be used no list adds to it. */
static bool is_moot(const struct engine_row *r, const struct verify_package *p)
{
	return (r->field == FIELD_DEVICE_RULE ||
		r->field == FIELD_DEVICE_ACCESS) &&
	       str_eq(policy_get(p->planned, FIELD_DEVICE_POLICY, ""), "any");
}

void engine_announce(const struct engine *engine, struct verify_package *p,
		     struct arena *mem)
{
	for (size_t i = 0; i < engine->n_rows; i++) {
		const struct engine_row *r = &engine->rows[i];
		struct verify_announced a = { .field = r->field,
					      .key = r->key };

		const char *planned = policy_get(p->planned, r->field, r->key);

		if (str_eq(planned, r->value) || is_moot(r, p) ||
		    (r->weak && planned != NULL))
			continue;
		strv_add(mem, &a.codes, r->code);
		*vec_add(mem, &p->announced) = a;
		policy_remove(p->planned, r->field, r->key);
		if (r->value != NULL)
			policy_add(p->planned, r->field, r->key, r->value);
	}
	policy_sort(p->planned);
}

void engine_end(struct engine_guest *g)
{
	box_free(g->box);
	g->box = NULL;
	engine_reap(g, 0);
	if (g->options.console != NULL)
		unlink(g->options.console);
	fd_closep(&g->lock);
}

void engine_endp(struct engine_guest *g)
{
	engine_end(g);
}

/* --- the box of our own --- */

static int builtin_version(struct arena *mem, const char **ret, struct err *e)
{
	(void)mem;
	(void)e;
	*ret = REHOST_VERSION;
	return 0;
}

static int builtin_print(const struct engine_guest *g, struct buf *ret,
			 struct err *e)
{
	return box_print(g->policy, &g->options, g->mem, ret, e);
}

static int builtin_start(struct engine_guest *g, struct err *e)
{
	return box_start(g->policy, &g->options, g->mem, &g->box, e);
}

static int builtin_stop(struct engine_guest *g, bool *ret_clean, struct err *e)
{
	return box_stop(g->box, ret_clean, e);
}

const struct engine engine_builtin = {
	.name = "builtin",
	.version = builtin_version,
	.print = builtin_print,
	.start = builtin_start,
	.stop = builtin_stop,
};

/* --- for the others --- */

static bool is_version(const char *word)
{
	return word[0] >= '0' && word[0] <= '9' && strchr(word, '.') != NULL;
}

int engine_ask_version(const char *const argv[], struct arena *mem,
		       const char **ret, struct err *e)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	struct strv words;
	int status;

	if (proc_run(argv, 20, &out, &status, e) < 0)
		return err_wrap(e, "%s is needed for this engine", argv[0]);
	words = strv_split(mem, buf_str(&out), " \t\n+~");
	for (size_t i = 0; i < words.n; i++) {
		if (!is_version(words.v[i]))
			continue;
		*ret = words.v[i];
		return 0;
	}
	return err_set(e, 0, "%s does not tell its version", argv[0]);
}

int engine_since(const char *name, const char *version, unsigned major,
		 unsigned minor, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct strv parts = strv_split(mem, version, ".");
	uint64_t v[2] = { 0, 0 };
	struct err bad;

	for (size_t i = 0; i < parts.n && i < COUNT(v); i++)
		if (num_u64(parts.v[i], &v[i], &bad) < 0)
			v[i] = 0;
	if (v[0] > major || (v[0] == major && v[1] >= minor))
		return 0;
	return err_set(e, 0, "%s %s is too old: at least %u.%u is needed", name,
		       version, major, minor);
}

const char *engine_file(const struct engine_guest *g, const char *name)
{
	return arena_printf(g->mem, "%s/%s", box_files(g->box), name);
}

int engine_write(const char *path, const char *text, struct err *e)
{
	return fd_replace(AT_FDCWD, path, text, strlen(text), e);
}

void engine_poll(struct engine_guest *g)
{
	if (g->child > 0 && waitpid(g->child, NULL, WNOHANG) != 0)
		g->child = 0;
}

void engine_reap(struct engine_guest *g, unsigned seconds)
{
	const struct timespec tick = { .tv_nsec = 20000000 }; /* 1/50 s */

	for (unsigned i = 0; g->child > 0 && i < seconds * 50; i++) {
		engine_poll(g);
		if (g->child > 0)
			nanosleep(&tick, NULL);
	}
	if (g->child <= 0)
		return;
	kill(g->child, SIGKILL);
	while (waitpid(g->child, NULL, 0) < 0 && errno == EINTR)
		;
	g->child = 0;
}

const char *engine_withheld(const struct box *b, enum field_id field,
			    const char *key)
{
	const struct box_withheld_list *w = box_withheld(b);

	for (size_t i = 0; i < w->list.n; i++)
		if (w->list.v[i].field == field &&
		    str_eq(w->list.v[i].key, key))
			return w->list.v[i].reason;
	return NULL;
}
