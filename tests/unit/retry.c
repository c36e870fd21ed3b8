#include <fcntl.h>
#include <signal.h>
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

#define turn_open_file open_test_file
#define sigtimedwait wait_no_longer
#include "../../src/retry.c"

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

static int prepare(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return close(mkstemp(file_name));
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file_name);
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
		cmocka_unit_test(what_the_try_before_said_is_not_said_again),
	};

	return cmocka_run_group_tests_name("retry", tests, prepare, remove_file);
}
