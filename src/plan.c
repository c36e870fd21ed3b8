#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

static bool is_where_it_belongs(const struct hostdev *hostdev, const struct device *device)
{
	return strcmp(hostdev->device.port, device->port) == 0 && !device->taken_back && ports_of(hostdev->domain, device);
}

/*
 * The preferred row, or that of the first domain that runs; NULL where none does, or where a busy one may hold the device: of a
 * preferred one that isn't busy itself only while it isn't known who does.
 */
static const struct port *whose_turn(const struct device *device, const struct domains *domains, const struct port *preferred)
{
	const struct port *turn = NULL;
	bool busy = false;

	for (const struct port *row = ports_owner(device); row && row->domain != HOST; row = ports_next(row, device)) {
		const struct domain *domain = domains_find(domains, row->domain);

		if (domain && row == preferred && !domain->busy && domains_holder(domains, device))
			return row;
		busy |= domain && domain->busy;
		if (domain && (!turn || row == preferred))
			turn = row;
	}
	return busy ? NULL : turn;
}

static bool stays(const struct hostdev *hostdev, const struct host *host)
{
	/* What someone else attached by id, or by port, waits for its device, which may come back under any number. */
	if (!hostdev->device.number || (!hostdev->ours && hostdev->device.has_id))
		return true;
	for (size_t i = 0; i < host->count; i++)
		if (hostdev_holds(hostdev, &host->devices[i]))
			return !hostdev->ours || is_where_it_belongs(hostdev, &host->devices[i]);
	return false;
}

/* Whether a domain holds the device, and shall keep it. */
static bool is_kept(const struct device *device, const struct domains *domains, const bool *staying)
{
	for (size_t i = 0; i < domains->held_count; i++)
		if (staying[i] && hostdev_holds(&domains->held[i], device))
			return true;
	return false;
}

static void add(struct plan *plan, struct change change)
{
	plan->changes[plan->count++] = change;
}

/* What nobody can be given now stays where it is. */
static bool is_asked_for(const struct hostdev *hostdev, const struct domains *domains, const struct change *asked,
			 const struct port *preferred)
{
	return asked && hostdev_holds(hostdev, &asked->device) &&
	       (asked->action == DETACH || whose_turn(&asked->device, domains, preferred));
}

struct plan plan_make(const struct domains *domains, const struct host *host, const struct change *asked)
{
	struct plan plan = { .changes = calloc(domains->held_count + host->count + 1, sizeof(*plan.changes)) };
	bool *staying = calloc(domains->held_count + 1, sizeof(*staying));
	const char *to = !asked ? NULL : asked->domain ? asked->domain : domains_holder(domains, &asked->device);
	const struct port *preferred = to ? ports_of(to, &asked->device) : NULL;

	if (!staying || !plan.changes)
		abort();
	for (size_t i = 0; i < domains->held_count; i++) {
		const struct hostdev *hostdev = &domains->held[i];
		const bool is_asked = is_asked_for(hostdev, domains, asked, preferred);

		staying[i] = !is_asked && stays(hostdev, host);
		/* One that someone attached by its port has no address, without which libvirt would detach another. */
		if (!staying[i])
			add(&plan, (struct change){ DETACH, hostdev->domain, is_asked ? asked->device : hostdev->device, NULL });
	}
	for (size_t i = 0; i < host->count; i++) {
		const struct device *device = &host->devices[i];
		const struct port *turn = device->taken_back ? NULL : whose_turn(device, domains, preferred);

		if (turn && !is_kept(device, domains, staying))
			add(&plan, (struct change){ ATTACH, turn->domain, *device, ports_guest(turn, device) });
	}
	free(staying);
	return plan;
}

const char *change_text(const struct change *change, char text[static TEXT])
{
	char device[TEXT];

	snprintf(text, TEXT, "%.100s%sdid not %s %s", change->domain ? change->domain : "", change->domain ? ": " : "",
		 change->action == ATTACH ? "attach" : "detach", device_text(&change->device, device));
	return text;
}
