/* Threads of the packer. */
#ifndef REHOST_PACK_THREAD_H
#define REHOST_PACK_THREAD_H

#include <pthread.h>

#include "base/err.h"

/*
 * Starts one that takes no signals: they are for the thread that everybody
 * else knows of.
 */
int thread_start(pthread_t *ret, void *(*run)(void *), void *arg,
		 struct err *e);

#endif
