#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

#define FUNCTIONS(F) \
	F(virConnectOpen) F(virConnectClose) F(virConnectListAllDomains) F(virSetErrorFunc) F(virGetLastError) \
	F(virDomainLookupByName) F(virDomainFree) F(virDomainGetID) F(virDomainGetName) F(virDomainGetXMLDesc) \
	F(virDomainAttachDeviceFlags) F(virDomainDetachDeviceFlags) F(virDomainGetControlInfo) F(virDomainGetJobInfo) \
	F(virConnectIsAlive)

FUNCTIONS(LOAD_DECLARE)
LOAD_NOTE("libvirt", "Attaches devices to domains", LIBVIRT);

/* ms: longer than it takes to start a domain, and to attach a device, as a rule. */
enum { LONG_JOB = 10000, LONG_CALL = 2000 };

/* libvirt calls this for each error. It would write them to stderr otherwise, those that are no failure too. */
static void keep_error(void *libvirt, virErrorPtr error)
{
	struct libvirt *to = libvirt;

	snprintf(to->error, TEXT, "%s", error->message ? error->message : "libvirt doesn't say why");
}

/*
 * What the last call's failure means. Where a system call failed, the error has errno in int1: while connecting, libvirt's
 * socket isn't there, nobody listens, or libvirtd went away.
 */
static enum answer failure(const struct libvirt *libvirt)
{
	const virError *error = sym_virGetLastError();
	const int code = error ? error->code : VIR_ERR_OK;
	const int reason = !libvirt->connection && code == VIR_ERR_SYSTEM_ERROR ? error->int1 : 0;

	if (reason == ENOENT || reason == ECONNREFUSED)
		return NOT_RUNNING;
	if (reason == EIO || reason == EPIPE || reason == ECONNRESET || code == VIR_ERR_OPERATION_TIMEOUT)
		return LATER;
	return libvirt->connection && sym_virConnectIsAlive(libvirt->connection) != 1 ? LATER : FAILED;
}

enum answer libvirt_connect(struct libvirt *libvirt, const char *uri)
{
	*libvirt = (struct libvirt){ 0 };
	if (LOAD_LIBRARY(LIBVIRT) < 0) {
		snprintf(libvirt->error, TEXT, "%s", dlerror());
		return FAILED;
	}
	sym_virSetErrorFunc(libvirt, keep_error);
	/* A libvirtd that dies meanwhile would end us too, and without a word. */
	signal(SIGPIPE, SIG_IGN);
	libvirt->connection = sym_virConnectOpen(uri);
	if (libvirt->connection)
		return DONE;
	return failure(libvirt);
}

void libvirt_disconnect(struct libvirt *libvirt)
{
	sym_virConnectClose(libvirt->connection);
}

enum answer domain_open(struct domain *domain, struct libvirt *libvirt, const char *name)
{
	*domain = (struct domain){ libvirt, sym_virDomainLookupByName(libvirt->connection, name), name, false };
	if (!domain->handle)
		return failure(libvirt);
	/* Only a running domain has an ID, and it came with the domain: libvirtd need not be asked again. */
	if (sym_virDomainGetID(domain->handle) != (unsigned int)-1)
		return DONE;
	domain_close(domain);
	return NOT_RUNNING;
}

void domain_close(const struct domain *domain)
{
	sym_virDomainFree(domain->handle);
}

bool domain_is_busy(const struct domain *domain)
{
	virDomainControlInfo control = { 0 };
	virDomainJobInfo job = { 0 };

	/* In this order: who asks for the job of a domain whose QEMU doesn't answer has to wait, too. */
	if (sym_virDomainGetControlInfo(domain->handle, &control, 0) < 0)
		return false;
	return (control.state == VIR_DOMAIN_CONTROL_JOB && control.stateTime > LONG_JOB) ||
	       (control.state == VIR_DOMAIN_CONTROL_OCCUPIED && control.stateTime > LONG_CALL) ||
	       (sym_virDomainGetJobInfo(domain->handle, &job) == 0 && job.type != VIR_DOMAIN_JOB_NONE);
}

/* One that has gone meanwhile holds nothing. */
static enum answer add_held(struct domains *domains, const struct domain *domain)
{
	char *xml = sym_virDomainGetXMLDesc(domain->handle, 0);
	int result;

	if (!xml)
		return sym_virGetLastError()->code == VIR_ERR_NO_DOMAIN ? DONE : failure(domain->libvirt);
	result = hostdev_read(xml, domain->name, &domains->held, &domains->held_count);
	free(xml);
	return result < 0 ? FAILED : DONE;
}

enum answer domains_read(struct domains *domains, struct libvirt *libvirt)
{
	virDomainPtr *handles = NULL;
	const int count = sym_virConnectListAllDomains(libvirt->connection, &handles, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	enum answer answer = DONE;

	*domains = (struct domains){ 0 };
	if (count < 0)
		return failure(libvirt);
	domains->running = calloc((size_t)count + 1, sizeof(*domains->running));
	if (!domains->running)
		abort();
	for (int i = 0; i < count; i++) {
		struct domain *domain = &domains->running[domains->count++];

		*domain = (struct domain){ libvirt, handles[i], sym_virDomainGetName(handles[i]), false };
		/* libvirt 12 lets who asks for the XML of a domain wait for what keeps it busy. */
		domain->busy = answer == DONE && domain_is_busy(domain);
		if (answer == DONE && !domain->busy)
			answer = add_held(domains, domain);
	}
	free(handles);
	return answer;
}

void domains_free(struct domains *domains)
{
	for (size_t i = 0; i < domains->count; i++)
		domain_close(&domains->running[i]);
	free(domains->running);
	free(domains->held);
	*domains = (struct domains){ 0 };
}

const struct domain *domains_find(const struct domains *domains, const char *name)
{
	for (size_t i = 0; i < domains->count; i++)
		if (strcmp(domains->running[i].name, name) == 0)
			return &domains->running[i];
	return NULL;
}

enum answer domain_change(const struct domain *domain, const struct change *change)
{
	int (*const call)(virDomainPtr, const char *, unsigned int) =
		change->action == ATTACH ? sym_virDomainAttachDeviceFlags : sym_virDomainDetachDeviceFlags;
	char xml[TEXT];

	hostdev_write(&change->device, change->guest, xml);
	return call(domain->handle, xml, VIR_DOMAIN_AFFECT_LIVE) == 0 ? DONE : failure(domain->libvirt);
}
