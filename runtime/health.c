/* Boot health. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/health.h"
#include "runtime/health_init.h"

enum { STEP_MS = 25, CALM_MS = 250 };

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* When pid 1 was made, on the clock of now_ms; proc_pid_stat(5), field 22. */
static uint64_t started_ms(struct probe *p)
{
	const long per_second = sysconf(_SC_CLK_TCK);
	const char *text, *end;
	struct strv words;
	uint64_t ticks;
	struct err e;
	size_t n;

	if (probe_proc(p, "stat", &text, &n, &e) < 0)
		return now_ms();
	end = strrchr(text, ')'); /* the name may hold anything */
	words = strv_split(p->mem, end == NULL ? "" : end + 1, " ");
	if (words.n < 20 || per_second <= 0 ||
	    num_u64(words.v[19], &ticks, &e) < 0)
		return now_ms();
	return ticks * 1000 / (uint64_t)per_second;
}

/* A zombie is no guest; its engine has not looked yet. */
static bool alive(struct probe *p)
{
	const char *text, *state;
	struct err e;
	size_t n;

	if (probe_proc(p, "status", &text, &n, &e) < 0)
		return false;
	state = probe_line(p, text, "State");
	return state != NULL && state[0] != 'Z' && state[0] != 'X';
}

/*
 * The name that tells an init comes with its exec, and its first children a
 * little later: it is looked for anew until it is at its goal.
 */
static bool wait_goal(struct health_init *h, uint64_t start, unsigned seconds)
{
	const uint64_t end = now_ms() + (uint64_t)seconds * 1000;
	struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	struct probe *p = h->p;
	const char *before = "";
	uint64_t since = now_ms();

	while (now_ms() < end) {
		const char *now = health_init_children(p);

		if (!alive(p))
			return false;
		if (!str_eq(now, before))
			since = now_ms();
		before = now;
		health_init_find(p, h);
		if (!health_init_at_goal(h)) {
			since = now_ms();
		} else if (h->state != NULL || now_ms() - since >= CALM_MS) {
			p->seen->ms = (unsigned)(since - start);
			return true;
		}
		nanosleep(&step, NULL);
	}
	return false;
}

void health_wait(struct probe *p, unsigned seconds)
{
	const uint64_t start = started_ms(p);
	struct health_init h;
	bool up;

	health_init_find(p, &h);
	up = wait_goal(&h, start, seconds);
	if (!up && !alive(p)) {
		p->seen->failed = "its pid 1 ended";
		return;
	}
	if (!up)
		p->seen->ms = (unsigned)(now_ms() - start);
	health_init_fact(p, "start", "up",
			 up ? "up" : "not at its goal in time");
	health_init_facts(&h);
}

static bool is_error(struct arena *mem, const char *line)
{
	static const char *const words[] = { "*error*",        "*failed*",
					     "*cannot*",       "*can't*",
					     "*panic*",        "*not found*",
					     "*denied*",       "*no such file*",
					     "*not permitted*" };
	char *low = arena_strdup(mem, line);

	for (char *c = low; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 0x20;
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_glob(words[i], low))
			return true;
	return false;
}

/* Without null bytes and what colours a terminal: ESC [ ... letter. */
static struct slice plain(struct arena *mem, struct slice line)
{
	char *copy = arena_alloc(mem, line.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\0')
			continue;
		if (line.p[i] != '\033' || i + 1 == line.n ||
		    line.p[i + 1] != '[') {
			copy[n++] = line.p[i];
			continue;
		}
		for (i += 2; i < line.n; i++)
			if (line.p[i] >= '@' && line.p[i] <= '~')
				break;
	}
	return (struct slice){ copy, n };
}

enum { LINES_MAX = 20, LINE_MAX_BYTES = 200 };

void health_console(struct probe *p, const char *file)
{
	struct slice rest, line;
	const char *text;
	struct err e;
	size_t n;

	if (probe_read(p, file, &text, &n, &e) < 0)
		return;
	rest = (struct slice){ text, n };
	while (p->seen->console.n < LINES_MAX &&
	       slice_next(&rest, '\n', &line)) {
		line = slice_trim(plain(p->mem, line));
		if (is_error(p->mem, slice_dup(p->mem, line)))
			strv_add(p->mem, &p->seen->console,
				 str_show(p->mem, line.p, line.n,
					  LINE_MAX_BYTES));
	}
}

/* A socket of /proc/net/tcp or udp on that port; TCP ones must listen. */
static bool listens(struct probe *p, const char *file, uint64_t port, bool tcp)
{
	struct slice rest, line;
	const char *text;
	struct err e;
	size_t n;

	if (probe_proc(p, file, &text, &n, &e) < 0)
		return false;
	rest = (struct slice){ text, n };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");
		const char *colon = w.n < 4 ? NULL : strrchr(w.v[1], ':');
		struct err bad;
		uint64_t at;

		if (colon != NULL && num_u64_hex(colon + 1, &at, &bad) == 0 &&
		    at == port && (!tcp || str_eq(w.v[3], "0A")))
			return true;
	}
	return false;
}

struct port {
	const char *word, *proto; /* "tcp:80", "tcp" */
	uint64_t number;
};

static int parse_port(const char *word, struct port *ret, struct err *e)
{
	const bool tcp = str_starts(word, "tcp:");
	uint64_t n;

	if ((!tcp && !str_starts(word, "udp:")) ||
	    num_u64(word + 4, &n, e) < 0 || n == 0 || n > 65535)
		return err_set(e, EINVAL, "%s: not tcp:PORT or udp:PORT", word);
	*ret = (struct port){ word, tcp ? "tcp" : "udp", n };
	return 0;
}

static bool is_served(struct probe *p, const struct port *port)
{
	const bool tcp = str_eq(port->proto, "tcp");

	return listens(p, arena_printf(p->mem, "net/%s", port->proto),
		       port->number, tcp) ||
	       listens(p, arena_printf(p->mem, "net/%s6", port->proto),
		       port->number, tcp);
}

enum { TICKS = 10 }; /* a second */

int health_ports(struct probe *p, const char *list, unsigned seconds,
		 struct err *e)
{
	const struct timespec tick = { .tv_nsec = 1000000000 / TICKS };
	const struct strv words = strv_split(p->mem, list, ",");
	unsigned left = seconds * TICKS;
	struct port port;

	for (size_t i = 0; i < words.n; i++)
		if (parse_port(words.v[i], &port, e) < 0)
			return -1;
	for (size_t i = 0; i < words.n; i++) {
		bool served;

		if (parse_port(words.v[i], &port, e) < 0)
			return -1;
		for (served = is_served(p, &port); !served && left > 0;
		     left--) {
			nanosleep(&tick, NULL);
			served = is_served(p, &port);
		}
		health_init_fact(p, arena_printf(p->mem, "port %s", port.word),
				 "listens", served ? "listens" : NULL);
	}
	return 0;
}
