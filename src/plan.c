#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

static const struct port *owner_of(const struct device *device)
{
	const struct port *owner = device->hub ? NULL : ports_owner(device);

	return owner && owner->domain != HOST ? owner : NULL;
}

static bool is_where_it_belongs(const struct hostdev *hostdev, const struct device *device)
{
	const struct port *owner = owner_of(device);

	return strcmp(hostdev->device.port, device->port) == 0 && owner && strcmp(owner->domain, hostdev->domain) == 0;
}

static bool stays(const struct hostdev *hostdev, const struct device *plugged, size_t plugged_count)
{
	/* What someone else attached by vendor and product, or by port, waits for its device, which may come back under any number. */
	if (!hostdev->device.number || (!hostdev->ours && hostdev->device.has_id))
		return true;
	for (size_t i = 0; i < plugged_count; i++)
		if (hostdev_holds(hostdev, &plugged[i]) && (!hostdev->ours || is_where_it_belongs(hostdev, &plugged[i])))
			return true;
	return false;
}

/* Whether a domain holds the device, and shall keep it. */
static bool is_kept(const struct device *device, const struct hostdev *held, const bool *staying, size_t held_count)
{
	for (size_t i = 0; i < held_count; i++)
		if (staying[i] && hostdev_holds(&held[i], device))
			return true;
	return false;
}

static void add(struct plan *plan, struct change change)
{
	plan->changes[plan->count++] = change;
}

struct plan plan_make(const struct hostdev *held, size_t held_count, const struct device *plugged, size_t plugged_count)
{
	struct plan plan = { .changes = calloc(held_count + plugged_count + 1, sizeof(*plan.changes)) };
	bool *staying = calloc(held_count + 1, sizeof(*staying));

	if (!staying || !plan.changes)
		abort();
	for (size_t i = 0; i < held_count; i++) {
		staying[i] = stays(&held[i], plugged, plugged_count);
		if (!staying[i])
			add(&plan, (struct change){ DETACH, held[i].domain, held[i].device, NULL });
	}
	for (size_t i = 0; i < plugged_count; i++) {
		const struct port *owner = owner_of(&plugged[i]);

		if (owner && !is_kept(&plugged[i], held, staying, held_count))
			add(&plan, (struct change){ ATTACH, owner->domain, plugged[i], ports_guest(owner, &plugged[i]) });
	}
	free(staying);
	return plan;
}

const char *change_text(const struct change *change, char text[static TEXT])
{
	char device[TEXT];

	snprintf(text, TEXT, "%.100s: did not %s %s", change->domain,
		 change->action == ATTACH ? "attach" : "detach", device_text(&change->device, device));
	return text;
}
