/* Backups of vzdump: which there are, what is in one, what is not. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "derive.h"
#include "importers/openvz/dump.h"
#include "tree/tree_archive.h"

enum {
	LOG_MAX = 1 << 20, /* bytes of a log */
	NAMED_MAX = 8,     /* programs in a message */
};

static const char config[] = "/etc/vzdump/vps.conf";
static const char config_lxc[] = "/etc/vzdump/pct.conf";

/* --- names ---------------------------------------------------------------- */

/*
 * "vzdump-openvz-101-2014_03_02-12_00_01.tar.lzo"; before Proxmox 1.2 it was
 * "vzdump-101.tar".
 */
const char *openvz_dump_ctid(struct arena *mem, const char *name)
{
	size_t n;

	if (str_starts(name, "vzdump-openvz-"))
		name += strlen("vzdump-openvz-");
	else if (str_starts(name, "vzdump-"))
		name += strlen("vzdump-");
	else
		return NULL;
	n = strspn(name, "0123456789");
	if (n == 0 || (name[n] != '-' && name[n] != '.'))
		return NULL;
	return arena_strndup(mem, name, n);
}

/* What stands before ".tar" and the like; NULL: it is called otherwise. */
static const char *stem_of(struct arena *mem, const char *name)
{
	static const char *const ends[] = { ".tar", ".tgz" };

	for (size_t i = 0; i < COUNT(ends); i++) {
		const char *at = strstr(name, ends[i]);

		if (at != NULL && at != name && (at[4] == '\0' || at[4] == '.'))
			return arena_strndup(mem, name, (size_t)(at - name));
	}
	return NULL;
}

const char *openvz_dump_id(struct arena *mem, const char *path)
{
	const char *id = openvz_dump_ctid(mem, str_base(path));

	return id != NULL ? id : stem_of(mem, str_base(path));
}

/* "2014-03-02 12:00:01" of the name; NULL: it does not say. */
static const char *time_of(struct arena *mem, const char *path)
{
	static const char form[] = "-dddd_dd_dd-dd_dd_dd";
	const char *stem = stem_of(mem, str_base(path));
	const size_t n = sizeof(form) - 1;
	const char *at;

	if (stem == NULL || strlen(stem) <= n)
		return NULL;
	at = stem + strlen(stem) - n;
	for (size_t i = 0; i < n; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)at[i]) :
				     form[i] != at[i])
			return NULL;
	return arena_printf(mem, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s", at + 1,
			    at + 6, at + 9, at + 12, at + 15, at + 18);
}

/* --- which there are ------------------------------------------------------ */

bool openvz_dump_is(const struct host *h, const char *path)
{
	return !str_ends(path, ".conf") && tree_is_archive(h->tree, path);
}

const char *openvz_dump_when(const struct host *h, struct arena *mem,
			     const char *path)
{
	const char *when = openvz_dump_is(h, path) ? time_of(mem, path) : NULL;

	return when == NULL && openvz_dump_is(h, path) ? "" : when;
}

int openvz_dump_list(const struct host *h, const char *dir, struct arena *mem,
		     struct sources *ret, struct err *e)
{
	struct tree_entries entries;

	if (tree_list(h->tree, dir, mem, &entries, e) < 0)
		return -1;
	while (str_ends(dir, "/"))
		dir = arena_strndup(mem, dir, strlen(dir) - 1);
	for (size_t i = 0; i < entries.n; i++) {
		const char *name = entries.v[i].name;
		const char *path = arena_printf(mem, "%s/%s", dir, name);
		struct source *s;

		if (openvz_dump_ctid(mem, name) == NULL ||
		    !openvz_dump_is(h, path))
			continue;
		s = pvec_add(mem, &ret->list);
		*s = (struct source){
			.host = h,
			.kind = "openvz",
			.id = openvz_dump_id(mem, path),
			.path = path,
			.when = openvz_dump_when(h, mem, path),
		};
	}
	return 0;
}

/* --- what is in one ------------------------------------------------------- */

int openvz_dump_open(struct reading *r, struct err *e)
{
	struct openvz *v = openvz_of(r);
	struct strv notes = { 0 };

	if (tree_open_archive(v->t, v->path, r->brief ? config : NULL,
			      r->g->mem, &notes, &r->root, e) < 0)
		return -1;
	for (size_t i = 0; i < notes.n; i++)
		reading_find(r, FIND_DSK_ARCHIVE, "%s", notes.v[i]);
	v->dump = arena_alloc(r->g->mem, sizeof(*v->dump));
	*v->dump = (struct openvz_dump){
		.tree = r->root,
		.conf = arena_printf(r->g->mem, "%s%s", v->path, config),
	};
	if (tree_exists(r->root, config))
		return 0;
	if (tree_exists(r->root, config_lxc))
		return err_set(e, EINVAL,
			       "%s: it holds %s: it is a backup of an LXC "
			       "guest of Proxmox, not of OpenVZ",
			       v->path, config_lxc + 1);
	return err_set(e, EINVAL,
		       "%s: it holds no %s: it is no backup of "
		       "OpenVZ's vzdump",
		       v->path, config + 1);
}

/* "mode: stop" of the log beside it; NULL: there is none, or it is silent. */
static const char *mode_of(struct reading *r)
{
	static const char *const words[] = { "backup mode: ", "mode: ",
					     "mode = " };
	struct openvz *v = openvz_of(r);
	struct arena *mem = r->g->mem;
	const char *stem = stem_of(mem, str_base(v->path)), *data;
	struct slice rest, line;
	struct err e;
	size_t n;

	if (stem == NULL ||
	    tree_read(v->t, arena_printf(mem, "%s/%s.log", v->dir, stem),
		      LOG_MAX, mem, &data, &n, &e) < 0)
		return NULL;
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		const char *text = slice_dup(mem, slice_trim(line));

		for (size_t i = 0; i < COUNT(words); i++) {
			const char *at = strstr(text, words[i]);

			if (at == NULL)
				continue;
			at += strlen(words[i]);
			return arena_strndup(mem, at, strcspn(at, " \t"));
		}
	}
	return NULL;
}

/* What the kernel here says of a guest of this id is not about the backup. */
static void settle_state(struct reading *r, const struct origin *at)
{
	const char *when = time_of(r->g->mem, openvz_of(r)->path);
	const char *mode = mode_of(r);
	struct guest *g = r->g;

	g->state = mode != NULL && str_eq(mode, "stop") ? "stopped" : "backup";
	if (mode != NULL)
		g->state_how = arena_printf(
			g->mem, "a backup of mode %s, as its log says",
			str_show(g->mem, mode, strlen(mode), 20));
	else
		g->state_how = "a backup; no log beside it says whether the "
			       "guest was stopped";
	reading_find_at(r, FIND_SRC_BACKUP, at, "%s%s: %s",
			when != NULL ? "of " : "its name tells no time",
			when != NULL ? when : "", g->state_how);
}

/* --- what is not ---------------------------------------------------------- */

struct census {
	struct tree *t;
	uint64_t xattrs; /* entries that have some */
	uint64_t logs, temporary;
};

static int see(void *arg, const char *path, const struct tree_stat *st,
	       struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct census *c = arg;
	struct tree_xattrs x;

	if (st == NULL)
		return 0;
	if (tree_xattrs(c->t, path, mem, &x, e) == 0 && x.n > 0)
		c->xattrs++;
	c->logs += str_starts(path, "var/log/") && !S_ISDIR(st->mode);
	c->temporary += str_starts(path, "tmp/") ||
			str_starts(path, "var/tmp/");
	return 0;
}

/*
 * Programs that distributions ship with file capabilities where they have no
 * set-user-id bit: without the one and the other they have lost something.
 */
static const char *const capable[] = {
	"/bin/ping",
	"/bin/ping6",
	"/usr/bin/ping",
	"/usr/bin/ping6",
	"/usr/sbin/arping",
	"/usr/bin/arping",
	"/usr/sbin/clockdiff",
	"/usr/bin/mtr-packet",
	"/usr/sbin/mtr",
	"/usr/bin/newuidmap",
	"/usr/bin/newgidmap",
	"/usr/sbin/suexec",
	"/usr/bin/systemd-detect-virt",
	"/usr/bin/dumpcap",
	"/usr/libexec/gstreamer-1.0/gst-ptp-helper",
};

static const char *without_caps(struct reading *r, size_t *ret_n)
{
	struct tree *t = openvz_of(r)->dump->tree;
	struct strv names = { 0 };
	const char *text;

	*ret_n = 0;
	for (size_t i = 0; i < COUNT(capable); i++) {
		struct tree_stat st;
		struct err e;

		if (tree_lstat(t, capable[i], &st, &e) < 0 ||
		    !S_ISREG(st.mode) || (st.mode & (S_ISUID | S_ISGID)) != 0)
			continue;
		if ((*ret_n)++ < NAMED_MAX)
			strv_add(r->g->mem, &names, capable[i]);
	}
	text = strv_join(r->g->mem, &names, " ");
	return *ret_n > NAMED_MAX ? arena_printf(r->g->mem, "%s ...", text) :
				    text;
}

static void settle_lost(struct reading *r, const struct origin *at)
{
	struct tree *t = openvz_of(r)->dump->tree;
	struct census c = { .t = t };
	const char *names;
	struct err e;
	size_t n;

	if (tree_walk(t, "", true, see, &c, &e) < 0) {
		reading_find_at(r, FIND_DSK_ARCHIVE, at, "%s", e.msg);
		return;
	}
	if (c.xattrs == 0) {
		names = without_caps(r, &n);
		reading_find_at(r, FIND_DSK_BACKUP_ATTRS, at,
				"no member has an extended attribute, ACL or "
				"file capability%s%s",
				n > 0 ? "; perhaps of " : "", names);
	}
	if (c.logs == 0 && tree_is_dir(t, "/var/log"))
		reading_find_at(r, FIND_DSK_BACKUP_FILES, at,
				"/var/log holds directories alone%s",
				c.temporary == 0 ?
					", /tmp and /var/tmp are empty" :
					"");
}

void openvz_dump_settle(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	const struct origin *at =
		reading_origin(r, ORIGIN_FILE, v->path, 0, "backup", NULL);

	settle_state(r, at);
	derive_str(r->g, FIELD_ROOTFS, r->g, v->path, at, NULL);
	if (tree_exists(v->dump->tree, "/root.hdd")) {
		reading_find_at(r, FIND_DSK_LAYOUT, at,
				"it holds root.hdd, the image of a ploop disk: "
				"unpack it and give the ve.conf, or the "
				"configuration with VE_PRIVATE, of what is "
				"unpacked");
		return;
	}
	if (!r->brief)
		settle_lost(r, at);
}
