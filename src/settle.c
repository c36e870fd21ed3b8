#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "hotplug.h"

struct settle {
	struct deadline deadline;
	struct libvirt libvirt;
	const struct change *event; /* settles only its port, if given */
	const char *only;           /* settles only this domain, if given */
	bool dry_run;
	bool is_new;                /* the event's device: nobody holds it yet */
	bool refused;               /* the same, when it was attached without a look */
	enum answer worst;
};

/* What is held and what is plugged in, and what has to change for that. */
struct look {
	struct domains domains;
	struct host host;
	struct plan plan;
};

/* Tells why something was not done; but what an event leaves to the service is told as it is handed over. */
static void tell(struct settle *settle, enum answer answer, const char *why)
{
	if (answer == FAILED && settle->worst == LATER)
		answer = LATER; /* it may be for want of what is done later */
	if (answer == FAILED)
		log_error("%s: %s", settle->deadline.did_not, why);
	else if (answer == NOT_RUNNING || !settle->event)
		log_info("%s: %s", settle->deadline.did_not, why);
	if (answer > settle->worst)
		settle->worst = answer;
}

/* stop_looking() is due whatever the answer. */
static enum answer take_look(struct settle *settle, struct look *look)
{
	enum answer answer;

	*look = (struct look){ 0 };
	/* In this order: what is plugged in and attached in between would pass for gone in the other. */
	answer = domains_read(&look->domains, &settle->libvirt);
	if (answer != DONE)
		return answer;
	if (host_read(&look->host, settle->libvirt.error) < 0)
		return FAILED;
	/* What a remove event is about is gone, though sysfs may have it for a moment. */
	for (size_t i = 0; settle->event && settle->event->action == DETACH && i < look->host.count; i++)
		if (device_is_at(&look->host.devices[i], &settle->event->device))
			look->host.devices[i] = (struct device){ .entry = look->host.devices[i].entry, .hub = true };
	look->plan = plan_make(look->domains.held, look->domains.held_count, look->host.devices, look->host.count);
	return DONE;
}

static void stop_looking(struct look *look)
{
	domains_free(&look->domains);
	host_free(&look->host);
	free(look->plan.changes);
}

static bool is_planned(const struct look *look, enum action action, const char *domain, const struct device *device)
{
	for (size_t i = 0; i < look->plan.count; i++) {
		const struct change *change = &look->plan.changes[i];

		if (change->action == action && device_is_at(&change->device, device) && strcmp(change->domain, domain) == 0)
			return true;
	}
	return false;
}

static bool is_in_scope(const struct settle *settle, const struct look *look, const struct change *change)
{
	if (settle->event)
		return device_is_at(&change->device, &settle->event->device) ||
		       (*change->device.port && strcmp(change->device.port, settle->event->device.port) == 0);
	/* The domain to be settled gets what is its own also from another. */
	return !settle->only || strcmp(change->domain, settle->only) == 0 ||
	       is_planned(look, ATTACH, settle->only, &change->device);
}

static bool is_busy(const struct look *look, const char *name)
{
	const struct domain *domain = domains_find(&look->domains, name);

	return domain && domain->busy;
}

/* What a busy domain lacks isn't known, and is said of it as a whole. */
static void tell_busy(struct settle *settle, const struct look *look)
{
	const char *only = settle->event ? settle->event->domain : settle->only;

	for (size_t i = 0; i < look->domains.count; i++) {
		const struct domain *domain = &look->domains.running[i];

		if (!domain->busy || (only && strcmp(domain->name, only) != 0))
			continue;
		if (!settle->event)
			snprintf(settle->deadline.did_not, TEXT, "%.100s: did not sync", domain->name);
		snprintf(settle->libvirt.error, TEXT, "the domain is busy");
		tell(settle, LATER, settle->libvirt.error);
	}
}

/* Tells that a change failed, unless another run was faster, or the device or the domain is gone by now. */
static enum answer tell_failure(struct settle *settle, enum answer answer, const struct change *change)
{
	const struct libvirt refused = settle->libvirt;
	struct look look;
	const enum answer now = take_look(settle, &look);

	if (now != DONE)
		tell(settle, now, refused.error);
	else if (is_busy(&look, change->domain))
		tell(settle, LATER, "the domain is busy");
	else if (!is_planned(&look, change->action, change->domain, &change->device))
		log_debug("%s: it is done, or not due any more", settle->deadline.did_not);
	else if (!domains_find(&look.domains, change->domain))
		tell(settle, NOT_RUNNING, "the domain is not running");
	else
		tell(settle, answer, refused.error);
	stop_looking(&look);
	return now;
}

/*
 * An event waits a quarter of its time for its turn, before libvirt is loaded: of a crowd, the service does the rest. Returns
 * false where the service is to do it, and why in libvirt's error: at once where it is about to.
 */
static bool wait_for_turn(struct settle *settle)
{
	const unsigned int patience = (settle->deadline.seconds + 3) / 4;

	if (turn_take())
		return true;
	snprintf(settle->libvirt.error, TEXT, "its turn did not come");
	if (turn_is_awaited())
		return false;
	snprintf(settle->libvirt.error, TEXT, "its turn did not come within %u s", patience);
	return turn_wait_for(patience, false);
}

static void print_change(const struct change *change)
{
	char xml[TEXT];

	printf("%s %s %u %u\n%s", change->action == ATTACH ? "attach" : "detach", change->domain, change->device.bus,
	       change->device.number, hostdev_write(&change->device, change->guest, xml));
}

static enum answer make_change(const struct domain *domain, const struct change *change)
{
	const enum answer answer = domain_change(domain, change);
	char text[TEXT];

	if (answer == DONE)
		log_info("%s: %s %s", change->domain, change->action == ATTACH ? "attached" : "detached",
			 device_text(&change->device, text));
	return answer;
}

/* Why a change is not to be tried, in libvirt's error; or DONE. */
static enum answer find_obstacle(struct settle *settle, const struct look *look, const struct domain *domain,
				 const struct change *change)
{
	char *why = settle->libvirt.error, disk[TEXT];

	if (!domain) {
		snprintf(why, TEXT, "the domain is not running");
		return NOT_RUNNING;
	}
	if (change->action == ATTACH && settle->refused)
		return FAILED;
	if (change->action == ATTACH && host_uses_disk(&look->host, &change->device, disk)) {
		snprintf(why, TEXT, "the host uses its disk %.100s", disk);
		return FAILED;
	}
	if (domain_is_busy(domain)) {
		snprintf(why, TEXT, "the domain is busy");
		return LATER;
	}
	return DONE;
}

/* Returns an answer other than DONE where there is no use in going on. */
static enum answer make_planned_change(struct settle *settle, const struct look *look, const struct change *change)
{
	const struct change back = { DETACH, change->domain, change->device, NULL };
	const struct domain *domain = domains_find(&look->domains, change->domain);
	enum answer answer;

	if (!is_in_scope(settle, look, change) || (!domain && !settle->refused) || is_busy(look, change->domain))
		return DONE;
	if (!settle->event)
		deadline_renew(&settle->deadline);
	change_text(change, settle->deadline.did_not);
	answer = find_obstacle(settle, look, domain, change);
	if (answer != DONE) {
		tell(settle, answer, settle->libvirt.error);
		return DONE;
	}
	if (settle->dry_run) {
		print_change(change);
		return DONE;
	}
	answer = make_change(domain, change);
	if (answer != DONE)
		return tell_failure(settle, answer, change);
	if (change->action == DETACH) {
		settle->refused = false; /* what it was in the way of may work now */
	} else if (!host_has(&change->device)) {
		/* Pulled meanwhile; its remove event may have found nothing to detach yet. */
		answer = make_change(domain, &back);
	}
	return answer == DONE ? DONE : tell_failure(settle, answer, &back);
}

static void settle_all(struct settle *settle)
{
	struct look look;
	enum answer answer = take_look(settle, &look);

	if (answer != DONE)
		tell(settle, answer, settle->libvirt.error);
	else
		tell_busy(settle, &look);
	if (answer == DONE && look.plan.count == 0 && settle->worst == DONE)
		log_debug("all is in line");
	for (size_t i = 0; answer == DONE && i < look.plan.count; i++)
		answer = make_planned_change(settle, &look, &look.plan.changes[i]);
	stop_looking(&look);
}

/* A device that has just been plugged in is held by nobody, as a rule: it is attached without a look. */
static bool attach_new(struct settle *settle, const struct domain *domain)
{
	enum answer answer;

	if (settle->event->action == ATTACH && !host_has(&settle->event->device)) {
		log_info("%s: it is not plugged in any more", settle->deadline.did_not);
		return false;
	}
	if (!settle->is_new)
		return false;
	answer = make_change(domain, settle->event);
	settle->refused = answer != DONE;
	if (answer == LATER)
		tell(settle, LATER, settle->libvirt.error);
	return answer == DONE;
}

/* Settles what is in scope. The event's domain, and the only one, are asked for by name. */
static void settle_connected(struct settle *settle)
{
	const char *name = settle->event ? settle->event->domain : settle->only;
	struct domain domain;
	const enum answer answer = name ? domain_open(&domain, &settle->libvirt, name) : DONE;
	bool done = false;

	if (answer != DONE) {
		tell(settle, answer, answer == NOT_RUNNING ? "the domain is not running" : settle->libvirt.error);
	} else if (name) {
		done = settle->event && attach_new(settle, &domain);
		domain_close(&domain);
	}
	if (!done && settle->worst < FAILED)
		settle_all(settle);
}

/* Returns the exit status. */
static int settle(struct settle *settle)
{
	enum answer answer;

	settle->deadline.seconds = ports_table()->timeout;
	/*
	 * A run that was stopped, or that hangs in a driver, would keep a sync waiting for ever. Two at a time do no harm: what
	 * another was faster with is no failure.
	 */
	if (!settle->event && !settle->dry_run)
		turn_wait_for(6 * settle->deadline.seconds, !settle->only);
	if (deadline_start(&settle->deadline) < 0)
		return EXIT_FAILURE;
	if (settle->event && !wait_for_turn(settle))
		return leave_to_service(settle->deadline.did_not, settle->libvirt.error);
	answer = libvirt_connect(&settle->libvirt, ports_table()->uri);
	if (answer == DONE) {
		settle_connected(settle);
		libvirt_disconnect(&settle->libvirt);
	} else if (answer == NOT_RUNNING) {
		log_info("%s: libvirt is not running: %s", settle->deadline.did_not, settle->libvirt.error);
	} else {
		tell(settle, answer, settle->libvirt.error);
	}
	if (settle->worst == LATER)
		return settle->event ? leave_to_service(settle->deadline.did_not, settle->libvirt.error) : EX_TEMPFAIL;
	return settle->worst == FAILED ? EXIT_FAILURE : EXIT_SUCCESS;
}

int settle_event(const struct event *event, const struct port *owner, bool dry_run)
{
	const struct change change = { event->action, owner->domain, event->device, ports_guest(owner, &event->device) };
	struct settle job = { .event = &change, .is_new = event->is_new, .deadline.give_up = leave_to_service };

	change_text(&change, job.deadline.did_not);
	if (!dry_run)
		return settle(&job);
	print_change(&change);
	return EXIT_SUCCESS;
}

int settle_domains(const char *only, bool dry_run)
{
	struct settle job = { .only = only, .dry_run = dry_run, .deadline.give_up = try_again_later };

	snprintf(job.deadline.did_not, TEXT, "%.100s%sdid not sync", only ? only : "", only ? ": " : "");
	return settle(&job);
}
