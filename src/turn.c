#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include "hotplug.h"

#define LOCK_FILE "/run/libvirt-usb-hotplug.lock"

/*
 * The locks end with the process. They aren't on the program's own file, which a new table replaces while the old one's run may
 * be under way; and only root has turns, so that no user can keep them from the others.
 */
static int open_lock_file(void)
{
	return open(LOCK_FILE, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

bool turn_take(void)
{
	return flock(open_lock_file(), LOCK_EX | LOCK_NB) == 0;
}

static void interrupt(int signal)
{
	(void)signal;
}

bool turn_wait_for(unsigned int seconds, bool settles_all)
{
	/* Each second once the time is up, should the first signal come before flock() waits. */
	const struct itimerval timer = { .it_value.tv_sec = (time_t)seconds, .it_interval.tv_sec = 1 }, off = { 0 };
	const struct sigaction action = { .sa_handler = interrupt };
	const int waiting = open_lock_file();
	struct flock lock = { .l_type = F_RDLCK };
	bool came;

	/* Only systemd's child: a person may lose patience. */
	if (settles_all && getppid() == 1)
		fcntl(waiting, F_OFD_SETLK, &lock);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	came = flock(open_lock_file(), LOCK_EX) == 0 || errno != EINTR;
	setitimer(ITIMER_REAL, &off, NULL);
	signal(SIGALRM, SIG_DFL);
	close(waiting);
	return came;
}

bool turn_is_awaited(void)
{
	const int file = open_lock_file();
	struct flock lock = { .l_type = F_WRLCK };
	const bool awaited = fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	close(file);
	return awaited;
}
