/* How far guests are: lines on standard error. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "batch.h"

enum { COLUMNS = 80 }; /* where the terminal does not say */

static const double PAUSE = 0.5; /* seconds between two pictures */

struct running {
	size_t i;
	const char *key;
	double since; /* seconds, by the clock that only goes forward */
};

struct progress {
	struct arena *mem;
	struct progress_options o;
	struct progress_slot *slots; /* o.n, shared; NULL: none */
	VEC(struct running) running;
	size_t ended;
	bool is_terminal;
	unsigned drawn; /* lines on the terminal */
	double next;    /* no picture before: what is quick shows none */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term != NULL && *term != '\0' &&
	       !str_eq(term, "dumb");
}

struct progress *progress_new(struct arena *mem,
			      const struct progress_options *o)
{
	struct progress *p = arena_alloc(mem, sizeof(*p));
	size_t n = o->n * sizeof(*p->slots);

	p->mem = mem;
	p->o = *o;
	p->is_terminal = !o->quiet && is_terminal();
	p->next = now() + 2 * PAUSE;
	if (n == 0)
		return p;
	p->slots = mmap(NULL, n, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->slots == MAP_FAILED)
		p->slots = NULL;
	return p;
}

void progress_freep(struct progress **p)
{
	if (*p == NULL)
		return;
	progress_hide(*p);
	if ((*p)->slots != NULL)
		munmap((*p)->slots, (*p)->o.n * sizeof(*(*p)->slots));
	*p = NULL;
}

struct progress_slot *progress_slot(struct progress *p, size_t i)
{
	return p->slots == NULL ? NULL : &p->slots[i];
}

void progress_start(struct progress *p, size_t i, const char *key)
{
	*vec_add(p->mem, &p->running) = (struct running){ i, key, now() };
	if (!p->o.quiet && !p->is_terminal && p->o.verb != NULL)
		log_note("%s: %s", key, p->o.verb);
}

void progress_end(struct progress *p, size_t i)
{
	size_t kept = 0;

	for (size_t k = 0; k < p->running.n; k++)
		if (p->running.v[k].i != i)
			p->running.v[kept++] = p->running.v[k];
	p->ended += p->running.n - kept;
	p->running.n = kept;
}

bool progress_runs(const struct progress *p, size_t i)
{
	for (size_t k = 0; k < p->running.n; k++)
		if (p->running.v[k].i == i)
			return true;
	return false;
}

static void add_time_left(struct buf *b, uint64_t seconds)
{
	uint64_t minutes = seconds / 60;

	if (minutes < 60)
		buf_printf(b, "  %" PRIu64 ":%02" PRIu64 " left", minutes,
			   seconds % 60);
	else
		buf_printf(b, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left",
			   minutes / 60, minutes % 60, seconds % 60);
}

/* The line of a guest, `seconds` after it started. */
static void add_line(const char *key, const struct progress_slot *slot,
		     double seconds, struct buf *ret)
{
	uint64_t done = __atomic_load_n(&slot->done, __ATOMIC_RELAXED);
	uint64_t total = __atomic_load_n(&slot->total, __ATOMIC_RELAXED);
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char a[24], b[24];

	if (total == 0) {
		buf_printf(ret, "%s  reading", key);
		return;
	}
	if (done > total) /* it grew since it was measured */
		done = total;
	num_show_size(done, a);
	num_show_size(total, b);
	buf_printf(ret, "%s  %s of %s  %.0f %%", key, a, b,
		   100 * (double)done / (double)total);
	if (rate < 1)
		return;
	num_show_size((uint64_t)rate, a);
	buf_printf(ret, "  %s/s", a);
	add_time_left(ret, (uint64_t)((double)(total - done) / rate));
}

void progress_hide(struct progress *p)
{
	if (p->drawn == 0)
		return;
	/* up that many lines; clear from there to the end */
	fprintf(stderr, "\033[%uA\033[J", p->drawn);
	p->drawn = 0;
}

static unsigned columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ?
		       w.ws_col :
		       COLUMNS;
}

/* Prints those at work: at most as many bytes of each as the width. */
static unsigned print(const struct progress *p, unsigned width)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	unsigned n = 0;

	for (size_t k = 0; k < p->running.n; k++) {
		const struct running *x = &p->running.v[k];

		if (p->slots == NULL ||
		    __atomic_load_n(&p->slots[x->i].is_over, __ATOMIC_RELAXED))
			continue;
		buf_clear(&b);
		add_line(x->key, &p->slots[x->i], now() - x->since, &b);
		fprintf(stderr, "%.*s\n", (int)width, buf_str(&b));
		n++;
	}
	return n;
}

static void tell(struct progress *p)
{
	progress_hide(p);
	fprintf(stderr, "rehost: %zu of %zu guests are done\n", p->ended,
		p->o.n);
	print(p, 4096);
}

void progress_tick(struct progress *p)
{
	if (batch_asked())
		tell(p);
	if (!p->is_terminal || now() < p->next)
		return;
	p->next = now() + PAUSE;
	progress_hide(p);
	p->drawn = print(p, columns() - 1);
	fflush(stderr);
}
