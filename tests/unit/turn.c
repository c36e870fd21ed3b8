#include <fcntl.h>
#include <unistd.h>

static int parent;
#define getppid() parent
#define open(path, flags, mode) open("/proc/self/exe", flags, mode)
#include "../../src/turn.c"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"

enum { SYSTEMD = 1, SHELL = 2 };

/* Starts another run, this parent's child, that waits for its turn and keeps it until it is ended. */
static pid_t start(int its_parent, bool settles_all)
{
	const pid_t run = fork();

	if (run != 0)
		return run;
	parent = its_parent;
	turn_wait_for(60, settles_all);
	alarm(60);
	for (;;)
		pause();
}

static void end(pid_t run)
{
	kill(run, SIGKILL);
	waitpid(run, NULL, 0);
}

/* Waits, ten seconds at most, until the kernel says that the run has the turn, or waits for it. */
static void wait_until_it(const char *has_or_waits, pid_t run)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	char command[128];

	snprintf(command, sizeof(command), "grep -q ': *%sFLOCK .* %d ' /proc/locks", has_or_waits, (int)run);
	for (int tries = 0; system(command) != 0; tries++) {
		if (tries == 1000)
			fail_msg("%s", command);
		nanosleep(&pause, NULL);
	}
}

#define HAS ""
#define WAITS "-> "

static void the_turn_is_one_runs_at_a_time_and_ends_with_it(void **state)
{
	const pid_t first = start(SHELL, false);
	pid_t second;

	(void)state;
	wait_until_it(HAS, first);
	assert_false(turn_take());
	second = start(SHELL, false);
	wait_until_it(WAITS, second);
	end(first);
	wait_until_it(HAS, second);
	assert_false(turn_take());
	end(second);
}

static void a_run_that_keeps_its_turn_is_not_waited_for_for_ever(void **state)
{
	const pid_t first = start(SHELL, false);

	(void)state;
	wait_until_it(HAS, first);
	assert_false(turn_wait_for(1, false));
	end(first);
}

static void only_the_service_that_waits_to_settle_all_is_relied_on(void **state)
{
	static const struct {
		int parent;
		bool settles_all, relied_on;
	} runs[] = { { SYSTEMD, true, true }, { SYSTEMD, false, false }, { SHELL, true, false } };
	const pid_t first = start(SHELL, true);

	(void)state;
	wait_until_it(HAS, first);
	assert_false(turn_is_awaited());
	for (size_t i = 0; i < LENGTH(runs); i++) {
		const pid_t run = start(runs[i].parent, runs[i].settles_all);

		wait_until_it(WAITS, run);
		assert_int_equal(turn_is_awaited(), runs[i].relied_on);
		end(run);
		assert_false(turn_is_awaited());
	}
	end(first);
}

static void once_the_service_has_its_turn_it_may_have_looked_already(void **state)
{
	const pid_t first = start(SHELL, false);
	pid_t service;

	(void)state;
	wait_until_it(HAS, first);
	service = start(SYSTEMD, true);
	end(first);
	wait_until_it(HAS, service);
	for (int tries = 0; turn_is_awaited(); tries++)
		if (tries == 1000000)
			fail_msg("the service still waits");
	end(service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_turn_is_one_runs_at_a_time_and_ends_with_it),
		cmocka_unit_test(a_run_that_keeps_its_turn_is_not_waited_for_for_ever),
		cmocka_unit_test(only_the_service_that_waits_to_settle_all_is_relied_on),
		cmocka_unit_test(once_the_service_has_its_turn_it_may_have_looked_already),
	};

	return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
