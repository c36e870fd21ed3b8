#include <errno.h>
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
#define PROCESS "libvirt-usb-hotplug -r"

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

/* Starts a program that outlives this one and its terminal. The thread of a deadline, which may ask for it, blocks all signals. */
static pid_t start(char *const command[], unsigned int patience)
{
	const pid_t process = fork();
	sigset_t none;

	if (process == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		alarm(patience);
		setsid();
		for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
			close(file);
			open("/dev/null", O_RDWR);
		}
		execvp(command[0], command);
		_exit(EX_UNAVAILABLE);
	}
	return process;
}

/* Has systemd start the service anew. */
static bool restart_service(void)
{
	char *const command[] = { "systemctl", "--no-block", "--no-ask-password", "restart", SERVICE, NULL };
	const pid_t process = start(command, PATIENCE);
	int status;

	return process > 0 && waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *retry_start(void)
{
	char *const command[] = { program_invocation_name, "-r", NULL };
	/* See sd_booted(3). Its udevd ends what an event leaves behind, and no other does. */
	const bool systemd = access("/run/systemd/system", F_OK) == 0;

	/* A start would be lost on a service that is about to end. */
	if (!retry_wake() && !(systemd ? restart_service() : geteuid() == 0 && start(command, 0) > 0))
		return NULL;
	return systemd ? SERVICE : PROCESS;
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
	do {
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
	} while (file >= 0 && !retry_wake()); /* the other one may have ended just now */
	return file >= 0 ? EXIT_SUCCESS : try();
}
