/*
 * A domain of libvirt, or a virtual network that a domain names, from its bytes
 * to the reports of every target. A text that is no XML is refused; what is
 * read is accounted for, whatever it says.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "importers/libvirt/libvirt.h"
#include "tests/fuzz/guest.h"
#include "tree/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What names the network under test. */
static const char user[] =
	"<domain type='lxc'><name>n</name><memory>65536</memory><os>"
	"<type>exe</type><init>/sbin/init</init></os><devices><filesystem>"
	"<source dir='/srv/n'/><target dir='/'/></filesystem>"
	"<interface type='network'><source network='n'/></interface>"
	"<interface type='network'><source network='n' portgroup='g'/>"
	"</interface></devices></domain>";

static void make_parents(const char *top, char *path, size_t room)
{
	static const char *const parts[] = { "/etc", "/libvirt", "/qemu",
					     "/networks" };
	size_t n = (size_t)snprintf(path, room, "%s", top);

	for (size_t i = 0; i < COUNT(parts); i++) {
		n += (size_t)snprintf(path + n, room - n, "%s", parts[i]);
		if (mkdir(path, 0700) < 0)
			abort();
	}
	snprintf(path + n, room - n, "/n.xml");
}

static void remove_parents(const char *top, char *path)
{
	unlink(path);
	while (strlen(path) > strlen(top)) {
		*strrchr(path, '/') = '\0';
		if (rmdir(path) < 0)
			abort();
	}
}

/* A host that has one network; its directory is gone when it is read. */
static void with_network(const uint8_t *data, size_t n, struct arena *mem,
			 void (*run)(struct tree *t, struct arena *mem,
				     const char *text, size_t len))
{
	char top[] = "/tmp/fuzz_libvirt.XXXXXX", path[128];
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct err e;
	FILE *f;

	if (mkdtemp(top) == NULL)
		abort();
	make_parents(top, path, sizeof(path));
	f = fopen(path, "w");
	if (f == NULL || fwrite(data, 1, n, f) != n || fclose(f) != 0 ||
	    tree_open_dir(top, &t, &e) < 0)
		abort();
	tree_set_name(t, "");
	run(t, mem, user, sizeof(user) - 1);
	remove_parents(top, path);
}

static void run_domain(struct tree *t, struct arena *mem, const char *text,
		       size_t n)
{
	const struct host host = { .name = "h", .dir = "/", .tree = t };
	const struct source s = { .host = &host,
				  .kind = "libvirt",
				  .id = "n",
				  .path = "/etc/libvirt/lxc/n.xml" };
	struct guest *g = guest_new(mem);
	struct reading *r = reading_new(g, &s, importer_find(s.kind));
	struct err e;

	g->key = "h/libvirt:n";
	g->kind = s.kind;
	g->host = host.name;
	g->id = g->name = g->package = s.id;
	g->source = s.path;
	g->state = "unknown";
	libvirt_begin(r, s.path);
	if (libvirt_read_text(r, text, n, &e) < 0)
		return;
	libvirt_settle(r);
	if (reading_close(r, &e) < 0)
		abort();
	no_fault(g);
	plan_conf(g, &s, mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char dir[] = "/tmp/fuzz_libvirt.XXXXXX";
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct err e;

	if (memmem(data, n, "<network", 8) != NULL &&
	    memmem(data, n, "<domain", 7) == NULL) {
		with_network(data, n, mem, run_domain);
		return 0;
	}
	if (mkdtemp(dir) == NULL || tree_open_dir(dir, &t, &e) < 0 ||
	    rmdir(dir) < 0)
		abort();
	tree_set_name(t, "");
	run_domain(t, mem, (const char *)data, n);
	return 0;
}
