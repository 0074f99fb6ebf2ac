/* "check_pack time COMMAND": wall clock, processor time and peak memory. */
#ifndef REHOST_TESTS_CHECK_PACK_TIME_H
#define REHOST_TESTS_CHECK_PACK_TIME_H

#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double tool_seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int tool_time(char **argv)
{
	struct rusage used;
	struct timespec a, b;
	int status = -1;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    getrusage(RUSAGE_CHILDREN, &used))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.3f %.3f %ld\n",
	       (double)(b.tv_sec - a.tv_sec) +
		       (double)(b.tv_nsec - a.tv_nsec) / 1e9,
	       tool_seconds(used.ru_utime) + tool_seconds(used.ru_stime),
	       used.ru_maxrss);
	return status != 0;
}

#endif
