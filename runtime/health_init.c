/*
 * The inits and their goals. Facts: inittab(5) of sysvinit and of busybox,
 * utmp(5), openrc(8) and its /run/openrc, systemctl(1) is-system-running.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"
#include "runtime/health_init.h"

void health_init_fact(struct probe *p, const char *item, const char *expected,
		      const char *observed)
{
	*vec_add(p->mem, &p->seen->facts) = (struct verify_fact){
		.area = AREA_BOOT,
		.item = item,
		.expected = expected,
		.observed = observed,
		.probe = "health",
	};
}

/* Of what a service that failed makes of it. */
static void service_fact(struct probe *p, const char *item,
			 const char *expected, const char *observed)
{
	health_init_fact(p, item, expected, observed);
	p->seen->facts.v[p->seen->facts.n - 1].service = true;
}

/* --- the guest's files --- */

static int open_root(struct probe *p)
{
	return open(arena_printf(p->mem, "/proc/%d/root",
				 (int)p->subject->init),
		    O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_there(struct probe *p, const char *path)
{
	int root CLEANUP(fd_closep) = open_root(p);
	int fd CLEANUP(fd_closep) = root < 0 ? -1 :
					       fd_open_in(root, path, O_PATH);

	return fd >= 0;
}

enum { FILE_MAX = 65536 };

/* The beginning of a file of the guest's, "" when there is none. */
static const char *read_file(struct probe *p, const char *path)
{
	int root CLEANUP(fd_closep) = open_root(p);
	int fd CLEANUP(fd_closep) =
		root < 0 ? -1 : fd_open_in(root, path, O_RDONLY | O_NONBLOCK);
	char *text = arena_alloc(p->mem, FILE_MAX + 1);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_MAX);

	return n <= 0 ? "" : arena_strndup(p->mem, text, (size_t)n);
}

/* --- which init --- */

/* "id:levels:action:process", without the process's mark for utmp. */
static void take_inittab_line(struct health_init *h, struct slice line)
{
	static const char *const once[] = { "sysinit", "boot", "bootwait",
					    "wait" };
	static const char *const kept[] = { "respawn", "askfirst", "ondemand" };
	const char *s = slice_dup(h->p->mem, slice_trim(line));
	const char *levels = strchr(s, ':');
	const char *action = levels == NULL ? NULL : strchr(levels + 1, ':');
	const char *process = action == NULL ? NULL : strchr(action + 1, ':');
	struct slice word;

	if (s[0] == '#' || process == NULL)
		return;
	word = (struct slice){ action + 1, (size_t)(process - action - 1) };
	process += 1 + strspn(process + 1, "+@-");
	if (slice_eq(word, "initdefault"))
		h->level = arena_strndup(h->p->mem, levels + 1,
					 (size_t)(action - levels - 1));
	for (size_t i = 0; i < COUNT(once); i++)
		if (slice_eq(word, once[i]))
			strv_add(h->p->mem, &h->once, process);
	for (size_t i = 0; i < COUNT(kept); i++)
		if (slice_eq(word, kept[i]))
			strv_add(h->p->mem, &h->kept, process);
}

static void take_inittab(struct health_init *h)
{
	const char *text = read_file(h->p, "etc/inittab");
	struct slice rest = { text, strlen(text) }, line;

	while (slice_next(&rest, '\n', &line))
		take_inittab_line(h, line);
	for (size_t i = 0; i < h->once.n; i++)
		h->openrc |= strstr(h->once.v[i], "openrc") != NULL ||
			     str_starts(h->once.v[i], "/sbin/rc ");
}

/* "start=WORD" a line: the command's words. */
static void take_shim(struct health_init *h)
{
	const char *text = read_file(h->p, "etc/rehost-init.conf");
	struct slice rest = { text, strlen(text) }, line;
	struct strv words = { 0 };

	while (slice_next(&rest, '\n', &line)) {
		const char *s = slice_dup(h->p->mem, line);

		if (str_starts(s, "start="))
			strv_add(h->p->mem, &words, s + strlen("start="));
	}
	if (words.n != 0)
		strv_add(h->p->mem, &h->once,
			 strv_join(h->p->mem, &words, " "));
}

/* "init [2]": sysvinit writes its run level there. */
static enum health_kind kind_of(struct probe *p)
{
	char exe[4096];
	const ssize_t n = readlink(arena_printf(p->mem, "/proc/%d/exe",
						(int)p->subject->init),
				   exe, sizeof(exe) - 1);
	const char *words, *name;
	struct err e;
	size_t size;

	if (n <= 0 || probe_proc(p, "cmdline", &words, &size, &e) < 0)
		return HEALTH_OTHER;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	name = name == NULL ? exe : name + 1;
	if (str_eq(name, "systemd"))
		return HEALTH_SYSTEMD;
	if (str_eq(name, "rehost-init"))
		return HEALTH_SHIM;
	if (str_starts(name, "busybox") && str_ends(words, "init"))
		return HEALTH_BUSYBOX;
	if (str_starts(words, "init ["))
		return HEALTH_SYSVINIT;
	return str_eq(name, "init") && is_there(p, "etc/inittab") ?
		       HEALTH_SYSVINIT :
		       HEALTH_OTHER;
}

void health_init_find(struct probe *p, struct health_init *ret)
{
	*ret = (struct health_init){ .p = p, .kind = kind_of(p) };
	switch (ret->kind) {
	case HEALTH_SYSVINIT:
	case HEALTH_BUSYBOX:
		take_inittab(ret);
		break;
	case HEALTH_SHIM:
		take_shim(ret);
		break;
	case HEALTH_SYSTEMD:
		ret->cannot = p->subject->rootless;
		break;
	case HEALTH_OTHER:
		ret->openrc = is_there(p, "run/openrc");
		break;
	}
}

/* --- what runs --- */

const char *health_init_children(struct probe *p)
{
	const char *text;
	struct err e;
	size_t n;

	if (probe_proc(p,
		       arena_printf(p->mem, "task/%d/children",
				    (int)p->subject->init),
		       &text, &n, &e) < 0)
		return "";
	return text;
}

/* The command line of a process, its words joined by blanks. */
static const char *command_of(struct probe *p, const char *pid)
{
	const char *text;
	struct err e;
	char *words;
	size_t n;

	if (probe_read(p, arena_printf(p->mem, "/proc/%s/cmdline", pid), &text,
		       &n, &e) < 0 ||
	    n == 0)
		return "";
	words = arena_memdup(p->mem, text, n);
	for (size_t i = 0; i + 1 < n; i++)
		if (words[i] == '\0')
			words[i] = ' ';
	words[n - 1] = '\0';
	return words;
}

/*
 * A script is run by what its first line names: "/bin/sh /etc/init.d/rc 2".
 * A child that still has init's own words is about to become a command.
 */
static bool runs_one(struct health_init *h, const struct strv *commands)
{
	struct arena *mem = h->p->mem;
	const char *init = command_of(
		h->p, arena_printf(mem, "%d", (int)h->p->subject->init));
	const struct strv pids =
		strv_split(mem, health_init_children(h->p), " \n");

	for (size_t i = 0; i < pids.n; i++) {
		const char *command = command_of(h->p, pids.v[i]);

		if (commands == &h->once && str_eq(command, init))
			return true;
		for (size_t k = 0; k < commands->n; k++)
			if (str_ends(command, commands->v[k]))
				return true;
	}
	return false;
}

/* Until its first fork it neither sleeps nor has children. */
static bool sleeps(struct probe *p)
{
	const char *text, *state;
	struct err e;
	size_t n;

	if (probe_proc(p, "status", &text, &n, &e) < 0)
		return false;
	state = probe_line(p, text, "State");
	return state != NULL && state[0] == 'S';
}

/* --- their goals --- */

/* The run level that a sysvinit has noted in utmp(5); 0: none yet. */
static char run_level(struct probe *p)
{
	static const char *const files[] = { "run/utmp", "var/run/utmp" };
	int root CLEANUP(fd_closep) = open_root(p);
	struct utmp u;
	char level = 0;

	for (size_t i = 0; root >= 0 && i < COUNT(files); i++) {
		int fd CLEANUP(fd_closep) =
			fd_open_in(root, files[i], O_RDONLY | O_NONBLOCK);

		while (fd >= 0 && read(fd, &u, sizeof(u)) == sizeof(u))
			if (u.ut_type == RUN_LVL)
				level = (char)(u.ut_pid & 0xff);
	}
	return level;
}

/* The level that its words show; old ones, and utmp where they do not. */
static char sysvinit_level(struct probe *p)
{
	const char *words;
	struct err e;
	size_t n;

	if (probe_proc(p, "cmdline", &words, &n, &e) == 0 &&
	    str_starts(words, "init [") && n > strlen("init ["))
		return words[strlen("init [")];
	return run_level(p);
}

static bool is_level(char c)
{
	return c >= '1' && c <= '5';
}

static const char *openrc_level(struct probe *p)
{
	const char *text = read_file(p, "run/openrc/softlevel");

	return arena_strndup(p->mem, text, strcspn(text, "\n"));
}

/* Levels that lead to another one. */
static bool openrc_at_goal(struct probe *p)
{
	static const char *const passing[] = { "", "sysinit", "boot",
					       "shutdown" };
	const char *level = openrc_level(p);

	for (size_t i = 0; i < COUNT(passing); i++)
		if (str_eq(level, passing[i]))
			return false;
	return !is_there(p, "run/openrc/rc.starting");
}

enum { WORDS_MAX = 8 };

/*
 * The last word of rehost-init about its start command, "ended with 0"; NULL:
 * none, or the console is not kept. Programs print null bytes too: startpar(8)
 * does when what it collects comes in pieces.
 */
static const char *shim_start(struct probe *p)
{
	static const char words[] = "rehost-init: start: ";
	const size_t size = sizeof(words) - 1;
	const char *file = p->subject->console, *text, *at = NULL, *next, *end;
	struct err e;
	size_t n;

	if (file == NULL || probe_read(p, file, &text, &n, &e) < 0)
		return NULL;
	end = text + n;
	for (next = text;
	     (next = memmem(next, (size_t)(end - next), words, size)) != NULL;
	     next = at)
		at = next + size;
	if (at == NULL)
		return NULL;
	return str_show(p->mem, at, strcspn(at, "\r\n"), 80);
}

static bool shim_at_goal(struct health_init *h)
{
	const char *last = shim_start(h->p);

	if (h->p->subject->console != NULL &&
	    (last == NULL || str_ends(last, " arguments)")))
		return false;
	return !runs_one(h, &h->once) && sleeps(h->p);
}

/* arg: words, NULL at the end. The guest's systemctl, whatever its status. */
static void in_systemctl(int fd, const void *arg)
{
	char locale[] = "LC_ALL=C", path[] = "PATH=/bin:/usr/bin";
	char *const env[] = { locale, path, NULL };
	const char *const *words = arg;
	char *argv[WORDS_MAX] = { NULL };
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(fd, 1);
		dup2(null, 2);
		for (size_t i = 0; i + 1 < WORDS_MAX && words[i] != NULL; i++)
			argv[i] = strdup(words[i]);
		execve("/bin/systemctl", argv, env);
		execve("/usr/bin/systemctl", argv, env);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
}

static const char *ask_systemd(struct health_init *h, const char *const words[])
{
	const char *text;
	struct err e;

	if (probe_inside(h->p, in_systemctl, words, &text, &e) < 0) {
		if (e.code != ETIMEDOUT)
			h->cannot = arena_strdup(h->p->mem, e.msg);
		return "";
	}
	return text;
}

/*
 * An old one does not know the question ("" again and again), and the guest
 * may have no systemctl: then it is up when its processes are calm.
 */
static bool systemd_at_goal(struct health_init *h)
{
	static const char *const words[] = { "systemctl", "is-system-running",
					     NULL };
	static const char *const ended[] = { "running", "degraded",
					     "maintenance" };
	const char *text;

	if (h->cannot != NULL)
		return true;
	text = ask_systemd(h, words);
	h->state = arena_strndup(h->p->mem, text, strcspn(text, "\n"));
	for (size_t i = 0; i < COUNT(ended); i++)
		if (str_eq(h->state, ended[i]))
			return true;
	return h->cannot != NULL;
}

bool health_init_at_goal(struct health_init *h)
{
	if (h->openrc && !openrc_at_goal(h->p))
		return false;
	switch (h->kind) {
	case HEALTH_SYSTEMD:
		return systemd_at_goal(h);
	case HEALTH_SYSVINIT:
		return is_level(sysvinit_level(h->p)) && !runs_one(h, &h->once);
	case HEALTH_BUSYBOX:
		return !runs_one(h, &h->once) &&
		       (h->kept.n == 0 || runs_one(h, &h->kept)) &&
		       sleeps(h->p);
	case HEALTH_SHIM:
		return shim_at_goal(h);
	case HEALTH_OTHER:
		return health_init_children(h->p)[0] != '\0';
	}
	return false;
}

/* --- how it went --- */

/* "a.service loaded failed failed A service", in front of it a mark. */
static void systemd_units(struct health_init *h)
{
	static const char *const words[] = { "systemctl",  "--state=failed",
					     "--full",     "--no-legend",
					     "--no-pager", NULL };
	const char *text = ask_systemd(h, words);
	struct slice rest = { text, strlen(text) }, line;

	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(h->p->mem, slice_dup(h->p->mem, line), " ");

		for (size_t i = 0; i < 2 && i < w.n; i++) {
			if (strchr(w.v[i], '.') == NULL)
				continue;
			service_fact(h->p,
				     arena_printf(h->p->mem, "unit %s", w.v[i]),
				     "active", "failed");
			break;
		}
	}
}

static void systemd_facts(struct health_init *h)
{
	if (h->state == NULL || h->state[0] == '\0')
		return;
	if (str_eq(h->state, "degraded")) /* by units, which are named */
		service_fact(h->p, "system state", "running", h->state);
	else
		health_init_fact(h->p, "system state", "running", h->state);
	if (!str_eq(h->state, "running"))
		systemd_units(h);
}

static void sysvinit_facts(struct health_init *h)
{
	const char level = sysvinit_level(h->p);

	health_init_fact(h->p, "run level", h->level == NULL ? "2" : h->level,
			 arena_printf(h->p->mem, "%c",
				      level == 0 ? '-' : level));
}

/* A name in run/openrc/failed for each service that failed. */
static void openrc_facts(struct health_init *h)
{
	int root CLEANUP(fd_closep) = open_root(h->p);
	const int fd = root < 0 ? -1 :
				  fd_open_in(root, "run/openrc/failed",
					     O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	health_init_fact(h->p, "openrc level", "default", openrc_level(h->p));
	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			service_fact(
				h->p,
				arena_printf(h->p->mem, "service %s",
					     str_show(h->p->mem, entry->d_name,
						      strlen(entry->d_name),
						      64)),
				"started", "failed");
	if (d != NULL)
		closedir(d);
}

static void shim_facts(struct health_init *h)
{
	const char *last = shim_start(h->p);

	if (last != NULL)
		health_init_fact(h->p, "start command", "ended with 0", last);
}

void health_init_facts(struct health_init *h)
{
	if (h->openrc)
		openrc_facts(h);
	switch (h->kind) {
	case HEALTH_SYSTEMD:
		systemd_facts(h);
		break;
	case HEALTH_SYSVINIT:
		sysvinit_facts(h);
		break;
	case HEALTH_SHIM:
		shim_facts(h);
		break;
	case HEALTH_BUSYBOX:
	case HEALTH_OTHER:
		break;
	}
}
