/*
 * Workers on pipes. The parent hands out one index at a time; a worker answers
 * with a header and its two buffers. Nothing is shared, so a dead worker costs
 * one item.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/fd.h"
#include "batch.h"

enum { WINDOW = 4 }; /* items a worker may be ahead of the next result */

/* The only mutable state at file scope: what signal handlers may set. */
static volatile sig_atomic_t interrupted, asked;

struct answer { /* what a worker sends before its bytes */
	uint64_t index, n_record, n_section;
	int32_t ok;
	char why[512];
};

struct worker {
	pid_t pid; /* 0: none */
	int to, from;
	bool busy;
	size_t item;
	time_t since;
};

struct pool {
	const struct batch *b;
	struct arena *mem;
	struct worker *workers;
	struct pollfd *fds; /* one a worker */
	unsigned n_workers;
	size_t next_item, next_done;
	struct batch_result **results; /* by item; NULL before and after */
};

static void on_signal(int number)
{
	interrupted = number;
}

static void on_question(int number)
{
	asked = number;
}

void batch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = on_question;
	sa.sa_flags = SA_RESTART; /* poll ends nevertheless */
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

bool batch_interrupted(void)
{
	return interrupted != 0;
}

bool batch_asked(void)
{
	const bool was = asked != 0;

	asked = 0;
	return was;
}

static bool read_all(int fd, void *data, size_t n)
{
	char *p = data;

	while (n > 0) {
		const ssize_t k = read(fd, p, n);

		if (k < 0 && errno == EINTR && !interrupted)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool send_all(int fd, const void *data, size_t n)
{
	struct err e;

	return fd_write_all(fd, data, n, "pipe", &e) == 0;
}

/* The life of a worker: an index comes, an answer goes. */
NORETURN static void worker_loop(const struct batch *b, int in, int out)
{
	struct err e = { 0 };
	uint64_t i;

	if (b->enter != NULL && b->enter(b->arg, &e) < 0)
		_exit(3);
	while (read_all(in, &i, sizeof(i))) {
		struct buf record CLEANUP(buf_done) = { 0 };
		struct buf section CLEANUP(buf_done) = { 0 };
		struct answer a = { .index = i, .ok = 1 };

		if (b->run(b->arg, i, &record, &section, &e) < 0) {
			a.ok = 0;
			memcpy(a.why, e.msg, sizeof(a.why));
		}
		a.n_record = record.n;
		a.n_section = section.n;
		if (!send_all(out, &a, sizeof(a)) ||
		    !send_all(out, record.p, record.n) ||
		    !send_all(out, section.p, section.n))
			_exit(3);
	}
	exit(0); /* not _exit: sanitizers and gcov write at exit */
}

static void close_others(struct pool *p)
{
	for (unsigned i = 0; i < p->n_workers; i++)
		if (p->workers[i].pid != 0) {
			close(p->workers[i].to);
			close(p->workers[i].from);
		}
}

static int spawn(struct pool *p, struct worker *w, struct err *e)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	if (pipe2(from, O_CLOEXEC) < 0) {
		close(to[0]);
		close(to[1]);
		return err_set(e, errno, "make a pipe");
	}
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close_others(p);
		close(to[1]);
		close(from[0]);
		worker_loop(p->b, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	if (pid < 0) {
		close(to[1]);
		close(from[0]);
		return err_set(e, errno, "make a worker");
	}
	*w = (struct worker){ .pid = pid, .to = to[1], .from = from[0] };
	return 0;
}

/* Ends a worker and says how it ended. */
static int bury(struct worker *w, bool kill_it)
{
	int status = 0;

	if (kill_it)
		kill(w->pid, SIGKILL);
	close(w->to);
	close(w->from);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	w->busy = false;
	return status;
}

static struct batch_result *result_new(struct pool *p, size_t item)
{
	struct batch_result *r = arena_alloc(p->mem, sizeof(*r));

	p->results[item] = r;
	return r;
}

static void fail_item(struct pool *p, size_t item, const char *why)
{
	struct batch_result *r = result_new(p, item);

	r->why = arena_strdup(p->mem, why);
}

static void died(struct pool *p, struct worker *w, bool late)
{
	const size_t item = w->item;
	const bool busy = w->busy;
	const int status = bury(w, late);
	char why[128];

	if (!busy)
		return;
	if (late)
		snprintf(why, sizeof(why), "took longer than %u seconds",
			 p->b->seconds);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "its worker died of signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, sizeof(why), "its worker ended with status %d",
			 WEXITSTATUS(status));
	fail_item(p, item, why);
}

static bool read_buf(int fd, struct buf *b, uint64_t n)
{
	char chunk[65536];

	while (n > 0) {
		const size_t k = n < sizeof(chunk) ? (size_t)n : sizeof(chunk);

		if (!read_all(fd, chunk, k))
			return false;
		buf_add(b, chunk, k);
		n -= k;
	}
	return true;
}

static void take_answer(struct pool *p, struct worker *w)
{
	struct batch_result *r;
	struct answer a;

	if (!read_all(w->from, &a, sizeof(a))) {
		died(p, w, false);
		return;
	}
	r = result_new(p, w->item);
	r->ok = a.ok != 0;
	if (!r->ok)
		r->why = arena_strdup(p->mem, a.why);
	w->busy = false;
	if (read_buf(w->from, &r->record, a.n_record) &&
	    read_buf(w->from, &r->section, a.n_section))
		return;
	r->ok = false;
	r->why = "its worker died while it answered";
	bury(w, true);
}

static void give_work(struct pool *p, struct err *e)
{
	for (unsigned i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];
		uint64_t item = p->next_item;

		if (w->busy || p->next_item >= p->b->n ||
		    p->next_item >= p->next_done + WINDOW * p->n_workers)
			continue;
		if (w->pid == 0 && spawn(p, w, e) < 0)
			continue;
		p->next_item++;
		w->item = item;
		w->busy = true;
		w->since = time(NULL);
		if (p->b->started != NULL)
			p->b->started(p->b->arg, item);
		if (!send_all(w->to, &item, sizeof(item)))
			died(p, w, false);
	}
}

static void hand_out(struct pool *p)
{
	while (p->next_done < p->b->n && p->results[p->next_done] != NULL) {
		struct batch_result *r = p->results[p->next_done];

		p->b->done(p->b->arg, p->next_done, r);
		buf_done(&r->record);
		buf_done(&r->section);
		p->results[p->next_done] = NULL;
		p->next_done++;
	}
}

/* Waits for an answer, a death or a second; false when nobody is at work. */
static bool wait_for(struct pool *p)
{
	struct pollfd *fds = p->fds;
	unsigned busy = 0;

	for (unsigned i = 0; i < p->n_workers; i++) {
		const struct worker *w = &p->workers[i];

		fds[i] = (struct pollfd){ .fd = w->busy ? w->from : -1,
					  .events = POLLIN };
		busy += w->busy;
	}
	if (busy == 0)
		return false;
	if (poll(fds, p->n_workers, 1000) < 0)
		return true;
	for (unsigned i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];

		if (fds[i].revents != 0)
			take_answer(p, w);
		else if (w->busy && p->b->seconds != 0 &&
			 time(NULL) - w->since > (time_t)p->b->seconds)
			died(p, w, true);
	}
	return true;
}

static void stop_all(struct pool *p, bool kill_them)
{
	for (unsigned i = 0; i < p->n_workers; i++)
		if (p->workers[i].pid != 0)
			bury(&p->workers[i], kill_them);
	for (size_t i = 0; i < p->b->n; i++)
		if (p->results[i] != NULL) {
			buf_done(&p->results[i]->record);
			buf_done(&p->results[i]->section);
		}
}

int batch_run(const struct batch *b, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct pool p = { .b = b, .mem = mem, .n_workers = b->jobs };

	if (p.n_workers > b->n)
		p.n_workers = (unsigned)b->n;
	if (b->n == 0)
		return 0;
	p.workers = arena_alloc(mem, p.n_workers * sizeof(*p.workers));
	p.fds = arena_alloc(mem, p.n_workers * sizeof(*p.fds));
	p.results = arena_alloc(mem, b->n * sizeof(struct batch_result *));
	e->code = 0;
	e->msg[0] = '\0';
	while (p.next_done < b->n && !interrupted) {
		give_work(&p, e);
		if (!wait_for(&p) && p.results[p.next_done] == NULL)
			break;
		hand_out(&p);
		if (b->tick != NULL)
			b->tick(b->arg);
	}
	stop_all(&p, interrupted != 0);
	if (interrupted) {
		err_fill(e, 0, "stopped by signal %d (%s)", (int)interrupted,
			 strsignal(interrupted));
		e->code = EINTR;
		return -1;
	}
	if (p.next_done < b->n)
		return e->msg[0] != '\0' ? -1 :
					   err_set(e, 0, "no worker is left");
	return 0;
}
