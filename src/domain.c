#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hotplug.h"

#define FUNCTIONS(F) \
	F(virConnectOpen) F(virConnectClose) F(virConnectListAllDomains) F(virSetErrorFunc) F(virGetLastError) \
	F(virDomainLookupByName) F(virDomainFree) F(virDomainGetID) F(virDomainGetName) F(virDomainGetXMLDesc) \
	F(virDomainAttachDeviceFlags) F(virDomainDetachDeviceFlags)

FUNCTIONS(LOAD_DECLARE)
LOAD_NOTE("libvirt", "Attaches devices to domains", LIBVIRT);

/* libvirt calls this for each error. It would write them to stderr otherwise, those that are no failure too. */
static void keep_error(void *libvirt, virErrorPtr error)
{
	struct libvirt *to = libvirt;

	snprintf(to->error, sizeof(to->error), "%s", error->message ? error->message : "libvirt doesn't say why");
}

/* Its socket isn't there, or nobody listens: where a system call failed, libvirt's error has errno in int1. */
static bool is_libvirt_down(void)
{
	virErrorPtr error = sym_virGetLastError();

	return error && error->code == VIR_ERR_SYSTEM_ERROR && (error->int1 == ENOENT || error->int1 == ECONNREFUSED);
}

enum state libvirt_connect(struct libvirt *libvirt, const char *uri)
{
	*libvirt = (struct libvirt){ 0 };
	if (LOAD_LIBRARY(LIBVIRT) < 0) {
		snprintf(libvirt->error, sizeof(libvirt->error), "%s", dlerror());
		return FAILED;
	}
	sym_virSetErrorFunc(libvirt, keep_error);
	/* A libvirtd that dies meanwhile would end us too, and without a word. */
	signal(SIGPIPE, SIG_IGN);
	libvirt->connection = sym_virConnectOpen(uri);
	if (libvirt->connection)
		return RUNNING;
	return is_libvirt_down() ? NOT_RUNNING : FAILED;
}

/* libvirtd listens first, and then loads its drivers and starts domains in this thread (src/remote/remote_daemon.c). */
static bool is_initialising(pid_t libvirtd)
{
	char name[64];
	glob_t threads;
	bool found = false;

	snprintf(name, sizeof(name), "/proc/%d/task/*/comm", libvirtd);
	if (glob(name, GLOB_NOSORT, NULL, &threads) != 0)
		return false;
	for (size_t i = 0; i < threads.gl_pathc && !found; i++) {
		FILE *file = fopen(threads.gl_pathv[i], "re");

		found = file && fgets(name, sizeof(name), file) && strcmp(name, "daemon-init\n") == 0;
		if (file)
			fclose(file);
	}
	globfree(&threads);
	return found;
}

/* SO_PEERCRED has the process that called listen(2), see unix(7): at boot systemd, until libvirtd takes over. */
bool libvirt_is_starting(void)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
		    (peer.pid == 1 || is_initialising(peer.pid)))
			return true;
	return false;
}

void libvirt_disconnect(struct libvirt *libvirt)
{
	sym_virConnectClose(libvirt->connection);
}

enum state domain_open(struct domain *domain, struct libvirt *libvirt, const char *name)
{
	*domain = (struct domain){ .handle = sym_virDomainLookupByName(libvirt->connection, name), .name = name };
	if (!domain->handle)
		return FAILED;
	/* Only a running domain has an ID, and it came with the domain: libvirtd need not be asked again. */
	if (sym_virDomainGetID(domain->handle) != (unsigned int)-1)
		return RUNNING;
	domain_close(domain);
	return NOT_RUNNING;
}

void domain_close(const struct domain *domain)
{
	sym_virDomainFree(domain->handle);
}

/* One that has gone meanwhile holds nothing. */
static int add_held(struct domains *domains, const struct domain *domain)
{
	char *xml = sym_virDomainGetXMLDesc(domain->handle, 0);
	int result;

	if (!xml)
		return sym_virGetLastError()->code == VIR_ERR_NO_DOMAIN ? 0 : -1;
	result = hostdev_read(xml, domain->name, &domains->held, &domains->held_count);
	free(xml);
	return result;
}

int domains_read(struct domains *domains, struct libvirt *libvirt)
{
	virDomainPtr *handles = NULL;
	const int count = sym_virConnectListAllDomains(libvirt->connection, &handles, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	int result = 0;

	*domains = (struct domains){ .running = calloc((size_t)(count < 0 ? 0 : count) + 1, sizeof(*domains->running)) };
	if (count < 0 || !domains->running)
		return -1;
	for (int i = 0; i < count; i++) {
		struct domain *domain = &domains->running[domains->count++];

		*domain = (struct domain){ .handle = handles[i], .name = sym_virDomainGetName(handles[i]) };
		if (result == 0)
			result = add_held(domains, domain);
	}
	free(handles);
	return result;
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

int domain_change(const struct domain *domain, const struct change *change)
{
	int (*const call)(virDomainPtr, const char *, unsigned int) =
		change->action == ATTACH ? sym_virDomainAttachDeviceFlags : sym_virDomainDetachDeviceFlags;
	char xml[HOSTDEV_XML];

	return call(domain->handle, hostdev_write(&change->device, change->guest, xml), VIR_DOMAIN_AFFECT_LIVE);
}
