#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hotplug.h"

#define FUNCTIONS(F) \
	F(virConnectOpen) F(virConnectClose) F(virConnectListAllDomains) F(virSetErrorFunc) F(virGetLastError) F(virGetLastErrorCode) \
	F(virDomainLookupByName) F(virDomainFree) F(virDomainGetID) F(virDomainGetName) F(virDomainGetXMLDesc) \
	F(virDomainAttachDeviceFlags) F(virDomainDetachDeviceFlags) F(virDomainGetControlInfo) F(virDomainGetJobInfo) \
	F(virDomainBackupGetXMLDesc) F(virDomainIsActive) F(virConnectIsAlive)

FUNCTIONS(LOAD_DECLARE)
LOAD_NOTE("libvirt", "Attaches devices to domains", LIBVIRT);

/* ms: longer than it takes to start a domain, and to attach a device, as a rule. */
enum { LONG_JOB = 10000, LONG_CALL = 2000 };

static const struct outcome done = { .answer = DONE };

/* libvirt calls this for each error. It would write them to stderr otherwise, those that are no failure too. */
static void ignore_error(void *nothing, virErrorPtr error)
{
	(void)nothing;
	(void)error;
}

/*
 * What the last call's failure means. Where a system call failed, the error has errno in int1: while connecting, libvirt's
 * socket isn't there, nobody listens, or libvirtd went away.
 */
static enum answer meaning_of(const virError *error, const struct libvirt *libvirt)
{
	const int reason = !libvirt->connection && error->code == VIR_ERR_SYSTEM_ERROR ? error->int1 : 0;

	if (reason == ENOENT || reason == ECONNREFUSED)
		return NOT_RUNNING;
	if (reason == EIO || reason == EPIPE || reason == ECONNRESET || error->code == VIR_ERR_OPERATION_TIMEOUT)
		return LATER;
	return libvirt->connection && !libvirt_is_connected(libvirt) ? LATER : FAILED;
}

static struct outcome failure(const struct libvirt *libvirt)
{
	const virError *error = sym_virGetLastError();
	struct outcome outcome;

	if (!error)
		return outcome_of(FAILED, "libvirt doesn't say why");
	outcome = outcome_of(FAILED, "%s", error->message);
	outcome.answer = meaning_of(error, libvirt);
	return outcome;
}

struct outcome libvirt_connect(struct libvirt *libvirt, const char *uri)
{
	struct outcome outcome;

	*libvirt = (struct libvirt){ 0 };
	if (LOAD_LIBRARY(LIBVIRT) < 0)
		return outcome_of(FAILED, "%s", dlerror());
	sym_virSetErrorFunc(NULL, ignore_error);
	/* A libvirtd that dies meanwhile would end us too, and without a word. */
	signal(SIGPIPE, SIG_IGN);
	libvirt->connection = sym_virConnectOpen(uri);
	if (libvirt->connection)
		return done;
	outcome = failure(libvirt);
	if (outcome.answer != FAILED || geteuid() == 0)
		return outcome;
	return outcome_of(FAILED, "%.400s (only root, and members of group libvirt on most systems, may ask it)", outcome.why);
}

bool libvirt_is_connected(const struct libvirt *libvirt)
{
	return sym_virConnectIsAlive(libvirt->connection) == 1;
}

void libvirt_disconnect(struct libvirt *libvirt)
{
	if (libvirt->connection)
		sym_virConnectClose(libvirt->connection);
}

struct outcome domain_by_name(struct libvirt *libvirt, const char *name, const struct change *change)
{
	const struct domain domain = { libvirt, sym_virDomainLookupByName(libvirt->connection, name), name, false };
	struct outcome outcome = done;

	if (!domain.handle)
		return failure(libvirt);
	/* Only a running domain has an ID, and it came with the domain: libvirtd need not be asked again. */
	if (sym_virDomainGetID(domain.handle) == (unsigned int)-1)
		outcome = outcome_of(NOT_RUNNING, "the domain is not running");
	else if (change)
		outcome = domain_change(&domain, change);
	sym_virDomainFree(domain.handle);
	return outcome;
}

/* A backup is a job for as long as it lasts, but lets devices come and go. Whoever asks for it doesn't wait for any job. */
static bool has_backup(const struct domain *domain)
{
	char *xml = sym_virDomainBackupGetXMLDesc(domain->handle, 0);
	const bool found = xml != NULL;

	free(xml);
	return found;
}

bool domain_is_busy(const struct domain *domain)
{
	virDomainControlInfo control = { 0 };
	virDomainJobInfo job = { 0 };

	if (sym_virDomainGetControlInfo(domain->handle, &control, 0) < 0)
		return false;
	if (control.state == VIR_DOMAIN_CONTROL_OCCUPIED && control.stateTime > LONG_CALL)
		return true;
	/* In this order: who asks for the job of a domain whose QEMU doesn't answer has to wait, too. One that just comes here refuses. */
	return ((control.state == VIR_DOMAIN_CONTROL_JOB && control.stateTime > LONG_JOB) ||
		(sym_virDomainGetJobInfo(domain->handle, &job) == 0 ? job.type != VIR_DOMAIN_JOB_NONE :
		 sym_virGetLastErrorCode() == VIR_ERR_OPERATION_UNSUPPORTED)) && !has_backup(domain);
}

/* One that has gone meanwhile holds nothing. */
static struct outcome add_held(struct domains *domains, const struct domain *domain)
{
	char *xml = sym_virDomainGetXMLDesc(domain->handle, 0);
	const virError *error = sym_virGetLastError();
	int result;

	if (!xml)
		return error && error->code == VIR_ERR_NO_DOMAIN ? done : failure(domain->libvirt);
	result = hostdev_read(xml, domain->name, &domains->held, &domains->held_count);
	free(xml);
	return result < 0 ? outcome_of(FAILED, "%s's XML cannot be read", domain->name) : done;
}

struct outcome domains_read(struct domains *domains, struct libvirt *libvirt)
{
	virDomainPtr *handles = NULL;
	const int count = sym_virConnectListAllDomains(libvirt->connection, &handles, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	struct outcome outcome = done;

	*domains = (struct domains){ 0 };
	if (count < 0)
		return failure(libvirt);
	domains->running = calloc((size_t)count + 1, sizeof(*domains->running));
	if (!domains->running)
		abort();
	for (int i = 0; i < count; i++) {
		struct domain *domain = &domains->running[domains->count++];

		*domain = (struct domain){ libvirt, handles[i], sym_virDomainGetName(handles[i]), false };
		if (outcome.answer != DONE)
			continue;
		/* libvirt 12 lets who asks for the XML of a domain wait for what keeps it busy. */
		domain->busy = domain_is_busy(domain);
		domains->busy |= domain->busy;
		if (!domain->busy)
			outcome = add_held(domains, domain);
	}
	free(handles);
	return outcome;
}

void domains_free(struct domains *domains)
{
	for (size_t i = 0; i < domains->count; i++)
		sym_virDomainFree(domains->running[i].handle);
	free(domains->running);
	free(domains->held);
}

const struct domain *domains_find(const struct domains *domains, const char *name)
{
	for (size_t i = 0; i < domains->count; i++)
		if (strcmp(domains->running[i].name, name) == 0)
			return &domains->running[i];
	return NULL;
}

const char *domains_holder(const struct domains *domains, const struct device *device)
{
	for (size_t i = 0; i < domains->held_count; i++)
		if (hostdev_holds(&domains->held[i], device))
			return domains->held[i].domain;
	return NULL;
}

struct outcome domain_change(const struct domain *domain, const struct change *change)
{
	int (*const call)(virDomainPtr, const char *, unsigned int) =
		change->action == ATTACH ? sym_virDomainAttachDeviceFlags : sym_virDomainDetachDeviceFlags;
	char xml[TEXT], text[TEXT];
	sigset_t endings, before;
	struct outcome outcome;
	int result;

	hostdev_write(&change->device, change->guest, xml);
	sigemptyset(&endings);
	sigaddset(&endings, SIGINT);
	sigaddset(&endings, SIGTERM);
	sigprocmask(SIG_BLOCK, &endings, &before);
	result = call(domain->handle, xml, VIR_DOMAIN_AFFECT_LIVE);
	if (result == 0)
		log_info("%s: %s %s", change->domain, change->action == ATTACH ? "attached" : "detached",
			 device_text(&change->device, text));
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (result == 0)
		return done;
	outcome = failure(domain->libvirt);
	/* libvirt has many words for a domain that went down meanwhile. */
	if (outcome.answer == FAILED && sym_virDomainIsActive(domain->handle) != 1)
		return outcome_of(NOT_RUNNING, "the domain is not running");
	return outcome;
}
