/*
 * Limits that hold: filled inside, by children that end with the call. One
 * that is above a quarter of what the host has free is not tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/probe.h"

enum { PART = 4, MIB = 1 << 20 };

/* The limit that is planned; false: none. */
static bool planned(struct probe *p, enum field_id field, uint64_t *ret)
{
	const char *text = policy_get(p->package->planned, field, "");
	struct err e;

	return text != NULL && num_u64(text, ret, &e) == 0;
}

static void add(struct probe *p, const char *item, const char *probe,
		const char *observed, const char *why)
{
	*vec_add(p->mem, &p->seen->facts) = (struct verify_fact){
		.area = AREA_LIMITS,
		.item = item,
		.expected = "yes",
		.observed = observed,
		.reason = why,
		.optional = why != NULL,
		.probe = probe,
	};
}

static int inside(struct probe *p, void (*fn)(int fd, const void *arg),
		  const void *arg, const char **ret, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	if (p->subject->rootless != NULL)
		return err_set(e, 0, "%s", p->subject->rootless);
	if (p->subject->call(p->subject->engine, fn, arg, 60, &b, e) < 0)
		return -1;
	*ret = arena_strdup(p->mem, buf_str(&b));
	return 0;
}

static void tell(struct probe *p, const char *item, const char *probe,
		 void (*fn)(int fd, const void *arg), uint64_t limit)
{
	const char *text;
	struct err e;

	if (inside(p, fn, &limit, &text, &e) < 0)
		add(p, item, probe, NULL, arena_strdup(p->mem, e.msg));
	else if (text[0] == '\0')
		add(p, item, probe, NULL, "it could not be tried");
	else
		add(p, item, probe, text, NULL);
}

/* --- memory --- */

static const char memory_item[] = "the limit of memory holds";

static void first_to_die(void)
{
	int fd CLEANUP(fd_closep) =
		open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) < 0)
		return; /* the largest process is chosen all the same */
}

/* memfd: in memory as any anonymous page, and counted in the same group. */
static NORETURN void fill_memory(uint64_t limit)
{
	const uint64_t size = limit + 32 * MIB;
	const int fd = memfd_create("rehost", MFD_CLOEXEC);
	char block[65536];

	first_to_die();
	memset(block, 1, sizeof(block));
	for (uint64_t n = 0; n < size; n += sizeof(block))
		if (fd < 0 || write(fd, block, sizeof(block)) < 0)
			_exit(1);
	_exit(0);
}

static void in_memory(int fd, const void *arg)
{
	const uint64_t *limit = arg;
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0)
		fill_memory(*limit);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return;
	dprintf(fd, "%s",
		WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "no" : "yes");
}

/* MemAvailable: what may be taken without hurting others. */
static uint64_t memory_free(struct probe *p)
{
	const char *text, *line;
	struct err e;
	uint64_t kib;
	size_t n;

	if (probe_read(p, "/proc/meminfo", &text, &n, &e) < 0)
		return 0;
	line = probe_line(p, text, "MemAvailable");
	if (line == NULL ||
	    num_u64(arena_strndup(p->mem, line, strcspn(line, " ")), &kib, &e) <
		    0)
		return 0;
	return kib * 1024;
}

int probe_memory(struct probe *p, struct err *e)
{
	struct sysinfo host;
	uint64_t limit;

	if (!planned(p, FIELD_MEM_MAX, &limit))
		return 0;
	if (sysinfo(&host) < 0)
		return err_set(e, errno, "sysinfo");
	if (limit > memory_free(p) / PART)
		add(p, memory_item, "memory", NULL,
		    "not tried: above a quarter of the host's free memory");
	else if (host.freeswap != 0)
		add(p, memory_item, "memory", NULL,
		    "not tried: the rest would go to the host's swap");
	else
		tell(p, memory_item, "memory", in_memory, limit);
	return 0;
}

/* --- processes --- */

static const char processes_item[] = "the limit of processes holds";

static void in_processes(int fd, const void *arg)
{
	const uint64_t *limit = arg;
	uint64_t n = 0;
	int gate[2];
	pid_t pid = 0;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return;
	/* they end when the other side of the pipe is closed */
	for (; n <= *limit && (pid = fork()) > 0; n++)
		;
	if (pid == 0) {
		char c;

		close(gate[1]);
		close(fd);
		if (read(gate[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(gate[0]);
	close(gate[1]);
	while (waitpid(-1, NULL, 0) > 0)
		;
	dprintf(fd, "%s", n <= *limit ? "yes" : "no");
}

int probe_processes(struct probe *p, struct err *e)
{
	const char *text;
	uint64_t limit, all;
	size_t n;

	if (!planned(p, FIELD_PIDS_MAX, &limit))
		return 0;
	if (probe_read(p, "/proc/sys/kernel/pid_max", &text, &n, e) < 0 ||
	    num_u64(arena_strndup(p->mem, text, strcspn(text, "\n")), &all, e) <
		    0)
		return -1;
	if (limit > all / PART)
		add(p, processes_item, "processes", NULL,
		    "not tried: above a quarter of the host's process ids");
	else
		tell(p, processes_item, "processes", in_processes, limit);
	return 0;
}

/* --- processors --- */

static const char processors_item[] = "the limit of processor time holds";

/* More than the quota by that is no rounding of its periods. */
enum { BURN_MS = 1000, SPARE_PERCENT = 30 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void in_processors(int fd, const void *arg)
{
	const uint64_t *percent = arg;
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	const int64_t begin = now_ms();
	struct rusage used;
	int64_t wall, ms;

	for (long i = 0; i < n; i++)
		if (fork() == 0) {
			while (now_ms() - begin < BURN_MS)
				;
			_exit(0);
		}
	while (waitpid(-1, NULL, 0) > 0)
		;
	wall = now_ms() - begin;
	if (getrusage(RUSAGE_CHILDREN, &used) < 0 || wall < BURN_MS)
		return;
	ms = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	     (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
	dprintf(fd, "%s",
		ms * 100 * 100 <= wall * (int64_t)*percent *
					  (100 + SPARE_PERCENT) ?
			"yes" :
			"no");
}

int probe_processors(struct probe *p, struct err *e)
{
	const long all = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t quota, period = 100000, percent;

	(void)e;
	if (!planned(p, FIELD_CPU_QUOTA, &quota))
		return 0;
	if (planned(p, FIELD_CPU_PERIOD, &percent) && percent != 0)
		period = percent;
	percent = quota * 100 / period;
	if (all < 1 || percent > (uint64_t)all * 100 / PART)
		add(p, processors_item, "processors", NULL,
		    "not tried: above a quarter of the host's processors");
	else
		tell(p, processors_item, "processors", in_processors, percent);
	return 0;
}
