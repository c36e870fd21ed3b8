#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "hotplug.h"

#define SERVICE "libvirt-usb-hotplug.service"

/* Runs in a thread of its own, once the time is up. */
static void pass(union sigval value)
{
	const struct deadline *deadline = value.sival_ptr;
	char why[64];

	alarm(10); /* should even the log be stuck, SIGALRM ends the process */
	snprintf(why, sizeof(why), "libvirt did not answer within %u s", deadline->seconds);
	_exit(deadline->give_up(deadline->did_not, why));
}

int deadline_start(struct deadline *deadline)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = pass,
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

/* Returns systemctl's exit status; -1 where there is none. */
static int systemctl(const char *verb)
{
	const char *const arguments[] = { "systemctl", "--no-block", verb, SERVICE, NULL };
	posix_spawn_file_actions_t actions;
	pid_t process;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&process, arguments[0], &actions, NULL, (char *const *)arguments, environ) != 0 ||
	    waitpid(process, &status, 0) < 0 || !WIFEXITED(status))
		status = -1;
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

static bool restart_service(void)
{
	systemctl("reset-failed"); /* its tries are counted from now on */
	/* A start would be lost on a run that is about to end. A restart lets it end, and then there is another. */
	return systemctl("restart") == 0;
}

int leave_to_service(const char *did_not, const char *why)
{
	if (!turn_is_awaited() && !restart_service())
		return fail(did_not, why);
	log_info("%s: %s: left to " SERVICE, did_not, why);
	return EXIT_SUCCESS;
}

int try_again_later(const char *did_not, const char *why)
{
	log_info("%s: %s", did_not, why);
	return EX_TEMPFAIL;
}

int fail(const char *did_not, const char *why)
{
	log_error("%s: %s", did_not, why);
	return EXIT_FAILURE;
}
