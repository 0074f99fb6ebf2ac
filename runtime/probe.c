/* The driver of the probes, and what they share. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/probe.h"

enum probe_id {
#define PROBE(name, class, side, how) PROBE_##name,
#include "runtime/probes.def"
#undef PROBE
	PROBE__MAX
};

static const struct {
	const char *name;
	enum probe_class class;
	int (*see)(struct probe *p, struct err *e);
} probes[PROBE__MAX] = {
#define PROBE(name_, class_, side, how)                                        \
	[PROBE_##name_] = { .name = #name_,                                    \
			    .class = CLASS_##class_,                           \
			    .see = probe_##name_ },
#include "runtime/probes.def"
#undef PROBE
};

static const char *const classes[CLASS__MAX] = { "passive", "safe", "heavy" };

enum probe_class probe_class_find(const char *name)
{
	enum probe_class c = 0;

	while (c < CLASS__MAX && !str_eq(classes[c], name))
		c++;
	return c;
}

static const struct row {
	enum field_id field;
	bool seen, required;
	enum probe_id probe;
	const char *why;
} rows[] = {
#define SEEN(id, probe_, required_)                                            \
	{ .field = FIELD_##id,                                                 \
	  .seen = true,                                                        \
	  .probe = PROBE_##probe_,                                             \
	  .required = (required_) },
#define UNSEEN(id, why_) { .field = FIELD_##id, .why = (why_) },
#include "runtime/probe.def"
#undef SEEN
#undef UNSEEN
};

void probe_looks(struct verify_look ret[FIELD__MAX])
{
	memset(ret, 0, FIELD__MAX * sizeof(*ret));
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].seen)
			ret[rows[i].field] = (struct verify_look){
				.probe = probes[rows[i].probe].name,
				.required = rows[i].required,
			};
}

/* What it saw before it failed is not believed. */
static void give_up(struct probe *p, enum probe_id id, const char *why)
{
	bool fields = false;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].seen && rows[i].probe == id) {
			probe_unseen(p, rows[i].field, NULL, why);
			fields = true;
		}
	if (!fields) /* it looks at no field: its own name is the item */
		*vec_add(p->mem, &p->seen->facts) = (struct verify_fact){
			.area = AREA_BOOT,
			.item = probes[id].name,
			.expected = "seen",
			.reason = why,
			.probe = probes[id].name,
		};
}

void probe_all(struct probe *p)
{
	struct err e;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (!rows[i].seen)
			probe_unseen(p, rows[i].field, NULL, rows[i].why);
	for (enum probe_id id = 0; id < PROBE__MAX; id++) {
		if (probes[id].class <= p->most) {
			if (probes[id].see(p, &e) < 0)
				give_up(p, id, arena_strdup(p->mem, e.msg));
		} else if (probes[id].class != CLASS_HEAVY) {
			give_up(p, id,
				"it would have to be tried, here is only "
				"looked");
		}
	}
	policy_sort(p->seen->observed);
}

void probe_add(struct probe *p, enum field_id field, const char *key,
	       const char *value)
{
	policy_add(p->seen->observed, field, key, value);
}

void probe_unseen(struct probe *p, enum field_id field, const char *key,
		  const char *reason)
{
	*vec_add(p->mem, &p->seen->unseen) = (struct verify_unseen){
		.field = field, .key = key, .reason = reason
	};
}

bool probe_asked(const struct probe *p, enum field_id field, const char *key)
{
	return policy_get(p->package->planned, field, key) != NULL ||
	       policy_get(p->package->before, field, key) != NULL;
}

int probe_read(struct probe *p, const char *path, const char **ret, size_t *n,
	       struct err *e)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b CLEANUP(buf_done) = { 0 };
	char chunk[4096];
	ssize_t got;

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0 && b.n < 1 << 20)
		buf_add(&b, chunk, (size_t)got);
	if (got < 0)
		return err_set(e, errno, "read %s", path);
	buf_addc(&b, '\0');
	*ret = arena_memdup(p->mem, b.p, b.n);
	*n = b.n - 1;
	return 0;
}

int probe_proc(struct probe *p, const char *name, const char **ret, size_t *n,
	       struct err *e)
{
	return probe_read(p,
			  arena_printf(p->mem, "/proc/%d/%s",
				       (int)p->subject->init, name),
			  ret, n, e);
}

const char *probe_line(struct probe *p, const char *text, const char *key)
{
	struct slice rest = { text, strlen(text) }, line;
	const size_t n = strlen(key);

	while (slice_next(&rest, '\n', &line))
		if (line.n > n && strncmp(line.p, key, n) == 0 &&
		    line.p[n] == ':')
			return slice_dup(p->mem, slice_trim((struct slice){
							 line.p + n + 1,
							 line.n - n - 1 }));
	return NULL;
}

int probe_inside(struct probe *p, void (*fn)(int fd, const void *arg),
		 const void *arg, const char **ret, struct err *e)
{
	const struct probe_subject *s = p->subject;
	struct buf b CLEANUP(buf_done) = { 0 };

	if (s->rootless != NULL)
		return err_set(e, 0, "%s", s->rootless);
	if (s->call(s->engine, fn, arg, 10, &b, e) < 0)
		return -1;
	*ret = arena_strdup(p->mem, buf_str(&b));
	return 0;
}
