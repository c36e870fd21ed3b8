#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "hotplug.h"

static int usage(FILE *stream, int status)
{
	fputs("usage: libvirt-usb-hotplug -l                 list what is plugged in, and where each port goes\n"
	      "       libvirt-usb-hotplug [-nv]              act on the udev event in the environment\n"
	      "       libvirt-usb-hotplug [-nv] -s [DOMAIN]  bring running domains (or DOMAIN) in line with what\n"
	      "                                              is plugged in now\n"
	      "       libvirt-usb-hotplug [-v] -r            the same, again and again until all is in line\n"
	      "       libvirt-usb-hotplug [-nv] -a PORT [DOMAIN]\n"
	      "                                              attach what is plugged into PORT, again if need be; to\n"
	      "                                              DOMAIN, of several that take turns\n"
	      "       libvirt-usb-hotplug [-nv] -d PORT      detach what is plugged into PORT: it stays with the host\n"
	      "                                              until -a, or until it is replugged\n"
	      "       libvirt-usb-hotplug -h | -V            print this help, or the version\n"
	      "\n"
	      "  -n  change nothing: print what would be done\n"
	      "  -v  also say why something is left alone\n",
	      stream);
	return status;
}

static int version(void)
{
	const struct table *table = ports_table();

	printf("libvirt-usb-hotplug " VERSION ", table %s with %zu row%s\n", table->file, table->count, table->count == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

static int handle_event(bool dry_run)
{
	char text[TEXT];
	struct event event;
	const struct port *owner;
	const enum event_kind kind = event_read(&event);

	if (kind != EVENT_OURS)
		return kind == EVENT_BAD ? EXIT_USAGE : EXIT_SUCCESS;
	if (event.bad_product && !event.device.hub && ports_need_id(&event.device)) {
		log_error("PRODUCT is '%s': it should be vendor/product/version in hexadecimal, as in 46d/c08e/100",
			  event.bad_product);
		return EXIT_USAGE;
	}
	owner = ports_owner(&event.device);
	event.device.taken_back = owner && event.action == ATTACH && host_is_taken_back(&event.device);
	if (owner && owner->domain != HOST && !event.device.taken_back)
		return settle_event(&event, owner, dry_run);
	log_debug("left alone: %s %s", device_text(&event.device, text),
		  event.device.hub ? "is a hub" : event.device.taken_back ? "was taken back" :
		  owner ? "stays with the host" : "is in no row of the table");
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	static const struct option words[] = { { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 } };
	bool dry_run = false, verbose = false;
	int job = 0, option, least, most;

	while ((option = getopt_long(argc, argv, "adhlnrsvV", words, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, EXIT_SUCCESS);
		if (option == 'V')
			return version();
		if (option == 'n')
			dry_run = true;
		else if (option == 'v')
			verbose = true;
		else if (option == '?' || (job && job != option))
			return usage(stderr, EXIT_USAGE);
		else
			job = option;
	}
	argv += optind;
	argc -= optind;
	least = job == 'a' || job == 'd';
	most = job == 's' ? 1 : least + (job == 'a');
	if (argc < least || argc > most || (job == 'l' && (dry_run || verbose)) || (job == 'r' && dry_run))
		return usage(stderr, EXIT_USAGE);
	log_open(verbose);
	switch (job) {
	case 'a':
		return take(ATTACH, argv[0], argv[1], dry_run);
	case 'd':
		return take(DETACH, argv[0], NULL, dry_run);
	case 'l':
		return list_ports();
	case 'r':
		return retry(settle_all);
	case 's':
		return settle_domains(argv[0], dry_run);
	default:
		return handle_event(dry_run);
	}
}
