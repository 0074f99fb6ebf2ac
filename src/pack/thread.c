/* Threads of the packer. */
#include "pack/thread.h"

#include <signal.h>

int thread_start(pthread_t *ret, void *(*run)(void *), void *arg, struct err *e)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? err_set(e, r, "start a thread") : 0;
}
