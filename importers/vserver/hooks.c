/*
 * Scripts of the old tools: kept, never run. The report names what they touch,
 * so that they can be ported by hand. Source: util-vserver
 * scripts/vserver.functions, execScriptlets.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "importers/vserver/boot.h"

enum {
	SCRIPT_MAX = 1 << 20, /* bytes read of a script */
	HITS_MAX = 5,         /* quoted in a message */
	QUOTE_MAX = 60,       /* bytes of a line */
};

/* The steps that have scripts. */
static const char *const events[] = {
	"initialize", "prepre-start", "pre-start",     "post-start",
	"pre-stop",   "post-stop",    "postpost-stop",
};

struct script {
	struct setting *s;
	const char *event;
	bool defaults, odd; /* odd: skipped for its name */
};

struct vserver_hooks {
	VEC(struct script) scripts;
};

/* What a script for a guest typically does; reference 2.5. */
static const char *const keywords[] = {
	"mknod",
	"iptables",
	"ip6tables",
	"ip rule",
	"ip route",
	"ip addr",
	"ip link",
	"arping",
	"brctl",
	"vconfig",
	"mount",
	"vattribute",
	"vlimit",
	"vsched",
	"modprobe",
	"sysctl",
	"VSERVER_EXTRA_CMDS",
	"NETNS_CMD",
	"CHBIND_CMD",
	"OPTS_VSPACE",
	"INITCMD_START",
	"OPTS_ENV",
	"enableInterfaces",
	"_IP=",
};

/* Lines with these are not quoted: they may hold a secret. */
static const char *const secret_words[] = { "pass", "secret", "key", "token",
					    "cred" };

static const char *keyword(const char *line)
{
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (strstr(line, keywords[i]) != NULL)
			return keywords[i];
	return NULL;
}

static bool is_secret(const char *line)
{
	for (size_t i = 0; i < COUNT(secret_words); i++)
		if (strcasestr(line, secret_words[i]) != NULL)
			return true;
	return false;
}

/* ": line 3 \"mknod ...\", line 7 \"iptables ...\""; "" without any. */
static void add_hits(struct reading *r, const char *data, size_t n,
		     struct buf *out)
{
	struct slice rest = { data, n }, raw;
	unsigned number = 0, hits = 0;

	while (slice_next(&rest, '\n', &raw)) {
		const char *line = slice_dup(r->g->mem, slice_trim(raw));
		const char *word = keyword(line);

		number++;
		if (word == NULL || line[0] == '#')
			continue;
		if (hits++ >= HITS_MAX)
			continue;
		buf_printf(out, "%s line %u \"%s\"", hits == 1 ? ":" : ",",
			   number,
			   is_secret(line) ? word :
					     str_show(r->g->mem, line,
						      strlen(line), QUOTE_MAX));
	}
	if (hits > HITS_MAX)
		buf_printf(out, " and %u more lines", hits - HITS_MAX);
}

static bool is_executable(struct reading *r, const char *path)
{
	struct tree_stat st;
	struct err e;

	return tree_stat(vserver_of(r)->t, path, &st, &e) == 0 &&
	       (st.mode & 0111) != 0;
}

void vserver_hooks_take(struct reading *r, const char *event)
{
	const char *path = r->cur->from.file, *data;
	const bool run = is_executable(r, path);
	struct buf hits CLEANUP(buf_done) = { 0 };
	struct hook *h = take_hook(r);
	struct finding *f;
	struct err e;
	size_t n;

	take_str(r, FIELD_HOOK_PATH, h, path);
	take_str(r, FIELD_HOOK_EVENT, h, event);
	take_bool(r, FIELD_HOOK_SOURCED, h, !run);
	if (tree_read(vserver_of(r)->t, path, SCRIPT_MAX, r->g->mem, &data, &n,
		      &e) == 0)
		add_hits(r, data, n, &hits);
	else
		buf_printf(&hits, ": not looked into: %s", e.msg);
	reading_decide(r, BIN_DROPPED, "kept in source/, not run");
	if (run)
		f = reading_find(r, FIND_INI_HOOK,
				 "%s, run as the host's root: kept in source/, "
				 "not run%s",
				 event, buf_str(&hits));
	else
		f = reading_find(r, FIND_INI_SOURCED,
				 "%s, not executable: sourced into the old "
				 "tool, could change anything; not run%s",
				 event, buf_str(&hits));
	finding_covers(r->g, f, run ? FIELD_HOOK_PATH : FIELD_HOOK_SOURCED,
		       path);
}

struct vserver_hooks *vserver_hooks_new(struct reading *r)
{
	return arena_alloc(r->g->mem, sizeof(struct vserver_hooks));
}

static bool is_backup(const char *name)
{
	static const char *const ends[] = { ".rpmsave", ".rpmnew", ".rpmorig",
					    "~" };

	for (size_t i = 0; i < COUNT(ends); i++)
		if (str_ends(name, ends[i]))
			return true;
	return strstr(name, ".cfsaved") != NULL;
}

/* "pre-start" and "pre-start.d" both are that step; NULL: no step. */
static const char *event_of(const struct vserver *v)
{
	for (size_t i = 0; i < COUNT(events); i++) {
		const size_t n = strlen(events[i]);

		if (!str_starts(v->star, events[i]))
			continue;
		if (str_eq(v->star + n, v->star2 == NULL ? "" : ".d"))
			return events[i];
	}
	return NULL;
}

void vserver_hooks_keep(struct reading *r, struct vserver_hooks *h)
{
	const struct vserver *v = vserver_of(r);
	const char *event = event_of(v);

	if (event == NULL) {
		reading_decide(r, BIN_INERT, "no step of start or stop");
		reading_find(r, FIND_SRC_UNKNOWN_FILE,
			     "%s: no step of start or stop has that name: it "
			     "never ran",
			     v->path);
		return;
	}
	*vec_add(r->g->mem, &h->scripts) = (struct script){
		.s = r->cur,
		.event = event,
		.defaults = v->in_defaults,
		.odd = is_backup(v->path),
	};
}

/* A sourced script of the guest may ask for the host's as well. */
static bool asks_defaults(struct reading *r, const struct setting *s)
{
	const char *data;
	struct err e;
	size_t n;

	return tree_read(vserver_of(r)->t, s->from.file, 1 << 20, r->g->mem,
			 &data, &n, &e) == 0 &&
	       strstr(data, "DONT_SKIP_DEFAULTS=") != NULL;
}

/* Whether the guest's own scripts of a step keep the host's from running. */
static bool handled(struct reading *r, const struct vserver_hooks *h,
		    const char *event)
{
	bool any = false;

	for (size_t i = 0; i < h->scripts.n; i++) {
		const struct script *s = &h->scripts.v[i];

		if (s->defaults || s->odd || !str_eq(s->event, event))
			continue;
		if (asks_defaults(r, s->s))
			return false;
		any = true;
	}
	return any;
}

void vserver_hooks_settle(struct reading *r, const struct vserver_hooks *h)
{
	for (size_t i = 0; i < h->scripts.n; i++) {
		const struct script *s = &h->scripts.v[i];

		reading_resume(r, s->s);
		if (s->odd)
			reading_decide(r, BIN_INERT,
				       "skipped for its name: a backup");
		else if (s->defaults && handled(r, h, s->event))
			reading_decide(r, BIN_OVERRIDDEN,
				       "the guest has scripts of its own for "
				       "%s",
				       s->event);
		else
			vserver_hooks_take(r, s->event);
	}
}
