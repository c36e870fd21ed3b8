#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hotplug.h"

/* Runs in a thread of its own, once the time is up. */
static void give_up(union sigval value)
{
	const struct deadline *deadline = value.sival_ptr;

	alarm(1); /* should even the log be stuck, SIGALRM ends the process */
	if (libvirt_is_starting()) {
		log_info("%s: libvirt is still starting", deadline->did_not);
		_exit(EXIT_SUCCESS);
	}
	log_error("%s: libvirt did not answer within %u s", deadline->did_not, deadline->seconds);
	_exit(EXIT_FAILURE);
}

int deadline_start(struct deadline *deadline)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = give_up,
		.sigev_value.sival_ptr = deadline,
	};

	if (timer_create(CLOCK_MONOTONIC, &event, &deadline->timer) < 0) {
		log_error("%s: cannot set a timer: %s", deadline->did_not, strerror(errno));
		return -1;
	}
	deadline_renew(deadline);
	return 0;
}

void deadline_renew(const struct deadline *deadline)
{
	const struct itimerspec time = { .it_value.tv_sec = (time_t)deadline->seconds };

	timer_settime(deadline->timer, 0, &time, NULL);
}
