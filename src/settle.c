#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

struct settle {
	struct deadline deadline;
	struct libvirt libvirt;
	const struct event *event; /* settles only its port, if given */
	const char *only;          /* settles only this domain, if given */
	bool dry_run;
	bool refused; /* the event's device, when it was attached without a look */
	bool failed;
};

/* What is held and what is plugged in, and what has to change for that. */
struct look {
	struct domains domains;
	struct host host;
	struct plan plan;
};

static bool is_same_change(const struct change *a, const struct change *b)
{
	return a->action == b->action && device_is_at(&a->device, &b->device) && strcmp(a->domain, b->domain) == 0;
}

static bool is_planned(const struct plan *plan, const struct change *change)
{
	for (size_t i = 0; i < plan->count; i++)
		if (is_same_change(&plan->changes[i], change))
			return true;
	return false;
}

static bool is_in_scope(const struct settle *settle, const struct plan *plan, const struct change *change)
{
	const struct change next = { ATTACH, settle->only, change->device, NULL };

	if (settle->event)
		return device_is_at(&change->device, &settle->event->device) ||
		       (*change->device.port && strcmp(change->device.port, settle->event->device.port) == 0);
	/* The domain to be settled gets what is its own also from another. */
	return !settle->only || strcmp(change->domain, settle->only) == 0 || is_planned(plan, &next);
}

/* What a remove event is about is gone, though sysfs may have it for a moment. */
static void leave_out(struct host *host, const struct device *removed)
{
	for (size_t i = 0; i < host->count; i++)
		if (device_is_at(&host->devices[i], removed))
			host->devices[i] = (struct device){ .entry = host->devices[i].entry, .hub = true };
}

/* Returns 0, or -1 with the reason logged. stop_looking() is due in both cases. */
static int take_look(struct settle *settle, struct look *look, const char *did_not)
{
	*look = (struct look){ 0 };
	/* In this order: what is plugged in and attached in between would pass for gone in the other. */
	if (domains_read(&look->domains, &settle->libvirt) < 0) {
		log_error("%s: %s", did_not, settle->libvirt.error);
		return -1;
	}
	if (host_read(&look->host) < 0)
		return -1;
	if (settle->event && settle->event->action == DETACH)
		leave_out(&look->host, &settle->event->device);
	return plan_make(&look->plan, look->domains.held, look->domains.held_count, look->host.devices, look->host.count);
}

static void stop_looking(struct look *look)
{
	domains_free(&look->domains);
	host_free(&look->host);
	free(look->plan.changes);
}

/*
 * Where another run was faster, or the device or the domain is gone by now, nothing is wrong. Returns -1 where there
 * is no use in going on.
 */
static int tell_failure(struct settle *settle, const struct change *change)
{
	const struct libvirt refused = settle->libvirt;
	char did_not[CHANGE_TEXT];
	struct look look;
	int result = take_look(settle, &look, change_text(change, did_not));

	if (result < 0) {
		settle->failed = true;
	} else if (is_planned(&look.plan, change) && domains_find(&look.domains, change->domain)) {
		log_error("%s: %s", did_not, refused.error);
		settle->failed = true;
	} else if (is_planned(&look.plan, change)) {
		log_info("%s: the domain is not running", did_not);
	}
	stop_looking(&look);
	return result;
}

static void print_change(const struct change *change)
{
	char xml[HOSTDEV_XML];

	printf("%s %s %u %u\n%s", change->action == ATTACH ? "attach" : "detach", change->domain, change->device.bus,
	       change->device.number, hostdev_write(&change->device, change->guest, xml));
}

static int make_change(struct settle *settle, const struct domain *domain, const struct change *change)
{
	char text[DEVICE_TEXT];

	if (settle->dry_run) {
		print_change(change);
		return 0;
	}
	if (domain_change(domain, change) < 0)
		return -1;
	if (change->action == DETACH)
		settle->refused = false; /* what it was in the way of may work now */
	log_info("%s: %s %s", change->domain, change->action == ATTACH ? "attached" : "detached",
		 device_text(&change->device, text));
	return 0;
}

static int make_planned_change(struct settle *settle, const struct look *look, const struct change *change)
{
	const struct change back = { DETACH, change->domain, change->device, NULL };
	const struct domain *domain = domains_find(&look->domains, change->domain);
	char text[CHANGE_TEXT], disk[DISK];

	if (!domain || !is_in_scope(settle, &look->plan, change))
		return 0;
	if (!settle->event)
		deadline_renew(&settle->deadline);
	if (change->action == ATTACH && host_uses_disk(&look->host, &change->device, disk)) {
		log_error("%s: the host uses its disk %s", change_text(change, text), disk);
		settle->failed = true;
		return 0;
	}
	if (change->action == ATTACH && settle->refused) {
		log_error("%s: %s", change_text(change, text), settle->libvirt.error);
		settle->failed = true;
		return 0;
	}
	if (make_change(settle, domain, change) < 0)
		return tell_failure(settle, change);
	/* Pulled meanwhile, its remove event may have found nothing to detach yet. */
	if (change->action == ATTACH && !host_has(&change->device) && make_change(settle, domain, &back) < 0)
		return tell_failure(settle, &back);
	return 0;
}

static int settle_all(struct settle *settle)
{
	struct look look;
	int result = take_look(settle, &look, settle->deadline.did_not);

	if (result == 0 && look.plan.count == 0)
		log_debug("all is in line");
	for (size_t i = 0; result == 0 && i < look.plan.count; i++)
		result = make_planned_change(settle, &look, &look.plan.changes[i]);
	stop_looking(&look);
	return settle->failed ? -1 : result;
}

/* A device that has just been plugged in is held by nobody, as a rule: it is attached without a look. */
static bool attach_new(struct settle *settle, const struct domain *domain, const struct change *change)
{
	if (change->action == ATTACH && !host_has(&change->device)) {
		log_info("%s: it is not plugged in any more", settle->deadline.did_not);
		return false;
	}
	if (settle->event->is_new)
		settle->refused = make_change(settle, domain, change) < 0;
	return settle->event->is_new && !settle->refused;
}

/* Settles what is in scope; where name is given, that domain has to exist. change is the event's. */
static int settle_domain(struct settle *settle, const char *name, const struct change *change)
{
	struct domain domain;
	enum state state = RUNNING;
	bool done = false;

	if (name)
		state = domain_open(&domain, &settle->libvirt, name);
	if (state == FAILED) {
		log_error("%s: %s", settle->deadline.did_not, settle->libvirt.error);
		return -1;
	}
	if (state == NOT_RUNNING)
		log_info("%s: the domain is not running", settle->deadline.did_not);
	else if (change)
		done = attach_new(settle, &domain, change);
	if (name && state == RUNNING)
		domain_close(&domain);
	return done ? 0 : settle_all(settle);
}

static int settle(struct settle *settle, const char *name, const struct change *change)
{
	const char *did_not = settle->deadline.did_not;
	enum state state;
	int result;

	if (deadline_start(&settle->deadline) < 0)
		return -1;
	state = libvirt_connect(&settle->libvirt, ports_uri());
	if (state == FAILED)
		log_error("%s: %s", did_not, settle->libvirt.error);
	if (state == NOT_RUNNING)
		log_info("%s: libvirt is not running: %s", did_not, settle->libvirt.error);
	if (state != RUNNING)
		return state == FAILED ? -1 : 0;
	result = settle_domain(settle, name, change);
	libvirt_disconnect(&settle->libvirt);
	return result;
}

int settle_event(const struct event *event, const struct port *owner, bool dry_run)
{
	const struct change change = { event->action, owner->domain, event->device, ports_guest(owner, &event->device) };
	char did_not[CHANGE_TEXT];
	struct settle job = {
		.event = event,
		.deadline = { .did_not = change_text(&change, did_not), .seconds = ports_timeout() },
	};

	if (!dry_run)
		return settle(&job, owner->domain, &change);
	print_change(&change);
	return 0;
}

int settle_domains(const char *only, bool dry_run)
{
	char did_not[CHANGE_TEXT];
	struct settle job = {
		.only = only,
		.dry_run = dry_run,
		.deadline = { .did_not = did_not, .seconds = ports_timeout() },
	};

	snprintf(did_not, sizeof(did_not), "%.100s%sdid not sync", only ? only : "", only ? ": " : "");
	return settle(&job, only, NULL);
}
