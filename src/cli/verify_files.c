/* rehost verify --files: is a guest's root what was packed? */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/verify_files.h"
#include "pack/pack.h"

static void print_differences(const char *dir, const struct pack_verified *v)
{
	for (size_t i = 0; i < v->n_first; i++)
		printf("%s: %s: %s\n", dir, v->first[i].path, v->first[i].what);
	if (v->n > v->n_first)
		printf("%s: and %" PRIu64 " more\n", dir, v->n - v->n_first);
	if (v->n == 0)
		printf("%s: %" PRIu64 " members as packed\n", dir, v->members);
}

/* The manifest says whether the root is an archive or a tree, and its name. */
static int check_one(const char *dir, struct arena *mem, bool *ret_same,
		     struct err *e)
{
	int fd CLEANUP(fd_closep) =
		open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tree *tree CLEANUP(tree_closep) = NULL;
	json_t *m CLEANUP(json_freep) = NULL;
	const json_t *root;
	struct pack_check c = { .dirfd = fd, .files = "files.zst" };
	struct pack_verified v;
	const char *path;

	if (fd < 0)
		return err_set(e, errno, "open %s", dir);
	m = json_load_file(arena_printf(mem, "%s/manifest.json", dir), 0, NULL);
	root = json_object_get(m, "rootfs");
	if (!json_is_object(root))
		return err_set(e, 0, "%s: no root file system was packed", dir);
	path = arena_strdup(mem, json_str(root, "path"));
	if (!json_is_true(json_object_get(root, "tree")))
		c.archive = path;
	else if (tree_open_dir(arena_printf(mem, "%s/%s", dir, path), &tree,
			       e) < 0)
		return -1;
	c.tree = tree;
	if (pack_verify(&c, mem, &v, e) < 0)
		return err_wrap(e, "%s", dir);
	print_differences(dir, &v);
	*ret_same = v.n == 0;
	return 0;
}

int verify_files(const struct options *o, struct arena *mem, struct err *e)
{
	int status = EXIT_OK;

	if (o->args.n == 0)
		return err_set(e, EINVAL, "verify: which DIR/NAME?");
	for (size_t i = 0; i < o->args.n; i++) {
		bool same = false;

		if (check_one(o->args.v[i], mem, &same, e) < 0) {
			log_error("%s", e->msg);
			status = EXIT_FAILED;
		} else if (!same && status == EXIT_OK) {
			status = EXIT_DIFFERENT;
		}
	}
	return status;
}
