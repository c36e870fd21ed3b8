#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char file_name[] = "/tmp/turn-XXXXXX";
#define open(path, flags, mode) open(file_name, flags, mode)
#include "../../src/turn.c"

#include "test.h"

static bool is_in_vain;

static bool in_vain(void)
{
	return is_in_vain;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void the_turn_is_one_runs_at_a_time_and_can_be_given_back(void **state)
{
	int first, second;

	(void)state;
	assert_true(turn_take(&first, 0, NULL));
	assert_false(turn_take(&second, 0, NULL));
	close(second);
	close(first);
	assert_true(turn_take(&second, 0, NULL));
	close(second);
}

static void a_run_that_keeps_its_turn_is_not_waited_for_for_ever(void **state)
{
	const double start = seconds_now();
	int first, second;

	(void)state;
	assert_true(turn_take(&first, 0, NULL));
	assert_false(turn_take(&second, 1, in_vain));
	assert_true(seconds_now() - start >= 1);
	close(second);
	close(first);
}

static void a_wait_in_vain_ends_at_once(void **state)
{
	int first, second;

	(void)state;
	assert_true(turn_take(&first, 0, NULL));
	is_in_vain = true;
	assert_false(turn_take(&second, 600, in_vain));
	is_in_vain = false;
	close(second);
	close(first);
}

static void who_has_no_turns_goes_on_without(void **state)
{
	int turn;
	char name = file_name[0];

	(void)state;
	file_name[0] = '\0';
	assert_true(turn_take(&turn, 600, NULL));
	close(turn);
	file_name[0] = name;
}

static int make_file(void **state)
{
	(void)state;
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
		cmocka_unit_test(the_turn_is_one_runs_at_a_time_and_can_be_given_back),
		cmocka_unit_test(a_run_that_keeps_its_turn_is_not_waited_for_for_ever),
		cmocka_unit_test(a_wait_in_vain_ends_at_once),
		cmocka_unit_test(who_has_no_turns_goes_on_without),
	};

	return cmocka_run_group_tests_name("turn", tests, make_file, remove_file);
}
