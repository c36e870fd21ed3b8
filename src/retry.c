#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "hotplug.h"

#define SERVICE "libvirt-usb-hotplug.service"

/* s: between two tries, ever longer; and for systemctl, which answers at once where systemd is well. */
enum { FIRST_PAUSE = 5, LONGEST_PAUSE = 120, PATIENCE = 10 };

/*
 * The process that tries again has a lock on the file of the turns, by which it is found, and looks again when it gets a SIGCONT,
 * which does no harm to a process that isn't it any more. While it has the lock it can't call retry_wake() itself: closing any
 * descriptor of the file drops the lock, see fcntl(2).
 */
bool retry_wake(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	const int file = turn_open_file();
	const bool found = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	close(file);
	return found && kill(lock.l_pid, SIGCONT) == 0;
}

/* Has systemd start the service anew. The thread of a deadline, which may ask for it, has all signals blocked. */
static bool restart_service(void)
{
	const pid_t process = fork();
	sigset_t none;
	int status;

	if (process == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		alarm(PATIENCE);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		execlp("systemctl", "systemctl", "--no-block", "--no-ask-password", "restart", SERVICE, NULL);
		_exit(EX_UNAVAILABLE);
	}
	return process > 0 && waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *retry_start(void)
{
	/* A start would be lost on a service that is about to end. */
	return retry_wake() || restart_service() ? SERVICE : NULL;
}

/* Calls try() in a process that doesn't outlive this one, and that may hang or die. Returns its status. */
static int call(int (*try)(void))
{
	pid_t process;
	int status;

	log_begin_round();
	process = fork();
	if (process == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(try());
	}
	if (process < 0 || waitpid(process, &status, 0) < 0 || !WIFEXITED(status))
		return EX_TEMPFAIL;
	return WEXITSTATUS(status);
}

int retry(int (*try)(void))
{
	const int file = turn_open_file();
	unsigned int pause = FIRST_PAUSE;
	sigset_t wakes;

	sigemptyset(&wakes);
	sigaddset(&wakes, SIGCONT);
	sigprocmask(SIG_BLOCK, &wakes, NULL);
	while (lockf(file, F_TLOCK, 0) == 0) {
		const int status = call(try);
		const bool later = status == EX_TEMPFAIL;
		const struct timespec time = { .tv_sec = later ? pause : 0 };

		/* Who comes from now on finds no process, and starts one; who came before has woken this one. */
		if (!later)
			lockf(file, F_ULOCK, 0);
		pause = 2 * pause < LONGEST_PAUSE ? 2 * pause : LONGEST_PAUSE;
		if (sigtimedwait(&wakes, NULL, &time) > 0)
			pause = FIRST_PAUSE;
		else if (!later)
			return status;
	}
	return retry_wake() ? EXIT_SUCCESS : try();
}
