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
		reading_find(r, FIND_INI_HOOK, "%s, run as the host's root%s",
			     event, buf_str(&hits));
	else
		reading_find(r, FIND_INI_SOURCED,
			     "%s, not executable: sourced into the old "
			     "tool%s",
			     event, buf_str(&hits));
}
