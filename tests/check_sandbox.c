/* The sandbox of workers: what it forbids, in a child of its own. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sandbox.h"

/* In a child confined to reading `in` and writing `out`: 0, or what failed. */
static int confined(struct arena *mem, const char *in, const char *out)
{
	struct sandbox *s CLEANUP(sandbox_freep) = NULL;
	struct err e;

	s = sandbox_new(&e);
	if (s == NULL)
		return e.code == ENOSYS || e.code == EOPNOTSUPP ? 77 : 1;
	if (sandbox_read(s, in, &e) < 0 || sandbox_write(s, out, &e) < 0 ||
	    sandbox_enter(s, &e) < 0)
		return 2;
	if (open(arena_printf(mem, "%s/file", in), O_RDONLY) < 0)
		return 3;
	if (open(arena_printf(mem, "%s/file", in), O_WRONLY) >= 0)
		return 4;
	if (mkdir(arena_printf(mem, "%s/new", in), 0700) == 0)
		return 5;
	if (open(arena_printf(mem, "%s/new", out), O_WRONLY | O_CREAT, 0600) <
	    0)
		return 6;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 7;
	return 0;
}

START_TEST(test_confined)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char in[] = "/tmp/check_sandbox.XXXXXX";
	char out[] = "/tmp/check_sandbox.XXXXXX";
	const char *file, *new;
	int status;
	pid_t pid;

	ck_assert_ptr_nonnull(mkdtemp(in));
	ck_assert_ptr_nonnull(mkdtemp(out));
	file = arena_printf(mem, "%s/file", in);
	new = arena_printf(mem, "%s/new", out);
	close(open(file, O_WRONLY | O_CREAT, 0600));
	pid = fork();
	if (pid == 0)
		_exit(confined(mem, in, out));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	unlink(file);
	unlink(new);
	rmdir(in);
	rmdir(out);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) != 77) /* no Landlock: nothing is given up */
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_confined);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
