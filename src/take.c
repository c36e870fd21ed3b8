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
	const bool was_taken_back = change.device.taken_back, takes_back = change.action == DETACH;
	const char *mistake = takes_back ? NULL : find_mistake(&change);
	struct outcome outcome = { .answer = DONE };
	char text[TEXT];
	int status;

	if (mistake) {
		fail(change_text(&change, text), mistake);
		return EXIT_USAGE;
	}
	/* Of what is to be given it counts for the whole run, in which others may have a look, and not if the run fails. */
	if (takes_back != was_taken_back && !dry_run)
		outcome = host_take_back(&change.device, takes_back);
	if (outcome.answer != DONE)
		return fail(change_text(&change, text), outcome.why);
	change.device.taken_back = takes_back;
	status = settle_asked(&change, dry_run);
	if (status != EXIT_SUCCESS && was_taken_back && !takes_back && !dry_run)
		host_take_back(&change.device, true);
	return status;
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
