#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "hotplug.h"

/* One settling: of what, for how long, and how it says what it could not do. */
struct run {
	struct scope scope;
	struct change *event;     /* what an event asks for, or NULL */
	struct change *asked;     /* the same, where it is a person who asks for it, of its domain, unless NULL */
	const struct port *owner; /* its row, the first of those that take turns: one of their domains has to run, or why not is told */
	bool dry_run;
	bool by_hand;             /* who runs it is told what is wrong with the table, too */
	char subject[TEXT];         /* how messages begin that are about the run as a whole */
	struct deadline deadline;
	struct libvirt libvirt;
	int status;                 /* the exit status */
};

/* What is held and what is plugged in, and what has to change for that. */
struct look {
	struct domains domains;
	struct host host;
	struct plan plan;
};

/* Tells why something was not done. What a program has claimed is told by who tries again, if anybody does. */
static void tell(struct run *run, const char *subject, const struct outcome *outcome)
{
	int (*const give_up)(const char *, const char *) = run->deadline.give_up;
	int status = EXIT_SUCCESS;

	if (outcome->answer == NOT_RUNNING)
		log_line(LOG_INFO | LOG_ONCE, "%s: %s", subject, outcome->why);
	else if (outcome->answer == LATER)
		status = give_up(subject, outcome->why);
	else if (outcome->answer != CLAIMED || give_up != leave_to_retry || !retry_start())
		status = fail(subject, outcome->why);
	if (outcome->answer == CLAIMED && give_up == try_again_later)
		status = EX_TEMPFAIL;
	if (status == EX_TEMPFAIL || run->status == EXIT_SUCCESS)
		run->status = status;
}

/* An event has one deadline; that of others is for each look and each change. */
static void renew(const struct run *run)
{
	if (run->deadline.give_up != leave_to_retry)
		deadline_renew(&run->deadline);
}

/*
 * What is pulled, as a person says, or taken back, may be plugged in; and in a dry run what is given again is marked as taken back.
 * Returns whether it is plugged in.
 */
static bool believe(struct host *host, const struct change *event)
{
	bool found = false;

	for (size_t i = 0; i < host->count; i++) {
		struct device *device = &host->devices[i];

		if (!device_is_at(device, &event->device) || strcmp(device->port, event->device.port) != 0)
			continue;
		device->taken_back = event->action == DETACH;
		found = true;
	}
	return found;
}

static struct outcome take_look(struct run *run, struct look *look)
{
	struct outcome outcome;
	bool asked;

	*look = (struct look){ 0 };
	renew(run);
	/* In this order: what is plugged in and attached in between would pass for gone in the other. */
	outcome = domains_read(&look->domains, &run->libvirt);
	if (outcome.answer == DONE)
		outcome = host_read(&look->host);
	if (outcome.answer != DONE)
		return outcome;
	asked = run->event && (run->asked || run->event->action == DETACH) && believe(&look->host, run->event);
	look->plan = plan_make(&look->domains, &look->host, asked ? run->event : NULL);
	scope_narrow(&run->scope, &look->plan);
	if (look->plan.count == 0 && !look->domains.busy)
		log_debug("all is in line");
	return outcome;
}

static void print_change(const struct change *change)
{
	char xml[TEXT];

	printf("%s %s %u %u\n%s", change->action == ATTACH ? "attach" : "detach", change->domain, change->device.bus,
	       change->device.number, hostdev_write(&change->device, change->guest, xml));
}

static struct outcome make_change(const struct run *run, const struct look *look, const struct change *change)
{
	const struct domain *domain = domains_find(&look->domains, change->domain);
	struct outcome outcome = { .answer = DONE };

	/* Perhaps since the look. */
	if (change->action == ATTACH && !run->dry_run && host_is_taken_back(&change->device))
		return outcome;
	if (change->action == ATTACH)
		outcome = host_check(&look->host, &change->device);
	if (outcome.answer == CLAIMED && look->domains.busy)
		outcome.answer = LATER; /* it may be the busy one that has it */
	if (outcome.answer == DONE && domain_is_busy(domain))
		outcome = outcome_of(LATER, "the domain is busy");
	if (outcome.answer != DONE)
		return outcome;
	if (run->dry_run) {
		print_change(change);
		return outcome;
	}
	outcome = domain_change(domain, change);
	/* It may be for want of what a busy domain has to give back first. */
	if (outcome.answer == FAILED && look->domains.busy)
		outcome.answer = LATER;
	return outcome;
}

/* Pulled while it was attached; its remove event may have found nothing to detach yet. */
static bool is_gone(const struct change *change)
{
	return change->action == ATTACH && !host_has(&change->device);
}

/* Makes the plan's changes. Returns whether another look is due, after which the last one tells what failed. */
static bool make_changes(struct run *run, const struct look *look, bool last)
{
	bool again = false;

	for (size_t i = 0; i < look->plan.count; i++) {
		const struct change *change = &look->plan.changes[i];
		struct outcome outcome;
		char subject[TEXT];
		bool lost;

		run->deadline.subject = change_text(change, subject);
		renew(run);
		/* After another look the holder isn't known any more. */
		if (run->asked && change->action == ATTACH)
			run->asked->domain = change->domain;
		outcome = make_change(run, look, change);
		run->deadline.subject = run->subject;
		again |= !last && (outcome.answer != DONE || is_gone(change));
		lost = !libvirt_is_connected(&run->libvirt);
		if (outcome.answer != DONE && (last || lost))
			tell(run, subject, &outcome);
		if (lost)
			return false;
	}
	return again;
}

/* How messages begin that are about a domain, or where it is NULL, about none. */
static const char *subject_of(const struct run *run, const char *name, char text[static TEXT])
{
	struct change change;

	if (!run->event) {
		snprintf(text, TEXT, "%.100s%sdid not sync", name ? name : "", name ? ": " : "");
		return text;
	}
	change = *run->event;
	change.domain = name;
	return change_text(&change, text);
}

/* Whether a busy domain may hold, unseen, what is in scope. */
static bool may_hold(const struct run *run, const struct look *look, const char *name)
{
	if (run->event)
		return ports_of(name, &run->event->device) &&
		       ((run->asked && look->plan.count == 0) || !domains_holder(&look->domains, &run->event->device));
	if (scope_has_domain(&run->scope, name))
		return true;
	for (size_t i = 0; i < look->host.count; i++) {
		const struct device *device = &look->host.devices[i];

		if (ports_of(name, device) && ports_of(run->scope.domain, device) && !domains_holder(&look->domains, device))
			return true;
	}
	return false;
}

/* What a busy domain lacks isn't known, and is said of it as a whole. */
static void tell_busy(struct run *run, const struct look *look)
{
	const struct outcome outcome = { LATER, "the domain is busy" };
	char text[TEXT];

	for (size_t i = 0; i < look->domains.count; i++) {
		const struct domain *domain = &look->domains.running[i];

		if (domain->busy && may_hold(run, look, domain->name))
			tell(run, subject_of(run, domain->name, text), &outcome);
		else if (domain->busy && run->event && !run->dry_run)
			retry_start();
	}
}

/* Tells that the domain is off that a person asks for, or all that take turns with an event's device; or why one isn't found. */
static void tell_absent(struct run *run, const struct look *look)
{
	const struct port only = { .domain = run->scope.domain }, *row = only.domain ? &only : run->owner;
	const char *off = NULL;
	bool runs = false;
	char text[TEXT];

	for (; row; row = run->event ? ports_next(row, &run->event->device) : NULL) {
		struct outcome outcome = { .answer = DONE };

		if (!domains_find(&look->domains, row->domain))
			outcome = domain_by_name(&run->libvirt, row->domain, NULL);
		runs |= outcome.answer == DONE;
		if (outcome.answer == NOT_RUNNING)
			off = off ? off : row->domain;
		else if (outcome.answer != DONE)
			tell(run, subject_of(run, row->domain, text), &outcome);
	}
	if (off && !runs)
		tell(run, subject_of(run, off, text), &(struct outcome){ NOT_RUNNING, "the domain is not running" });
}

/* With -v: what stays with the host because none of its domains runs. */
static void tell_waiting(const struct run *run, const struct look *look)
{
	char text[TEXT];

	for (size_t i = 0; i < look->host.count && !run->event; i++) {
		const struct device *device = &look->host.devices[i];
		const struct port *owner = device->taken_back ? NULL : ports_owner(device), *row = owner;

		while (row && row->domain != HOST && !domains_find(&look->domains, row->domain))
			row = ports_next(row, device);
		if (owner && !row && scope_has_domain(&run->scope, owner->domain) && !domains_holder(&look->domains, device))
			log_debug("left alone: %s waits for %s, which doesn't run", device_text(device, text), owner->domain);
	}
}

/* Tells what stays as it is though no change failed. */
static void tell_rest(struct run *run, const struct look *look)
{
	tell_busy(run, look);
	tell_absent(run, look);
	tell_waiting(run, look);
}

/*
 * Settles what is in scope. What fails is tried again after another look, unless this is the last: it may be done by now, or not
 * be due, or work.
 */
static void settle(struct run *run, bool last)
{
	struct look look;
	const struct outcome outcome = take_look(run, &look);
	const bool again = outcome.answer == DONE && make_changes(run, &look, last);

	if (outcome.answer != DONE)
		tell(run, run->subject, &outcome);
	else if (!again)
		tell_rest(run, &look);
	domains_free(&look.domains);
	host_free(&look.host);
	free(look.plan.changes);
	if (again)
		settle(run, true);
}

/* Attaches the event's device without a look, which is due where libvirt refuses, and where the device is gone or no domain runs. */
static void attach_at_once(struct run *run)
{
	struct outcome outcome = { .answer = NOT_RUNNING };

	for (const struct port *row = run->owner; row && outcome.answer == NOT_RUNNING; row = ports_next(row, &run->event->device)) {
		run->event->domain = row->domain;
		run->event->guest = ports_guest(row, &run->event->device);
		change_text(run->event, run->subject);
		outcome = domain_by_name(&run->libvirt, row->domain, run->event);
	}
	if (outcome.answer == LATER)
		tell(run, run->subject, &outcome);
	else if (outcome.answer != DONE || is_gone(run->event))
		settle(run, outcome.answer == FAILED);
}

static void settle_connected(struct run *run, bool is_new)
{
	struct outcome outcome = { .answer = DONE };

	if (run->event && is_gone(run->event)) {
		log_info("%s: it is not plugged in any more", run->subject);
		run->owner = NULL;
	} else if (is_new && !host_is_taken_back(&run->event->device) && deadline_is_fresh(&run->deadline) && !retry_wake()) {
		/* Unless something is left to do, what the kernel announced a moment ago is held, and used, by nobody. */
		attach_at_once(run);
		return;
	}
	if (run->asked && run->asked->domain)
		outcome = domain_by_name(&run->libvirt, run->asked->domain, NULL);
	/* What is to be detached is marked already, unless another run gave it meanwhile. */
	if (outcome.answer == DONE && run->asked && !run->dry_run)
		outcome = host_take_back(&run->asked->device, run->asked->action == DETACH);
	if (outcome.answer == DONE)
		settle(run, run->dry_run);
	else
		run->status = fail(run->subject, outcome.why);
}

/* Returns the exit status. */
static int carry_out(struct run *run, bool is_new)
{
	const unsigned int timeout = ports_table()->timeout;
	const bool is_event = run->event && !run->asked;
	int turn = -1;
	struct outcome outcome;

	run->deadline = (struct deadline){ run->subject, timeout, is_event ? leave_to_retry : run->asked ? fail : try_again_later, 0 };
	/*
	 * A run that was stopped, or that hangs in a driver, would keep a sync waiting for ever. Two at a time do no harm: what
	 * another was faster with is no failure.
	 */
	if (!is_event && !run->dry_run)
		turn_take(&turn, 6 * timeout, NULL);
	deadline_start(&run->deadline);
	/* An event waits a quarter of its time, and no longer once there is a process that tries again. */
	if (is_event && !turn_take(&turn, (timeout + 3) / 4, retry_wake)) {
		close(turn);
		return leave_to_retry(run->subject, "its turn did not come");
	}
	outcome = libvirt_connect(&run->libvirt, ports_table()->uri);
	if (run->by_hand)
		list_problems(stderr, outcome.answer == DONE ? &run->libvirt : NULL);
	if (outcome.answer == DONE) {
		settle_connected(run, is_new);
		libvirt_disconnect(&run->libvirt);
	} else if (outcome.answer != NOT_RUNNING) {
		tell(run, run->subject, &outcome);
	} else if (run->asked) {
		run->status = fail(run->subject, outcome.why);
	} else {
		log_line(LOG_INFO | LOG_ONCE, "%s: libvirt is not running, and all is brought in line when it is: %s", run->subject,
			 outcome.why);
	}
	timer_delete(run->deadline.timer);
	close(turn);
	if (is_event)
		retry_wake();
	return run->status;
}

int settle_event(const struct event *event, const struct port *owner, bool dry_run)
{
	struct change change = { event->action, owner->domain, event->device, ports_guest(owner, &event->device) };
	struct run run = { .scope.device = &change.device, .event = &change, .owner = owner };

	change_text(&change, run.subject);
	if (!dry_run)
		return carry_out(&run, event->is_new);
	for (; owner; owner = ports_next(owner, &event->device)) {
		change.domain = owner->domain;
		change.guest = ports_guest(owner, &event->device);
		print_change(&change);
	}
	return EXIT_SUCCESS;
}

int settle_asked(struct change *asked, bool dry_run)
{
	struct run run = { .scope.device = &asked->device, .event = asked, .asked = asked, .dry_run = dry_run };

	run.owner = asked->action == ATTACH && !asked->domain ? ports_owner(&asked->device) : NULL;
	change_text(asked, run.subject);
	return carry_out(&run, false);
}

int settle_domains(const char *only, bool dry_run)
{
	struct run run = { .scope.domain = only, .dry_run = dry_run, .by_hand = true };

	subject_of(&run, only, run.subject);
	return carry_out(&run, false);
}

int settle_all(void)
{
	struct run run = { .subject = "did not sync" };

	return carry_out(&run, false);
}
