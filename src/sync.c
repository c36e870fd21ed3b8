#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "host.h"
#include "log.h"
#include "ports.h"
#include "sync.h"

struct sync {
	struct libvirt libvirt;
	struct host host;
	const char *only; /* this domain, or NULL for all */
	bool dry_run, failed;
};

static void make_change(struct sync *sync, const struct domain *domain, enum change change,
			const struct device *device)
{
	char did_not[DID_NOT];

	if (sync->dry_run) {
		if (domain_holds(domain, device) != (change == ATTACH))
			domain_print_change(domain->name, change, device);
	} else if (domain_change(domain, change, device) < 0 &&
		   (change == DETACH || host_still_has(&sync->host, device))) {
		log_error("%s: %s", domain_did_not(domain->name, change, device, did_not), sync->libvirt.error);
		sync->failed = true;
	}
}

static bool is_plugged_in(const struct host *host, const struct device *held)
{
	for (size_t i = 0; i < host->count; i++)
		if (host->devices[i].bus == held->bus && host->devices[i].number == held->number)
			return true;
	return false;
}

/* What it holds by vendor and product is of its stored definition, and stays. */
static void detach_gone(struct sync *sync, const struct domain *domain, const struct device held[], int count)
{
	for (int i = 0; i < count; i++)
		if (!held[i].has_id && !is_plugged_in(&sync->host, &held[i]))
			make_change(sync, domain, DETACH, &held[i]);
}

static void attach_owned(struct sync *sync, const struct domain *domain)
{
	for (size_t i = 0; i < sync->host.count; i++) {
		const struct device *device = &sync->host.devices[i];
		const struct port *owner = device->hub ? NULL : ports_owner(device);

		if (!owner || owner->domain == HOST || strcmp(owner->domain, domain->name) != 0)
			continue;
		make_change(sync, domain, ATTACH, device);
		/* Pulled meanwhile, its remove event may have found nothing to detach yet. */
		if (!host_still_has(&sync->host, device))
			make_change(sync, domain, DETACH, device);
	}
}

static void sync_domain(struct sync *sync, const struct domain *domain)
{
	struct device *held;
	/* Asked before the host is read, or else what is plugged in between would pass for gone. */
	int count = domain_held(domain, &held);

	if (count < 0) {
		log_error("%s: did not sync: %s", domain->name, sync->libvirt.error);
		sync->failed = true;
		return;
	}
	if (host_read(&sync->host) < 0) {
		sync->failed = true;
	} else {
		detach_gone(sync, domain, held, count);
		attach_owned(sync, domain);
	}
	host_free(&sync->host);
	free(held);
}

static void sync_by_name(struct sync *sync, const char *name)
{
	struct domain domain;
	int running = domain_open(&domain, &sync->libvirt, name);

	if (running == 0 || (running < 0 && !sync->only && domain_is_unknown())) {
		log_debug("%s: did not sync: the domain is not running", name);
	} else if (running < 0) {
		log_error("%s: did not sync: %s", name, sync->libvirt.error);
		sync->failed = true;
	} else {
		sync_domain(sync, &domain);
		domain_close(&domain);
	}
}

static bool is_in_table(const char *domain)
{
	const char *name;

	for (size_t row = 0; (name = ports_next_domain(&row));)
		if (strcmp(name, domain) == 0)
			return true;
	return false;
}

int sync_domains(const char *only, bool dry_run)
{
	struct sync sync = { .only = only, .dry_run = dry_run };
	const char *name;
	int connected;

	/* The hook asks for every domain that starts, and most are none of ours. */
	if (only && !is_in_table(only)) {
		log_debug("%s: did not sync: it is in no row of the table", only);
		return 0;
	}
	connected = libvirt_connect(&sync.libvirt, ports_uri());
	if (connected == 0)
		log_info("did not sync: libvirt is not running: %s", sync.libvirt.error);
	if (connected < 0)
		log_error("did not sync: %s", sync.libvirt.error);
	if (connected <= 0)
		return connected;
	for (size_t row = 0; (name = ports_next_domain(&row));)
		if (!only || strcmp(name, only) == 0)
			sync_by_name(&sync, name);
	libvirt_disconnect(&sync.libvirt);
	return sync.failed ? -1 : 0;
}
