#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

static bool is_behind(const char *name, const char *port)
{
	const size_t length = strlen(port);

	return *name && strncmp(name, port, length) == 0 && strchr(".", name[length]);
}

/* Whether the device is plugged into that socket, by the name of either side, or behind it; and to be attached, has a row for that. */
static bool is_meant(const struct change *change, const char *port)
{
	const struct device *device = &change->device;
	const struct port *row = change->domain ? ports_of(change->domain, device) : ports_owner(device);
	char peer[PORT_NAME];

	if (device->hub || (change->action == ATTACH && (!row || row->domain == HOST)))
		return false;
	host_peer(device->devpath, peer);
	return is_behind(device->port, port) || is_behind(peer, port);
}

static int take_device(struct change change, bool dry_run)
{
	struct outcome outcome = { .answer = DONE };
	char text[TEXT];

	/* First, so that no other run attaches it again; and for good, should libvirt not answer. */
	if (change.action == DETACH && !dry_run)
		outcome = host_take_back(&change.device, true);
	if (outcome.answer != DONE)
		return fail(change_text(&change, text), outcome.why);
	return settle_asked(&change, dry_run);
}

int take(enum action action, const char *port, const char *domain, bool dry_run)
{
	struct host host;
	const struct outcome outcome = host_read(&host);
	int worst = -1;

	for (size_t i = 0; i < host.count; i++) {
		const struct change change = { action, domain, host.devices[i], NULL };
		const int status = is_meant(&change, port) ? take_device(change, dry_run) : -1;

		worst = status > worst ? status : worst;
	}
	host_free(&host);
	if (outcome.answer != DONE)
		return fail(port, outcome.why);
	if (worst >= 0)
		return worst;
	log_error("nothing is plugged into %s%s%s: libvirt-usb-hotplug -l lists what is plugged in, and whose it is", port,
		  action == ATTACH ? " that a row of the table gives to " : "", action == DETACH ? "" : domain ? domain : "a domain");
	return EXIT_USAGE;
}
