#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is shared with the processes that try. */
static struct {
	int tries, later;
} *shared;

/* The pauses between tries, none of which takes any time. */
static struct {
	time_t seconds[16];
	int count, woken; /* which of them an event ends */
} pauses;

static int wait_no_longer(const sigset_t *signals, siginfo_t *info, const struct timespec *time)
{
	(void)signals;
	(void)info;
	pauses.seconds[pauses.count++ % 16] = time->tv_sec;
	return pauses.count == pauses.woken ? SIGCONT : -1;
}

static char file_name[] = "/tmp/retry-XXXXXX";

static int open_test_file(void)
{
	return open(file_name, O_RDWR | O_CLOEXEC);
}

static int systemd_runs;
static uid_t user;

static uid_t user_of_test(void)
{
	return user;
}

static int look_for_systemd(const char *path, int mode)
{
	return systemd_runs && mode == F_OK && strcmp(path, "/run/systemd/system") == 0 ? 0 : -1;
}

static int others; /* how often another process has the lock, which is gone when it is looked for */

static int lock_unless_taken(int file, int command, off_t length)
{
	errno = EAGAIN;
	return others > 0 && command == F_TLOCK && others-- ? -1 : lockf(file, command, length);
}

#define turn_open_file open_test_file
#define sigtimedwait wait_no_longer
#define access look_for_systemd
#define geteuid user_of_test
#define lockf lock_unless_taken
#include "../../src/retry.c"
#undef lockf

#include "test.h"

static int try(void)
{
	return ++shared->tries <= shared->later ? EX_TEMPFAIL : EXIT_SUCCESS;
}

/* Tries again after so many have been in vain; the pause numbered so is ended by an event. */
static int try_after(int later, int woken)
{
	shared->tries = 0;
	shared->later = later;
	pauses.count = 0;
	pauses.woken = woken;
	return retry(try);
}

static void what_is_in_line_is_looked_at_once(void **state)
{
	(void)state;
	assert_int_equal(try_after(0, 0), EXIT_SUCCESS);
	assert_int_equal(shared->tries, 1);
	assert_int_equal(pauses.seconds[0], 0);
}

static void tries_come_ever_more_slowly(void **state)
{
	static const time_t expected[] = { 5, 10, 20, 40, 80, 120, 120, 0 };

	(void)state;
	assert_int_equal(try_after(7, 0), EXIT_SUCCESS);
	assert_int_equal(pauses.count, LENGTH(expected));
	for (size_t i = 0; i < LENGTH(expected); i++)
		assert_int_equal(pauses.seconds[i], expected[i]);
}

static void an_event_has_it_look_at_once_and_soon_again(void **state)
{
	static const time_t expected[] = { 5, 10, 20, 5, 10, 0 };

	(void)state;
	assert_int_equal(try_after(5, 3), EXIT_SUCCESS);
	for (size_t i = 0; i < LENGTH(expected); i++)
		assert_int_equal(pauses.seconds[i], expected[i]);
}

static void an_event_that_comes_as_it_ends_is_not_lost(void **state)
{
	(void)state;
	assert_int_equal(try_after(0, 1), EXIT_SUCCESS);
	assert_int_equal(shared->tries, 2);
}

static int die(void)
{
	if (++shared->tries <= 2)
		raise(SIGKILL);
	return EXIT_FAILURE;
}

static void a_try_that_dies_is_no_end(void **state)
{
	(void)state;
	shared->tries = 0;
	pauses.count = pauses.woken = 0;
	assert_int_equal(retry(die), EXIT_FAILURE);
	assert_int_equal(shared->tries, 3);
}

static int wake_self(void)
{
	shared->tries++;
	assert_true(retry_wake());
	return EXIT_SUCCESS;
}

static void it_is_found_while_it_tries_and_not_after(void **state)
{
	(void)state;
	shared->tries = 0;
	pauses.count = pauses.woken = 0;
	assert_false(retry_wake());
	assert_int_equal(retry(wake_self), EXIT_SUCCESS);
	assert_false(retry_wake());
}

static void it_takes_over_from_one_that_ends_just_then(void **state)
{
	(void)state;
	others = 1;
	assert_int_equal(try_after(1, 0), EXIT_SUCCESS);
	assert_int_equal(shared->tries, 2);
}

static int say_three_things(void)
{
	shared->tries++;
	log_line(LOG_ERR | LOG_ONCE, "the same");
	log_line(LOG_ERR | LOG_ONCE, "try %d", shared->tries / 2);
	log_line(LOG_ERR, "done");
	return shared->tries < 4 ? EX_TEMPFAIL : EXIT_SUCCESS;
}

static size_t count_lines(const char *text, const char *line)
{
	size_t count = 0;

	for (text = strstr(text, line); text; text = strstr(text + 1, line))
		count++;
	return count;
}

static void what_the_try_before_said_is_not_said_again(void **state)
{
	char said[4096] = "";
	const int file = memfd_create("said", 0), errors = dup(STDERR_FILENO);

	(void)state;
	shared->tries = 0;
	pauses.count = pauses.woken = 0;
	dup2(file, STDERR_FILENO);
	openlog("retry", LOG_PERROR, LOG_USER);
	assert_int_equal(retry(say_three_things), EXIT_SUCCESS);
	dup2(errors, STDERR_FILENO);
	assert_true(pread(file, said, sizeof(said) - 1, 0) > 0);
	assert_int_equal(count_lines(said, "the same"), 1);
	assert_int_equal(count_lines(said, "try 0"), 1);
	assert_int_equal(count_lines(said, "try 1"), 1);
	assert_int_equal(count_lines(said, "try 2"), 1);
	assert_int_equal(count_lines(said, "done"), 4);
}

/* A program that says how it was called, with what signals blocked, where its input, output and errors go, and whose session it has. */
static const char program[] = "#!/bin/sh\n"
			      "PATH=/usr/bin:/bin\n"
			      "streams=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)\n"
			      "session=$(cut -d ' ' -f 6 /proc/$$/stat)\n"
			      "cd \"${0%/*}\" && echo ${0##*/} $* $(grep SigBlk /proc/$$/status) $streams $((session - $$)) >new\n"
			      "mv new called\n"
			      "exit $STATUS\n";

static char directory[] = "/tmp/retry-XXXXXX";

static void install(const char *name, char path[static PATH_MAX])
{
	int file;

	snprintf(path, PATH_MAX, "%s/%s", directory, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_int_equal(write(file, program, sizeof(program) - 1), sizeof(program) - 1);
	close(file);
}

/* Waits until a program has said how it was called, for ten seconds at most, and forgets it. */
static void assert_called(const char *expected)
{
	const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
	char path[PATH_MAX], text[TEXT] = "";
	int file = -1;

	snprintf(path, sizeof(path), "%s/called", directory);
	for (int moments = 0; moments < 1000 && (file = open(path, O_RDONLY | O_CLOEXEC)) < 0; moments++)
		nanosleep(&moment, NULL);
	assert_true(file >= 0);
	assert_true(read(file, text, sizeof(text) - 1) > 0);
	close(file);
	unlink(path);
	assert_string_equal(text, expected);
}

/* Calls retry_start() as the thread of a deadline does. */
static const char *start_with_signals_blocked(void)
{
	sigset_t all, before;
	const char *to;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	to = retry_start();
	sigprocmask(SIG_SETMASK, &before, NULL);
	return to;
}

static void systemd_has_the_service_try_again_and_where_it_cannot_nobody_does(void **state)
{
	static const char expected[] = "systemctl --no-block --no-ask-password restart libvirt-usb-hotplug.service "
				       "SigBlk: 0000000000000000 /dev/null /dev/null /dev/null 0\n";
	char path[PATH_MAX];

	(void)state;
	install("systemctl", path);
	setenv("PATH", directory, 1);
	systemd_runs = 1;
	setenv("STATUS", "0", 1);
	assert_string_equal(start_with_signals_blocked(), "libvirt-usb-hotplug.service");
	assert_called(expected);
	setenv("STATUS", "1", 1);
	assert_null(start_with_signals_blocked());
	assert_called(expected);
	unlink(path);
	assert_null(start_with_signals_blocked());
}

static void without_systemd_a_process_stays_behind_that_tries_again(void **state)
{
	char path[PATH_MAX];

	(void)state;
	install("hotplug", path);
	program_invocation_name = path;
	systemd_runs = 0;
	assert_string_equal(start_with_signals_blocked(), "libvirt-usb-hotplug -r");
	assert_called("hotplug -r SigBlk: 0000000000000000 /dev/null /dev/null /dev/null 0\n");
	user = 65534; /* it could hardly do anything, and has no turns */
	assert_null(retry_start());
	user = 0;
	unlink(path);
}

static int start_another(void)
{
	char path[PATH_MAX];

	shared->tries++;
	snprintf(path, sizeof(path), "%s/none", directory);
	program_invocation_name = path;
	assert_string_equal(retry_start(), "libvirt-usb-hotplug -r");
	assert_true(waitpid(-1, NULL, WNOHANG) < 0); /* it has no child */
	return EXIT_SUCCESS;
}

static void no_other_stays_behind_while_one_tries(void **state)
{
	(void)state;
	systemd_runs = 0;
	shared->tries = 0;
	pauses.count = pauses.woken = 0;
	assert_int_equal(retry(start_another), EXIT_SUCCESS);
	assert_int_equal(shared->tries, 1);
}

static int prepare(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return close(mkstemp(file_name)) < 0 || !mkdtemp(directory);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file_name) < 0 || rmdir(directory) < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_line_is_looked_at_once),
		cmocka_unit_test(tries_come_ever_more_slowly),
		cmocka_unit_test(an_event_has_it_look_at_once_and_soon_again),
		cmocka_unit_test(an_event_that_comes_as_it_ends_is_not_lost),
		cmocka_unit_test(a_try_that_dies_is_no_end),
		cmocka_unit_test(it_is_found_while_it_tries_and_not_after),
		cmocka_unit_test(it_takes_over_from_one_that_ends_just_then),
		cmocka_unit_test(what_the_try_before_said_is_not_said_again),
		cmocka_unit_test(systemd_has_the_service_try_again_and_where_it_cannot_nobody_does),
		cmocka_unit_test(without_systemd_a_process_stays_behind_that_tries_again),
		cmocka_unit_test(no_other_stays_behind_while_one_tries),
	};

	return cmocka_run_group_tests_name("retry", tests, prepare, remove_file);
}
