#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "hotplug.h"

/* Runs in a thread of its own, once the time is up. */
static void pass(union sigval value)
{
	const struct deadline *deadline = value.sival_ptr;
	char why[64];

	alarm(30); /* should even the log be stuck, SIGALRM ends the process */
	snprintf(why, sizeof(why), "libvirt did not answer within %u s", deadline->seconds);
	_exit(deadline->give_up(deadline->subject, why));
}

void deadline_start(struct deadline *deadline)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = pass,
		.sigev_value.sival_ptr = deadline,
	};

	/* Without a timer a run could wait for ever, and keep udev waiting. */
	if (timer_create(CLOCK_MONOTONIC, &event, &deadline->timer) < 0)
		_exit(deadline->give_up(deadline->subject, strerror(errno)));
	deadline_renew(deadline);
}

void deadline_renew(const struct deadline *deadline)
{
	const struct itimerspec time = { .it_value.tv_sec = (time_t)deadline->seconds };

	timer_settime(deadline->timer, 0, &time, NULL);
}

bool deadline_is_fresh(const struct deadline *deadline)
{
	struct itimerspec left;

	timer_gettime(deadline->timer, &left);
	return left.it_value.tv_sec + 1 >= (time_t)deadline->seconds;
}

int leave_to_retry(const char *subject, const char *why)
{
	const char *to = retry_start();

	if (!to)
		return fail(subject, why);
	log_info("%s: %s: left to %s", subject, why, to);
	return EXIT_SUCCESS;
}

int try_again_later(const char *subject, const char *why)
{
	log_line(LOG_INFO | LOG_ONCE, "%s: %s", subject, why);
	return EX_TEMPFAIL;
}

int fail(const char *subject, const char *why)
{
	log_line(LOG_ERR | LOG_ONCE, "%s: %s", subject, why);
	return EXIT_FAILURE;
}
