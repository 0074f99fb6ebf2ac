/*
 * Reads what `rehost capture` recorded. The format stands at the head of
 * src/cli/capture.sh: the first byte of a line says what the line is. The
 * file comes from another machine and may be damaged: a line that is not
 * understood is left out, and nothing is trusted to end.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"
#include "facts_read.h"

enum {
	FILE_MAX = 64 << 20, /* bytes; a section has at most 2000 lines */
	TEXT_MAX = 1024,     /* bytes of a line that are kept as its text */
	NUMBER_MAX = 24,     /* bytes of a number */
};

static const char head[] = "# rehost-capture ";

struct facts_line facts_read_at(const struct facts_reader *r, struct slice s)
{
	s = slice_trim(s);
	if (s.n > TEXT_MAX)
		s.n = TEXT_MAX;
	return (struct facts_line){ .line = r->line,
				    .text = slice_dup(r->mem, s) };
}

/* The slice with a NUL, for the parsers of base; false: it is too long. */
static bool number_text(struct slice s, char ret[NUMBER_MAX])
{
	if (s.n == 0 || s.n >= NUMBER_MAX)
		return false;
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return true;
}

bool facts_read_number(struct slice s, uint64_t *ret)
{
	char text[NUMBER_MAX];
	struct err e;

	return number_text(s, text) && num_u64(text, ret, &e) == 0;
}

/* A field of `limit`; -1 is RLIM_INFINITY as the kernel prints it. */
static bool limit_number(struct slice s, bool *ret_is_limit, uint64_t *ret)
{
	*ret_is_limit = !slice_eq(s, "-1");
	return !*ret_is_limit || facts_read_number(s, ret);
}

/* Cuts "KEY<sep>VALUE" in two; both trimmed. */
static bool key_value(struct slice line, char sep, struct slice *ret_key,
		      struct slice *ret_value)
{
	struct slice rest = line;
	struct slice key;

	if (memchr(line.p, sep, line.n) == NULL ||
	    !slice_next(&rest, sep, &key))
		return false;
	*ret_key = slice_trim(key);
	*ret_value = slice_trim(rest);
	return true;
}

/* For the kernel's hexadecimal addresses, which are in the host's order. */
static bool is_big_endian(struct slice machine)
{
	static const char *const names[] = { "ppc",     "ppc64",  "s390",
					     "s390x",   "sparc",  "sparc64",
					     "mips",    "mips64", "parisc",
					     "parisc64" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (slice_eq(machine, names[i]))
			return true;
	return false;
}

static void host_number(struct slice v, unsigned *ret)
{
	uint64_t n;

	if (facts_read_number(v, &n) && n <= INT32_MAX)
		*ret = (unsigned)n;
}

static void read_host(struct facts_reader *r, struct slice line)
{
	struct facts *f = r->f;
	struct slice k, v;

	if (!key_value(line, '=', &k, &v) || v.n == 0 || v.n > TEXT_MAX)
		return;
	if (slice_eq(k, "hostname"))
		f->hostname = slice_dup(r->mem, v);
	else if (slice_eq(k, "release"))
		f->kernel = slice_dup(r->mem, v);
	else if (slice_eq(k, "date"))
		f->date = slice_dup(r->mem, v);
	else if (slice_eq(k, "util_vserver"))
		f->tools_version = slice_dup(r->mem, v);
	else if (slice_eq(k, "page_size"))
		host_number(v, &f->page_size);
	else if (slice_eq(k, "cpus"))
		host_number(v, &f->cpus);
	else if (slice_eq(k, "machine"))
		r->big_endian = is_big_endian(v);
}

/* /proc/virtual is shown to the host's context (0) and to watchers only. */
static void read_virtual(struct facts_reader *r, struct slice line)
{
	struct slice k, v;

	if (!key_value(line, ':', &k, &v))
		return;
	if (slice_eq(r->label, "/proc/virtual/info") ||
	    slice_eq(r->label, "/proc/virtual/status"))
		r->f->has_virtual = true;
	else if (slice_eq(k, "VxID") && !slice_eq(v, "0"))
		r->in_guest = true;
}

/*
 * "PROC:  42  0/ 117  100/ 150  0": current, min/max seen, soft/hard, hits.
 * Kernels of 2.0 have no min and no soft: "PROC:  42  117  150  0".
 */
static bool limit_fields(struct slice rest, struct facts_limit *ret)
{
	struct slice f[6], word;
	size_t n = 0, peak, hard;
	bool same;

	while (slice_word(&rest, &word))
		while (n < COUNT(f) && slice_next(&word, '/', &f[n]))
			n++;
	if (n != 4 && n != 6)
		return false;
	peak = n == 6 ? 2 : 1;
	hard = n - 2;
	same = n == 4;
	return facts_read_number(f[0], &ret->current) &&
	       facts_read_number(f[peak], &ret->peak) &&
	       limit_number(f[hard], &ret->has_hard, &ret->hard) &&
	       (same || limit_number(f[hard - 1], &ret->has_soft, &ret->soft));
}

struct facts_limit *facts_read_limit(struct facts_reader *r,
				     struct facts_context *c)
{
	if (c->n_limits == FACTS_LIMITS_MAX)
		return NULL;
	if (c->limits == NULL)
		c->limits = arena_alloc(r->mem,
					FACTS_LIMITS_MAX * sizeof(*c->limits));
	return &c->limits[c->n_limits++];
}

static void read_limit(struct facts_reader *r, struct slice line)
{
	struct facts_context *c = r->context;
	struct facts_limit limit = { 0 }, *place;
	struct slice k, v;

	if (!key_value(line, ':', &k, &v) || k.n == 0 || k.n > NUMBER_MAX ||
	    !limit_fields(v, &limit))
		return;
	limit.at = facts_read_at(r, line);
	limit.name = slice_dup(r->mem, k);
	place = facts_read_limit(r, c);
	if (place != NULL)
		*place = limit;
}

static void read_status(struct facts_reader *r, struct slice line)
{
	struct facts_context *c = r->context;
	struct slice k, v;

	if (!key_value(line, ':', &k, &v) || v.n == 0 || v.n > TEXT_MAX)
		return;
	if (slice_eq(k, "Tasks"))
		facts_read_number(v, &c->tasks);
	else if (slice_eq(k, "BCaps"))
		c->bcaps = slice_dup(r->mem, v);
	else if (slice_eq(k, "CCaps"))
		c->ccaps = slice_dup(r->mem, v);
	else if (slice_eq(k, "Flags"))
		c->flags = slice_dup(r->mem, v);
}

static void read_context(struct facts_reader *r, struct slice line)
{
	if (r->context == NULL)
		return;
	if (slice_eq(r->label, "limit"))
		read_limit(r, line);
	else if (slice_eq(r->label, "status"))
		read_status(r, line);
}

static void read_end(struct facts_reader *r, struct slice line)
{
	struct slice k, v;
	uint64_t n;

	if (key_value(line, '=', &k, &v) && slice_eq(k, "sections") &&
	    facts_read_number(v, &n) && n == r->n_sections)
		r->f->complete = true;
}

/* What is done with the content of a section; other sections are not used. */
static const struct section {
	const char *name;
	void (*read)(struct facts_reader *r, struct slice line);
} sections[] = {
	{ .name = "host", .read = read_host },
	{ .name = "virtual", .read = read_virtual },
	{ .name = "addresses", .read = facts_net_address },
	{ .name = "links", .read = facts_net_link },
	{ .name = "bridges", .read = facts_net_bridge },
	{ .name = "routes", .read = facts_net_route },
	{ .name = "firewall", .read = facts_net_rule },
	{ .name = "sockets", .read = facts_net_socket },
	{ .name = "context", .read = read_context },
	{ .name = "vzlist", .read = facts_vz_list },
	{ .name = "beancounters", .read = facts_vz_counter },
	{ .name = "end", .read = read_end },
};

static const struct section *find_section(struct slice name)
{
	for (size_t i = 0; i < COUNT(sections); i++)
		if (slice_eq(name, sections[i].name))
			return &sections[i];
	return NULL;
}

/* A context whose files could not be read is there all the same. */
static void begin_context(struct facts_reader *r, struct slice line)
{
	struct facts_context *c;
	uint64_t xid;

	if (!facts_read_number(r->arg, &xid) ||
	    r->f->contexts.n == FACTS_CONTEXTS_MAX)
		return;
	c = vec_add(r->mem, &r->f->contexts);
	*c = (struct facts_context){ .at = facts_read_at(r, line), .xid = xid };
	r->context = c;
	r->f->has_virtual = true;
}

/* "[NAME]" or "[NAME ARGUMENT]"; content stays without one until the next. */
static const struct section *begin_section(struct facts_reader *r,
					   struct slice line)
{
	struct slice rest = { line.p + 1, line.n - 1 };

	line = slice_trim(line);
	r->section = r->arg = r->label = r->dev = (struct slice){ "", 0 };
	r->context = NULL;
	r->nat = false;
	r->pending = (struct facts_route){ 0 };
	if (line.n < 3 || line.p[line.n - 1] != ']')
		return NULL;
	rest.n = line.n - 2;
	if (!slice_word(&rest, &r->section))
		return NULL;
	r->arg = slice_trim(rest);
	if (slice_eq(r->section, "context"))
		begin_context(r, line);
	if (!slice_eq(r->section, "end"))
		r->n_sections++;
	return find_section(r->section);
}

static void read_lines(struct facts_reader *r, struct slice rest)
{
	const struct section *s = NULL;
	struct slice line;

	while (slice_next(&rest, '\n', &line)) {
		r->line++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		if (line.p[0] == '[')
			s = begin_section(r, line);
		else if (line.n > 3 && memcmp(line.p, "-- ", 3) == 0)
			r->label = slice_trim(
				(struct slice){ line.p + 3, line.n - 3 });
		else if (line.p[0] == ' ' && s != NULL)
			s->read(r, (struct slice){ line.p + 1, line.n - 1 });
	}
}

static int check_head(struct arena *mem, const char *path, struct slice text,
		      struct err *e)
{
	struct slice line = { "", 0 };
	struct slice version;

	slice_next(&text, '\n', &line);
	line = slice_trim(line);
	if (line.n < sizeof(head) || memcmp(line.p, head, sizeof(head) - 1))
		return err_set(e, 0,
			       "read %s:1: not what rehost capture prints: "
			       "\"%s\"",
			       path, str_show(mem, line.p, line.n, 40));
	version.p = line.p + sizeof(head) - 1;
	version.n = line.n - (sizeof(head) - 1);
	if (!slice_eq(version, "1"))
		return err_set(e, 0, "read %s:1: version %s is not known", path,
			       str_show(mem, version.p, version.n, 20));
	return 0;
}

/* A file that the operator named: it may be a pipe. */
static int read_real(const char *path, struct arena *mem, struct slice *ret,
		     struct err *e)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct buf all CLEANUP(buf_done) = { 0 };
	char piece[1 << 14];
	ssize_t n = 1;

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	while (n > 0) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno != EINTR)
			return err_set(e, errno, "read %s", path);
		if (n < 0)
			n = 1;
		else
			buf_add(&all, piece, (size_t)n);
		if (all.n > FILE_MAX)
			return err_set(e, EFBIG, "read %s", path);
	}
	ret->n = all.n;
	ret->p = arena_memdup(mem, buf_str(&all), all.n + 1);
	return 0;
}

int facts_read(struct tree *t, const char *path, struct arena *mem,
	       struct facts **ret, struct err *e)
{
	struct arena *scratch CLEANUP(arena_freep) = arena_new();
	struct facts_reader r = { .mem = mem };
	struct slice text;
	int rc;

	if (t == NULL)
		rc = read_real(path, scratch, &text, e);
	else
		rc = tree_read(t, path, FILE_MAX, scratch, &text.p, &text.n, e);
	if (rc < 0)
		return -1;
	if (check_head(scratch, path, text, e) < 0)
		return -1;
	r.f = arena_alloc(mem, sizeof(*r.f));
	r.f->file = arena_strdup(mem, path);
	r.section = r.arg = r.label = r.dev = (struct slice){ "", 0 };
	read_lines(&r, text);
	if (r.in_guest)
		r.f->has_virtual = false;
	*ret = r.f;
	return 0;
}

const struct facts_context *facts_context(const struct facts *f, uint64_t xid)
{
	for (size_t i = 0; i < f->contexts.n; i++)
		if (f->contexts.v[i].xid == xid)
			return &f->contexts.v[i];
	return NULL;
}

const struct facts_context *facts_container(const struct facts *f,
					    const char *id)
{
	for (size_t i = 0; i < f->contexts.n; i++)
		if (f->contexts.v[i].id != NULL &&
		    str_eq(f->contexts.v[i].id, id))
			return &f->contexts.v[i];
	return NULL;
}
