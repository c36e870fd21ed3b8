#include "../../src/domain.c"

#include "test.h"

/* What libvirt says of a domain. */
static struct {
	int state; /* -1 where it is gone */
	unsigned long long time; /* ms: how long it has been in it */
	int job;
	virErrorNumber error; /* why its job isn't told */
	const char *backup;
} says;

static int tell_state(virDomainPtr domain, virDomainControlInfoPtr info, unsigned int flags)
{
	(void)domain;
	(void)flags;
	info->state = (unsigned int)says.state;
	info->stateTime = says.time;
	return says.state < 0 ? -1 : 0;
}

static int tell_job(virDomainPtr domain, virDomainJobInfoPtr info)
{
	(void)domain;
	info->type = says.job;
	return says.error ? -1 : 0;
}

static int tell_error(void)
{
	return (int)says.error;
}

static char *tell_backup(virDomainPtr domain, unsigned int flags)
{
	(void)domain;
	(void)flags;
	return says.backup ? strdup(says.backup) : NULL;
}

static void a_domain_is_busy_where_a_change_would_wait(void **state)
{
	enum { OK = VIR_DOMAIN_CONTROL_OK, JOB = VIR_DOMAIN_CONTROL_JOB, OCCUPIED = VIR_DOMAIN_CONTROL_OCCUPIED };
	static const struct {
		const char *what;
		__typeof__(says) says;
		bool busy;
	} cases[] = {
		{ "one that does nothing", { .state = OK }, false },
		{ "one that is being saved", { .state = OK, .job = VIR_DOMAIN_JOB_UNBOUNDED }, true },
		{ "one whose QEMU answers", { OCCUPIED, .time = 100 }, false },
		{ "one whose QEMU doesn't", { OCCUPIED, .time = 3000 }, true },
		{ "one that gets a device", { JOB, .time = 1000 }, false },
		{ "one that has been at it for long", { JOB, .time = 20000 }, true },
		{ "one whose backup is running", { JOB, .time = 20000, .job = VIR_DOMAIN_JOB_UNBOUNDED, .backup = "<domainbackup/>" }, false },
		{ "one that comes from another machine", { .state = OK, .error = VIR_ERR_OPERATION_UNSUPPORTED }, true },
		{ "one of a libvirt that knows no jobs", { .state = OK, .error = VIR_ERR_NO_SUPPORT }, false },
		{ "one that has just ended", { .state = OK, .error = VIR_ERR_OPERATION_INVALID }, false },
		{ "one that has gone", { .state = -1 }, false },
	};
	const struct domain domain = { 0 };

	(void)state;
	sym_virDomainGetControlInfo = tell_state;
	sym_virDomainGetJobInfo = tell_job;
	sym_virGetLastErrorCode = tell_error;
	sym_virDomainBackupGetXMLDesc = tell_backup;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		says = cases[i].says;
		if (domain_is_busy(&domain) != cases[i].busy)
			fail_msg("%s is %sbusy", cases[i].what, cases[i].busy ? "not " : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_is_busy_where_a_change_would_wait),
	};

	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
