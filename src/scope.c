#include <string.h>

#include "hotplug.h"

static bool has_device(const struct scope *scope, const struct device *device)
{
	return device_is_at(device, scope->device) || (*device->port && strcmp(device->port, scope->device->port) == 0);
}

static bool is_put_into(const char *domain, const struct device *device, const struct plan *plan)
{
	for (const struct change *change = plan->changes; change < plan->changes + plan->count; change++)
		if (change->action == ATTACH && device_is_at(&change->device, device) && strcmp(change->domain, domain) == 0)
			return true;
	return false;
}

/* The domain to be settled gets what is its own also from another. */
static bool has_change(const struct scope *scope, const struct plan *plan, const struct change *change)
{
	if (scope->device)
		return has_device(scope, &change->device);
	return scope_has_domain(scope, change->domain) || is_put_into(scope->domain, &change->device, plan);
}

void scope_narrow(const struct scope *scope, struct plan *plan)
{
	size_t count = 0;

	/* What is put in comes last in the plan, and is still there when what is taken out is looked at. */
	for (size_t i = 0; i < plan->count; i++)
		if (has_change(scope, plan, &plan->changes[i]))
			plan->changes[count++] = plan->changes[i];
	plan->count = count;
}

bool scope_has_domain(const struct scope *scope, const char *name)
{
	return !scope->domain || strcmp(scope->domain, name) == 0;
}
