/* Reads rehost-init.conf. What stands in it is the guest's: never trusted. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/shim/shim.h"

enum { STOP_TIMEOUT = 30, KILL_WAIT = 5 }; /* seconds, as the old tool's */
enum { WRONG_LINES = 16 };                 /* are named, no more */

static bool is_number(const char *s, unsigned *ret)
{
	unsigned n = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (unsigned)(*s - '0');
		if (n > SHIM_SECONDS)
			return false;
	}
	*ret = n;
	return true;
}

/* "SIGTERM", "TERM" or "15"; 0: no signal. */
static int signal_of(const char *s)
{
	unsigned n;

	if (is_number(s, &n))
		return n < (unsigned)SIGRTMAX ? (int)n : 0;
	if (strncmp(s, "SIG", 3) == 0)
		s += 3;
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *name = sigabbrev_np(i);

		if (name != NULL && strcmp(name, s) == 0)
			return i;
	}
	return 0;
}

/* Where the lists stand in struct shim_conf. */
static const struct list_row {
	const char *key;
	size_t offset;
	bool is_env, is_path;
} list_rows[] = {
	{ .key = "start", .offset = offsetof(struct shim_conf, start) },
	{ .key = "stop", .offset = offsetof(struct shim_conf, stop) },
	{ .key = "kill", .offset = offsetof(struct shim_conf, kill) },
	{ .key = "env",
	  .offset = offsetof(struct shim_conf, env),
	  .is_env = true },
	{ .key = "stop-env",
	  .offset = offsetof(struct shim_conf, stop_env),
	  .is_env = true },
	{ .key = "clear",
	  .offset = offsetof(struct shim_conf, clear),
	  .is_path = true },
};

static struct shim_list *list_of(struct shim_conf *c, const char *key,
				 char *value, const char **ret_wrong)
{
	for (size_t i = 0; i < sizeof(list_rows) / sizeof(list_rows[0]); i++) {
		const struct list_row *row = &list_rows[i];

		if (strcmp(row->key, key) != 0)
			continue;
		if (row->is_env && (value[0] == '=' || !strchr(value, '=')))
			*ret_wrong = "not NAME=VALUE";
		if (row->is_path && value[0] != '/')
			*ret_wrong = "not an absolute path";
		return (struct shim_list *)((char *)c + row->offset);
	}
	return NULL;
}

static const char *take_scalar(struct shim_conf *c, const char *key,
			       char *value)
{
	if (strcmp(key, "stop-timeout") == 0)
		return is_number(value, &c->stop_timeout) ? NULL : "no seconds";
	if (strcmp(key, "utmp") == 0) {
		c->utmp = value;
		return value[0] == '/' ? NULL : "not an absolute path";
	}
	if (strcmp(key, "runlevel") == 0) {
		c->runlevel = value;
		return NULL;
	}
	if (strcmp(key, "exit-when-empty") != 0)
		return "no such word";
	c->exit_when_empty = strcmp(value, "yes") == 0;
	return NULL;
}

/* NULL, or what is wrong with the line; it is cut in place. */
static const char *take_line(struct shim_conf *c, char *line)
{
	char *value = strchr(line, '=');
	const char *wrong = NULL;
	struct shim_list *list;

	if (value == NULL)
		return "not KEY=VALUE";
	*value++ = '\0';
	list = list_of(c, line, value, &wrong);
	if (list == NULL)
		return take_scalar(c, line, value);
	if (wrong == NULL && list->n == SHIM_ARGS)
		wrong = "too many";
	if (wrong == NULL)
		list->v[list->n++] = value;
	return wrong;
}

/* Signals at even places, seconds between them. */
static bool take_kills(struct shim_conf *c)
{
	for (size_t i = 0; i < c->kill.n; i++) {
		struct shim_kill *k = &c->kills[i / 2];

		if (i % 2 == 0)
			k->signal = signal_of(c->kill.v[i]);
		if (i % 2 == 0 ? k->signal == 0 :
				 !is_number(c->kill.v[i], &k->wait)) {
			shim_log("kill: \"%s\" is no %s: SIGTERM and SIGKILL "
				 "are sent",
				 c->kill.v[i], i % 2 ? "seconds" : "signal");
			return false;
		}
	}
	c->n_kills = (c->kill.n + 1) / 2;
	return c->n_kills != 0;
}

static ssize_t read_file(const char *path, char *data, size_t max)
{
	const int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0, all = 0;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		errno = EINVAL, n = -1;
	while (n >= 0 && (size_t)all < max) {
		n = read(fd, data + all, max - (size_t)all);
		if (n <= 0)
			break;
		all += n;
	}
	close(fd);
	return n < 0 ? -1 : all;
}

static void take_text(struct shim_conf *c, size_t n)
{
	char *line = c->text, *end = c->text + n;
	unsigned n_wrong = 0;

	for (unsigned number = 1; line < end; number++) {
		char *next = memchr(line, '\n', (size_t)(end - line));
		const char *wrong = NULL;

		if (next == NULL)
			next = end;
		*next = '\0';
		if (strlen(line) != (size_t)(next - line))
			wrong = "holds a NUL";
		else if (line[0] != '#' && line[0] != '\0')
			wrong = take_line(c, line);
		if (wrong != NULL && n_wrong++ < WRONG_LINES)
			shim_log("line %u of the configuration is left out: %s",
				 number, wrong);
		line = next + 1;
	}
}

bool shim_conf_read(struct shim_conf *c, const char *path)
{
	const ssize_t n = read_file(path, c->text, SHIM_FILE);

	if (n < 0) {
		shim_log("read %s: %s", path, strerror(errno));
		return false;
	}
	if (n == SHIM_FILE)
		shim_log("%s: only its first %d bytes are read", path,
			 SHIM_FILE);
	c->stop_timeout = STOP_TIMEOUT;
	take_text(c, (size_t)n);
	if (!take_kills(c)) {
		c->kills[0] = (struct shim_kill){ SIGTERM, KILL_WAIT };
		c->n_kills = 1;
	}
	if (c->start.n == 0)
		shim_log("%s: there is nothing to start", path);
	return c->start.n != 0;
}
