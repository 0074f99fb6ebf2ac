/*
 * Which distribution, which init and version, which architecture: by files
 * that each family has had for as long as it exists. Nothing is run.
 */
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "derive.h"
#include "plan/look.h"

/*
 * Release files, most telling first; others keep /etc/redhat-release too, for
 * programs that look for it, and their first word says whose it is.
 */
static const struct os_row {
	const char *path, *id, *head; /* head: of the first line; NULL: any */
} os_rows[] = {
	{ "/etc/alpine-release", "alpine", NULL },
	{ "/etc/slackware-version", "slackware", NULL },
	{ "/etc/gentoo-release", "gentoo", NULL },
	{ "/etc/arch-release", "arch", NULL },
	{ "/etc/pld-release", "pld", NULL },
	{ "/etc/centos-release", "centos", NULL },
	{ "/etc/fedora-release", "fedora", NULL },
	{ "/etc/redhat-release", "pld", "PLD " },
	{ "/etc/redhat-release", "centos", "CentOS " },
	{ "/etc/redhat-release", "fedora", "Fedora " },
	{ "/etc/redhat-release", "redhat", NULL },
	{ "/etc/SuSE-release", "suse", NULL },
	{ "/etc/debian_version", "debian", NULL },
};

/* "SuSE Linux 9.1 (i586)" -> "9.1"; without a number its first word. */
static const char *release_version(struct plan *p, const char *line)
{
	const char *at = line;

	while (at != NULL && !isdigit((unsigned char)at[0])) {
		at = strchr(at, ' ');
		if (at != NULL)
			at++;
	}
	if (at == NULL)
		at = line;
	return arena_strndup(p->g->mem, at, strcspn(at, " "));
}

/* The value of KEY in a file of shell assignments (os-release(5)). */
static const char *assignment(struct plan *p, const char *path, const char *key)
{
	const char *data;
	struct slice rest, line;
	size_t n;
	struct err e;

	if (tree_read(p->root, path, 65536, p->g->mem, &data, &n, &e) < 0)
		return NULL;
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		char *text = slice_dup(p->g->mem, slice_trim(line));
		const size_t k = strlen(key);
		size_t m;

		if (!str_starts(text, key) || text[k] != '=')
			continue;
		text += k + 1;
		m = strlen(text);
		if (m >= 2 && (text[0] == '"' || text[0] == '\'') &&
		    text[m - 1] == text[0]) {
			text[m - 1] = '\0';
			text++;
		}
		return text;
	}
	return NULL;
}

static void set_os(struct plan *p, const char *path, const char *id,
		   const char *version)
{
	const struct origin *from = look_origin(p, path, NULL);

	derive_str(p->g, FIELD_OS_ID, p->g, id, from, NULL);
	if (version != NULL && version[0] != '\0')
		derive_str(p->g, FIELD_OS_VERSION, p->g, version, from, NULL);
}

static void distribution(struct plan *p)
{
	const char *id = assignment(p, "/etc/os-release", "ID");

	if (id != NULL) {
		set_os(p, "/etc/os-release", id,
		       assignment(p, "/etc/os-release", "VERSION_ID"));
		return;
	}
	id = assignment(p, "/etc/lsb-release", "DISTRIB_ID");
	if (id != NULL && str_caseeq(id, "ubuntu")) {
		set_os(p, "/etc/lsb-release", "ubuntu",
		       assignment(p, "/etc/lsb-release", "DISTRIB_RELEASE"));
		return;
	}
	for (size_t i = 0; i < COUNT(os_rows); i++) {
		const struct os_row *row = &os_rows[i];
		const char *line = look_line(p, row->path);

		if (line == NULL ||
		    (row->head != NULL && !str_starts(line, row->head)))
			continue;
		set_os(p, row->path, row->id, release_version(p, line));
		return;
	}
}

/*
 * What /sbin/init is: by the name it leads to, then by files of its package.
 * Order matters: systemd and upstart install links over sysvinit's names.
 */
static const struct init_row {
	const char *leads_to; /* part of the resolved path, or NULL */
	const char *file;     /* or a file that is there */
	const char *kind;
} init_rows[] = {
	{ "systemd", NULL, "systemd" },
	{ "busybox", NULL, "busybox" },
	{ "openrc-init", NULL, "openrc" },
	{ "upstart", NULL, "upstart" },
	{ "runit", NULL, "runit" },
	{ NULL, "/sbin/initctl", "upstart" },
	{ NULL, "/etc/init/rc.conf", "upstart" },
	{ NULL, "/lib/rc/sh/functions.sh", "openrc" },
	{ NULL, "/etc/inittab", "sysvinit" },
	{ NULL, "/sbin/telinit", "sysvinit" },
};

/* "libsystemd-shared-219.so" -> 219: newer systemd has its version there. */
static const char *systemd_in(struct plan *p, const char *dir)
{
	static const char head[] = "libsystemd-shared-";
	struct tree_entries list;
	struct err e;

	if (tree_list(p->root, dir, p->g->mem, &list, &e) < 0)
		return NULL;
	for (size_t i = 0; i < list.n; i++) {
		const char *v = list.v[i].name + strlen(head);

		if (str_starts(list.v[i].name, head) &&
		    isdigit((unsigned char)*v))
			return arena_strndup(p->g->mem, v,
					     strspn(v, "0123456789"));
	}
	return NULL;
}

/* Releases whose systemd has no versioned library; targets.md 1.4. */
static const struct systemd_row {
	const char *os, *release, *version;
} systemd_rows[] = {
	{ "centos", "7", "219" },     { "rhel", "7", "219" },
	{ "debian", "8", "215" },     { "ubuntu", "15.04", "219" },
	{ "ubuntu", "15.10", "225" },
};

static const char *systemd_version(struct plan *p)
{
	static const char *const dirs[] = { "/lib/systemd",
					    "/usr/lib/systemd" };
	const struct guest *g = p->g;

	for (size_t i = 0; i < COUNT(dirs); i++) {
		const char *v = systemd_in(p, dirs[i]);

		if (v != NULL)
			return v;
	}
	for (size_t i = 0; i < COUNT(systemd_rows); i++) {
		const struct systemd_row *row = &systemd_rows[i];

		if (g->os_id.from != NULL && g->os_version.from != NULL &&
		    str_eq(row->os, g->os_id.v) &&
		    str_starts(g->os_version.v, row->release))
			return row->version;
	}
	return NULL;
}

static const char *init_kind(struct plan *p)
{
	const char *real = "";
	struct err e;

	if (tree_resolve(p->root, "/sbin/init", p->g->mem, &real, &e) < 0)
		return "none";
	for (size_t i = 0; i < COUNT(init_rows); i++) {
		const struct init_row *row = &init_rows[i];

		if (row->leads_to != NULL ?
			    strstr(real, row->leads_to) != NULL :
			    tree_exists(p->root, row->file))
			return row->kind;
	}
	return "unknown";
}

static void init(struct plan *p)
{
	const struct origin *from = look_origin(p, "/sbin/init", NULL);
	const char *kind = init_kind(p), *version = NULL;

	derive_str(p->g, FIELD_INIT_KIND, p->g, kind, from, NULL);
	if (str_eq(kind, "systemd"))
		version = systemd_version(p);
	if (version != NULL)
		derive_str(p->g, FIELD_INIT_VERSION, p->g, version, from, NULL);
}

/* ELF e_machine values; elf.h. */
static const struct elf_row {
	unsigned machine, class;
	const char *arch;
} elf_rows[] = {
	{ 3, 1, "i686" },       { 62, 2, "x86_64" }, { 62, 1, "x32" },
	{ 183, 2, "aarch64" },  { 40, 1, "armv7l" }, { 21, 2, "ppc64" },
	{ 20, 1, "ppc" },       { 22, 2, "s390x" },  { 22, 1, "s390" },
	{ 243, 2, "riscv64" },  { 2, 1, "sparc" },   { 43, 2, "sparc64" },
	{ 0x9026, 2, "alpha" }, { 50, 2, "ia64" },   { 8, 1, "mips" },
	{ 8, 2, "mips64" },     { 15, 1, "hppa" },
};

static const char *elf_arch(const unsigned char *b, size_t n)
{
	unsigned machine;

	if (n < 20 || memcmp(b, "\177ELF", 4) != 0)
		return NULL;
	machine = b[5] == 2 ? (unsigned)b[18] << 8 | b[19] :
			      (unsigned)b[19] << 8 | b[18];
	for (size_t i = 0; i < COUNT(elf_rows); i++) {
		const bool little = b[5] == 1;

		if (elf_rows[i].machine != machine || elf_rows[i].class != b[4])
			continue;
		if (machine == 21 && little)
			return "ppc64le";
		return elf_rows[i].arch;
	}
	return NULL;
}

static bool look_elf(struct plan *p, const char *path)
{
	struct tree_file *file CLEANUP(tree_file_closep) = NULL;
	unsigned char head[20];
	const char *arch, *real;
	ssize_t n;
	struct err e;

	if (tree_resolve(p->root, path, p->g->mem, &real, &e) < 0 ||
	    tree_file_open(p->root, real, &file, &e) < 0)
		return false;
	n = tree_file_read(file, 0, head, sizeof(head), &e);
	arch = n < 0 ? NULL : elf_arch(head, (size_t)n);
	if (arch == NULL)
		return false;
	if (p->g->arch.from == NULL)
		derive_str(p->g, FIELD_ARCH, p->g, arch,
			   look_origin(p, path, NULL), NULL);
	return true;
}

static void architecture(struct plan *p)
{
	static const char *const programs[] = { "/bin/sh", "/sbin/init",
						"/bin/busybox", "/bin/ls",
						"/usr/bin/env" };

	for (size_t i = 0; i < COUNT(programs); i++)
		if (look_elf(p, programs[i]))
			return;
}

void look_os(struct plan *p)
{
	distribution(p);
	init(p);
	architecture(p);
}
