/*
 * README.txt: how the package is installed, started and stopped. Its commands
 * stand on lines of their own and run as they are, by root, in the package.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "cli/package_parts.h"
#include "plan/plan.h"
#include "policy/host_side.h"

/* A word of a shell's command. */
static const char *quoted(struct arena *mem, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@%:,";
	struct buf b CLEANUP(buf_done) = { 0 };

	if (word[strspn(word, plain)] == '\0')
		return word;
	buf_addc(&b, '\'');
	for (; *word != '\0'; word++)
		if (*word == '\'')
			buf_adds(&b, "'\\''");
		else
			buf_addc(&b, *word);
	buf_addc(&b, '\'');
	return arena_strdup(mem, buf_str(&b));
}

static bool mounts_mapped(const struct emission *em)
{
	for (size_t i = 0; i < em->files.n; i++)
		if (strstr(em->files.v[i].text, "idmap=container") != NULL)
			return true;
	return false;
}

static void add_rootfs(const struct package *p, const char *place,
		       struct buf *b)
{
	if (p->rootfs == NULL)
		return;
	if (p->is_tree)
		buf_printf(b, "    cp -a --reflink=auto rootfs/. %s\n", place);
	else
		buf_printf(b,
			   "    tar %s --numeric-owner --xattrs "
			   "--xattrs-include='*' --acls -xpf %s \\\n"
			   "        -C %s\n",
			   format_tar_option(p->format.kind), p->rootfs, place);
}

/* With mapped ids the guest's root is an ordinary user of the host. */
static void add_owners(const struct package *p, const struct emission *em,
		       const char *top, const char *dir, struct buf *b)
{
	const struct idmap *m;

	if (p->w->g->idmaps.n == 0)
		return;
	m = p->w->g->idmaps.v[0];
	buf_printf(b,
		   "\nUser and group ids are mapped: the guest's root is id "
		   "%" PRIu64 " of the host, and\n"
		   "has to get through to its tree:\n\n"
		   "    chmod o+x %s %s\n\n",
		   m->outside.v, top, dir);
	if (em->options->shifted)
		buf_adds(b, "The owners in the tree are those of the host "
			    "already (--shift).\n");
	else if (mounts_mapped(em))
		buf_adds(b, "Its tree keeps the guest's own ids: they are "
			    "mapped when it is mounted (kernel 5.12;\n"
			    "ext4, XFS, Btrfs or tmpfs, not an overlay). "
			    "Elsewhere: convert with --shift.\n");
	else
		buf_printf(b,
			   "LXC %s does not map owners when it mounts: "
			   "convert with --shift.\n",
			   em->options->version);
}

/* What the emitter wrote for the host that the guest is on. */
static void add_filter(const struct emission *em, struct buf *b)
{
	for (size_t i = 0; i < em->files.n; i++)
		if (str_eq(em->files.v[i].path, HOST_SIDE_FILTER))
			buf_adds(b, "\nThe host keeps it to its own addresses, "
				    "before it is started and after every\n"
				    "start of the host:\n\n"
				    "    nft -f lxc/" HOST_SIDE_FILTER "\n");
}

static void add_lxc(const struct package *p, const struct emission *em,
		    struct buf *b)
{
	const struct guest *g = p->w->g;
	struct arena *mem = p->w->mem;
	const char *path = em->options->path;
	const bool usual = str_eq(path, em->emitter->default_path);
	const char *top = quoted(mem, path), *dir, *place, *at;

	dir = quoted(mem, arena_printf(mem, "%s/%s", path, em->name));
	place = quoted(mem, arena_printf(mem, "%s/%s/rootfs", path, em->name));
	at = usual ? "" : arena_printf(mem, " -P %s", top);
	buf_printf(b, "LXC %s\n\n    mkdir -p %s\n", em->options->version,
		   place);
	add_rootfs(p, place, b);
	buf_printf(b, "    install -m 600 lxc/config %s/config\n", dir);
	add_owners(p, em, top, dir, b);
	add_filter(em, b);
	if (g->autostart.from != NULL && g->autostart.v)
		buf_adds(b, "\nThe config starts it with the host "
			    "(lxc.start.auto = 1): set that to 0 until the "
			    "switch.\n");
	buf_printf(b,
		   "\nStart it:\n\n    lxc-start%s -n %s\n\n"
		   "Stop it:\n\n    lxc-stop%s -n %s -t %" PRIu64 "\n\n",
		   at, em->name, at, em->name,
		   g->stop_timeout.from != NULL ? g->stop_timeout.v : 60);
}

void package_readme(const struct package *p, struct buf *b)
{
	const struct guest *g = p->w->g;

	buf_printf(b,
		   "%s, converted by rehost %s\n\n"
		   "Verdict: %s. Read report.txt first: it says what changes "
		   "and what is lost.\n"
		   "State when it was read: %s (%s).\n\n"
		   "The commands are for root, in this directory. Check the "
		   "files:\n\n"
		   "    sha256sum -c SHA256SUMS\n\n"
		   "Once for the host: the files in ../host, if there are "
		   "any. Each says in its first lines\nwhere it goes.\n\n",
		   g->key, REHOST_VERSION, plan_verdict_name(p->w->verdict),
		   g->state, g->state_how);
	for (size_t i = 0; i < p->w->emissions.n; i++)
		if (str_eq(p->w->emissions.v[i]->emitter->name, "lxc"))
			add_lxc(p, p->w->emissions.v[i], b);
	buf_adds(b, "Never run the old and the new guest at the same time: "
		    "both answer for its addresses,\nboth run its jobs and "
		    "send its mail.\n");
}
