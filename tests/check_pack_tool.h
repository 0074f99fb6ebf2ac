/*
 * Packing and verifying for scripts:
 *
 *   check_pack pack [-f FORMAT] [-j JOBS] [-l FILES] [-s INSIDE:OUTSIDE:COUNT]
 *                   [-b] [-d] [-t] [-w] DIR OUT [SKIP...]
 *   check_pack verify DIRECTORY FILES ARCHIVE
 *   check_pack verify -t DIRECTORY FILES TREE
 *   check_pack time COMMAND [ARGUMENT...]    prints "WALL CPU PEAK" at the end:
 *                   seconds, seconds, KiB of the largest process
 *
 * -b shifts back, -d digests the tar as well, -t is a tree instead of an
 * archive, -w takes a tree that is not still. All nodes are kept.
 */
#ifndef REHOST_TESTS_CHECK_PACK_TOOL_H
#define REHOST_TESTS_CHECK_PACK_TOOL_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "check_pack.h"
#include "check_pack_time.h"
#include "tree/tree_image.h"

struct tool {
	struct arena *mem;
	struct pack_options o;
	struct pack_variant variant;
	struct pack_job job;
	struct shift shift;
	struct shift_range range;
	bool moves; /* the tree */
	struct err e;
};

static int tool_fail(const struct err *e)
{
	fprintf(stderr, "check_pack: %s\n", e->msg);
	return 1;
}

static uint32_t tool_number(struct tool *t, const char *s)
{
	uint64_t n = 0;

	if (num_u64(s, &n, &t->e))
		exit(tool_fail(&t->e));
	return (uint32_t)n;
}

static void tool_shift(struct tool *t, const char *text)
{
	struct strv v = strv_split(t->mem, text, ":");

	if (v.n != 3)
		exit(2);
	t->range.inside = tool_number(t, v.v[0]);
	t->range.outside = tool_number(t, v.v[1]);
	t->range.count = tool_number(t, v.v[2]);
	t->shift.uid = t->shift.gid = &t->range;
	t->shift.n_uid = t->shift.n_gid = 1;
	t->o.shift = &t->shift;
}

/* DIR: a directory, or the file of a disk image. */
static int tool_open(struct tool *t, const char *path, struct tree **ret)
{
	struct tree *above CLEANUP(tree_closep) = NULL;
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return tree_open_dir(path, ret, &t->e);
	return tree_open_dir(*path == '/' ? "/" : ".", &above, &t->e) ||
	       tree_open_image(above, path, NULL, ret, &t->e);
}

static void tool_options(struct tool *t, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "f:j:l:s:bdtw")) != -1) {
		if (c == 'f' && format_parse(optarg, &t->o.format, &t->e))
			exit(tool_fail(&t->e));
		if (c == 'j')
			t->o.jobs = tool_number(t, optarg);
		if (c == 'l')
			t->job.files = optarg;
		if (c == 's')
			tool_shift(t, optarg);
		if (c == 'b')
			t->shift.back = true;
		if (c == 'd')
			t->o.tar_digest = true;
		if (c == 'w')
			t->moves = true;
		if (c == 't')
			t->o.as_tree = true;
		if (c == '?')
			exit(2);
	}
}

static void tool_print_names(const char *what, const struct pack_names *names)
{
	printf("%s=%" PRIu64 "\n", what, names->n);
	for (size_t i = 0; i < names->first.n; i++)
		printf("%s: %s\n", what, names->first.v[i]);
}

static void tool_print(const struct pack_result *r)
{
	printf("files=%" PRIu64 " dirs=%" PRIu64 " links=%" PRIu64
	       " hardlinks=%" PRIu64 " nodes=%" PRIu64 " fifos=%" PRIu64 "\n",
	       r->files, r->dirs, r->links, r->hardlinks, r->nodes, r->fifos);
	printf("sockets=%" PRIu64 " skipped=%" PRIu64 " xattrs_dropped=%" PRIu64
	       "\n",
	       r->sockets, r->skipped, r->xattrs_dropped);
	printf("bytes_in=%" PRIu64 " bytes_tar=%" PRIu64 " bytes_out=%" PRIu64
	       "\n",
	       r->bytes_in, r->bytes_tar, r->bytes_out);
	printf("unified=%" PRIu64 "\n", r->unified);
	printf("sha256=%s\ntar_sha256=%s\n", r->sha256, r->tar_sha256);
	tool_print_names("changed", &r->changed);
	tool_print_names("vanished", &r->vanished);
	tool_print_names("unreadable", &r->unreadable);
	tool_print_names("flagged", &r->flagged);
	tool_print_names("mounts", &r->mounts);
}

static int tool_pack(struct tool *t, char **argv)
{
	struct tree *tree CLEANUP(tree_closep) = NULL;
	struct pack_outcome got;
	char *slash = strrchr(argv[1], '/');
	int dirfd CLEANUP(fd_closep) = -1;

	t->variant.name = slash ? slash + 1 : argv[1];
	t->variant.keep_nodes = true;
	if (slash)
		*slash = '\0';
	dirfd = open(slash ? argv[1] : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (t->o.skip = (const char *const *)argv + 2; argv[2 + t->o.n_skip];)
		t->o.n_skip++;
	t->o.one_fs = true;
	t->o.file_fd = tree_file_fd;
	t->job.dirfd = dirfd;
	t->job.options = &t->o;
	t->job.variants = &t->variant;
	t->job.n = 1;
	if (tool_open(t, argv[0], &tree))
		return tool_fail(&t->e);
	if (!t->moves)
		tree_set_still(tree);
	if (pack_run(tree, &t->job, t->mem, &got, &t->e))
		return tool_fail(&t->e);
	tool_print(&got.v[0]);
	return 0;
}

static int tool_verify(struct tool *t, char **argv)
{
	struct tree *tree CLEANUP(tree_closep) = NULL;
	int dirfd CLEANUP(fd_closep) =
		open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pack_check check = { .dirfd = dirfd, .files = argv[1] };
	struct pack_verified got;

	if (!t->o.as_tree)
		check.archive = argv[2];
	else if (tree_open_dir(argv[2], &tree, &t->e))
		return tool_fail(&t->e);
	check.tree = tree;
	if (pack_verify(&check, t->mem, &got, &t->e))
		return tool_fail(&t->e);
	printf("members=%" PRIu64 " differences=%" PRIu64 "\n", got.members,
	       got.n);
	for (size_t i = 0; i < got.n_first; i++)
		printf("%s: %s\n", got.first[i].path, got.first[i].what);
	return got.n > 0 ? 3 : 0;
}

static int tool(int argc, char **argv)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tool t = { .mem = mem };

	if (str_eq(argv[0], "time") && argc > 1)
		return tool_time(argv + 1);
	tool_options(&t, argc, argv);
	if (str_eq(argv[0], "pack") && argc - optind >= 2)
		return tool_pack(&t, argv + optind);
	if (str_eq(argv[0], "verify") && argc - optind == 3)
		return tool_verify(&t, argv + optind);
	fprintf(stderr, "check_pack: see check_pack_tool.h\n");
	return 2;
}

#endif
