/*
 * A configuration of OpenVZ, from its bytes to the reports of every target;
 * beneath the root there is nothing else. As no file may, it cannot fail.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "importers/openvz/read.h"
#include "tests/fuzz/guest.h"
#include "tree/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char conf_path[] = "/etc/vz/conf/101.conf";

/* A tree of an empty directory. */
static struct tree *nothing(void)
{
	char dir[] = "/tmp/fuzz_openvz.XXXXXX";
	struct tree *t;
	struct err e;

	if (!mkdtemp(dir) || tree_open_dir(dir, &t, &e) || rmdir(dir))
		abort();
	tree_set_name(t, "");
	return t;
}

static void read_conf(struct guest *g, const struct source *s, const char *text)
{
	struct reading *r = reading_new(g, s, importer_find(s->kind));
	struct err e;

	g->key = "h/openvz:101";
	g->kind = s->kind;
	g->host = s->host->name;
	g->id = g->name = g->package = s->id;
	g->source = s->path;
	g->state = "stopped";
	openvz_begin(r, conf_path)->dialect =
		openvz_dialect_of(conf_path, text, strlen(text));
	openvz_read_text(r, text);
	openvz_settle(r);
	if (reading_close(r, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		abort(); /* a setting was not accounted for */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree *t CLEANUP(tree_closep) = nothing();
	const struct host host = { .name = "h", .dir = "/", .tree = t };
	const struct source source = {
		.host = &host, .kind = "openvz", .id = "101", .path = conf_path
	};
	struct guest *g = guest_new(mem);

	read_conf(g, &source, arena_strndup(mem, (const char *)data, n));
	plan_conf(g, &source, mem);
	return 0;
}
