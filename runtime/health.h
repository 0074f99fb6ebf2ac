/* How the start went: did init reach its goal, what was said, who listens. */
#ifndef REHOST_RUNTIME_HEALTH_H
#define REHOST_RUNTIME_HEALTH_H

#include "runtime/probe.h"

/*
 * Waits at most so many seconds until the guest's init has reached its goal:
 * systemd the end of its first transaction, a sysvinit its run level, OpenRC
 * its level, busybox and the small init the end of their scripts, any other
 * one processes that no longer come and go. Fills p->seen: failed when pid 1
 * ended, ms, facts of area boot (states, units and services that failed).
 */
void health_wait(struct probe *p, unsigned seconds);

/* Lines of the console file that look like errors, at most 20. */
void health_console(struct probe *p, const char *file);

/*
 * A fact for each "tcp:80", "udp:53" of the list: somebody listens there. An
 * error for what is not so spelled. A service may begin after the goal of its
 * init: all of them together are waited for so many seconds.
 */
int health_ports(struct probe *p, const char *list, unsigned seconds,
		 struct err *e);

#endif
