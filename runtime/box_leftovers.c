/*
 * What a killed run leaves: its namespaces and processes end with it, for all
 * are bound to rehost's life; groups and the overlay's directory stay. They
 * are called rehost.GUEST.PID, so that the next run knows whose they were.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "runtime/box_parts.h"
#include "runtime/group.h"
#include "runtime/group_v2.h"

static bool is_left(const char *name)
{
	const char *dot = strrchr(name, '.');
	uint64_t pid;
	struct err e;

	if (!str_starts(name, "rehost.") || dot == NULL ||
	    num_u64(dot + 1, &pid, &e) < 0 || pid == 0 || pid > 1 << 22)
		return false;
	return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static void remove_groups(struct arena *mem, const char *root)
{
	DIR *d = opendir(root);
	const struct dirent *entry;
	struct err e;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (is_left(entry->d_name))
			group_remove_dir(arena_printf(mem, "%s/%s", root,
						      entry->d_name),
					 &e);
	if (d != NULL)
		closedir(d);
}

static void remove_dirs(const char *scratch)
{
	DIR *d = opendir(scratch);
	const struct dirent *entry;
	struct err e;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (is_left(entry->d_name))
			fd_remove_tree(dirfd(d), entry->d_name, &e);
	if (d != NULL)
		closedir(d);
}

void box_leftovers(const struct host *h, const char *scratch)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct err e;

	for (size_t i = 0; i < h->groups.n; i++)
		remove_groups(mem, h->groups.v[i].path);
	if (host_v2(h) != NULL)
		group_v2_disable(host_v2(h)->path, &e);
	remove_dirs(scratch);
}

void box_sweep(const char *scratch)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct host h;
	struct err e;

	if (host_read(mem, false, &h, &e) == 0)
		box_leftovers(&h, scratch);
}
