/*
 * The guest's name, and its own network set-up, which the engine's takes the
 * place of. Reference: vserver.md 5.2 rows 20 to 24.
 */
#include <regex.h>
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/cap.h"
#include "base/str.h"
#include "plan/edits.h"

/* --- Debian, Alpine: interfaces(5) --- */

static bool may_set_up(const struct plan *p)
{
	return p->g->caps.from == NULL ||
	       (p->g->caps.v & CAP_BIT(cap_find("net_admin"))) != 0;
}

/* "auto lo eth0": the loopback stays where the guest may set it up. */
static bool auto_line(void *arg, const char *line, struct buf *out)
{
	struct edits *ed = arg;
	const struct strv words = strv_split(ed->mem, line, " \t\r");

	if (words.n < 2 ||
	    (!str_eq(words.v[0], "auto") && !str_starts(words.v[0], "allow-")))
		return false;
	if (!may_set_up(ed->p) || !strv_has(&words, "lo")) {
		edits_comment_out(out, line);
		return true;
	}
	if (words.n == 2)
		return false;
	edits_comment_out(out, line);
	buf_printf(out, "\n%s lo", words.v[0]);
	return true;
}

void edits_ifupdown(struct edits *ed)
{
	const struct strv paths = edits_glob(ed, ed->row->path);

	for (size_t i = 0; i < paths.n; i++)
		if (!tree_is_dir(ed->p->root, paths.v[i]))
			edits_lines(ed, paths.v[i], auto_line, ed);
}

/* --- Gentoo: the service stays, others need it; it has nothing to do --- */

/* "eth0.5" is eth0_5 in the names of variables. */
static const char *variable(struct arena *mem, const char *nic)
{
	char *text = arena_strdup(mem, nic);

	for (char *s = text; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s))
			*s = '_';
	return text;
}

void edits_netifrc(struct edits *ed)
{
	const struct strv links = edits_glob(ed, ed->row->path);

	for (size_t i = 0; i < links.n; i++) {
		const char *name = strrchr(links.v[i], '/') + 1;
		const char *nic = name + strlen("net.");

		if (str_eq(nic, "lo") || str_eq(nic, "vserver"))
			continue;
		nic = variable(ed->mem, nic);
		edits_add_line(
			ed, "/etc/conf.d/net",
			arena_printf(ed->mem,
				     "config_%s=\"null\"\nroutes_%s=\"\"", nic,
				     nic));
	}
}

/* --- name --- */

/* The name, if it can stand anywhere without quotes. */
static const char *name_of(const struct plan *p)
{
	const char *s = p->g->hostname.v;

	if (p->g->hostname.from == NULL || s[0] == '\0')
		return NULL;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '-' && *s != '.')
			return NULL;
	return p->g->hostname.v;
}

void edits_hostname(struct edits *ed)
{
	const char *name = name_of(ed->p), *path;
	struct slice text;

	if (name == NULL || !edits_read(ed, ed->row->path, &path, &text) ||
	    slice_eq(slice_trim(text), name))
		return;
	name = arena_printf(ed->mem, "%s\n", name);
	edits_write(ed, path, name, strlen(name));
}

/*
 * SuSE and Slackware keep the name with its domain in /etc/HOSTNAME, and their
 * boot scripts set what stands before the first dot.
 */
void edits_hostname_domain(struct edits *ed)
{
	const char *name = name_of(ed->p), *path;
	struct slice text;

	if (name != NULL && strchr(name, '.') == NULL &&
	    edits_read(ed, ed->row->path, &path, &text) &&
	    str_starts(slice_dup(ed->mem, text),
		       arena_printf(ed->mem, "%s.", name)))
		return;
	edits_hostname(ed);
}

struct key_match {
	regex_t re;
	const char *name;
};

static void key_done(struct key_match *k)
{
	regfree(&k->re);
}

static bool key_line(void *arg, const char *line, struct buf *out)
{
	const struct key_match *k = arg;
	regmatch_t at[2];
	size_t n;

	if (regexec(&k->re, line, 2, at, 0) != 0 || at[1].rm_so < 0)
		return false;
	n = (size_t)(at[1].rm_eo - at[1].rm_so);
	if (n == strlen(k->name) &&
	    strncmp(line + at[1].rm_so, k->name, n) == 0)
		return false;
	buf_add(out, line, (size_t)at[1].rm_so);
	buf_adds(out, k->name);
	buf_adds(out, line + at[1].rm_eo);
	return true;
}

/* Group 1 of the row's pattern is the name. */
void edits_hostname_key(struct edits *ed)
{
	struct key_match k CLEANUP(key_done) = { .name = name_of(ed->p) };

	if (regcomp(&k.re, ed->row->pattern, REG_EXTENDED) == 0 &&
	    k.name != NULL)
		edits_lines(ed, ed->row->path, key_line, &k);
}

static bool has_name(struct edits *ed, struct slice text, const char *name)
{
	struct slice line, word;

	while (slice_next(&text, '\n', &line)) {
		const char *s = slice_dup(ed->mem, line);
		struct slice rest = { s, strcspn(s, "#\r") };

		if (!slice_word(&rest, &word)) /* the address */
			continue;
		while (slice_word(&rest, &word))
			if (slice_eq(word, name))
				return true;
	}
	return false;
}

/* Whether the guest has the address: by an interface, or in another's stack. */
static bool is_carried(const struct guest *g, const struct addr *a)
{
	return a->ip.from != NULL &&
	       (a->nic != NULL || str_eq(g->ns_net.v, "host") ||
		str_starts(g->ns_net.v, "shared:"));
}

/* sudo, mail and Java wait long for a name that leads nowhere. */
void edits_hosts(struct edits *ed)
{
	const struct guest *g = ed->p->g;
	const char *name = name_of(ed->p), *path, *ip = "127.0.1.1", *alias;
	struct slice text;

	if (name == NULL || str_eq(name, "localhost") ||
	    !edits_read(ed, ed->row->path, &path, &text) ||
	    has_name(ed, text, name))
		return;
	for (size_t i = g->addrs.n; i-- > 0;)
		if (is_carried(g, g->addrs.v[i]))
			ip = g->addrs.v[i]->ip.v;
	alias = strchr(name, '.') == NULL ?
			"" :
			arena_printf(ed->mem, " %.*s", (int)strcspn(name, "."),
				     name);
	edits_add_line(ed, path,
		       arena_printf(ed->mem, "%s\t%s%s", ip, name, alias));
}
