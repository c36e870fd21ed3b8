#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

enum { EXIT_USAGE = 2 };

static bool is_behind(const struct device *device, const char *port)
{
	const size_t length = strlen(port);

	return !device->hub && strncmp(device->port, port, length) == 0 && strchr(".", device->port[length]);
}

/* Why the device can't be attached, whatever runs; or NULL. */
static const char *find_mistake(const struct change *change)
{
	const struct port *row = ports_owner(&change->device);

	if (!row || row->domain == HOST)
		return "no row of the table gives it to a domain";
	return change->domain && !ports_of(change->domain, &change->device) ? "no row of the table gives it to this domain" : NULL;
}

static int take_device(struct change change, bool dry_run)
{
	const char *mistake = change.action == ATTACH ? find_mistake(&change) : NULL;
	struct outcome outcome = { .answer = DONE };
	char text[TEXT];

	if (mistake) {
		fail(change_text(&change, text), mistake);
		return EXIT_USAGE;
	}
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
		const int status = is_behind(&change.device, port) ? take_device(change, dry_run) : -1;

		worst = status > worst ? status : worst;
	}
	host_free(&host);
	if (outcome.answer != DONE)
		return fail(port, outcome.why);
	if (worst < 0)
		log_error("nothing is plugged into %s: libvirt-usb-hotplug -l lists what is plugged in, and where", port);
	return worst < 0 ? EXIT_USAGE : worst;
}
