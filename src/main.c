#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "domain.h"
#include "event.h"
#include "list.h"
#include "log.h"
#include "ports.h"
#include "sync.h"

enum { EXIT_USAGE = 2 };

static void print_usage(FILE *stream)
{
	fputs("usage: libvirt-usb-hotplug [-nv]              act on the udev event in the environment\n"
	      "       libvirt-usb-hotplug [-nv] -s [DOMAIN]  bring running domains (or DOMAIN) in line with what\n"
	      "                                              is plugged in now\n"
	      "       libvirt-usb-hotplug -l                 list what is plugged in, and where each port goes\n"
	      "       libvirt-usb-hotplug -h | -V            print this help, or the version\n"
	      "\n"
	      "  -n  change nothing: print what would be done\n"
	      "  -v  also say why something is left alone\n",
	      stream);
}

struct deadline {
	unsigned int seconds;
	const char *did_not; /* how the message begins */
};

/* Runs in a thread of its own, once the time is up. */
static void give_up(union sigval value)
{
	const struct deadline *deadline = value.sival_ptr;

	alarm(1); /* should even the log be stuck, SIGALRM ends the process */
	if (libvirt_is_starting()) {
		log_info("%s: libvirt is still starting", deadline->did_not);
		_exit(EXIT_SUCCESS);
	}
	log_error("%s: libvirt did not answer within %u s", deadline->did_not, deadline->seconds);
	_exit(EXIT_FAILURE);
}

/* udev waits for us, so libvirt must not keep us waiting: once the time is up, the program says so and ends. */
static int start_deadline(struct deadline *deadline)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = give_up,
		.sigev_value.sival_ptr = deadline,
	};
	const struct itimerspec time = { .it_value.tv_sec = (time_t)deadline->seconds };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 || timer_settime(timer, 0, &time, NULL) < 0) {
		log_error("%s: cannot set a timer: %s", deadline->did_not, strerror(errno));
		return -1;
	}
	return 0;
}

static int change_domain(const char *name, enum change change, const struct device *device)
{
	char did_not[DID_NOT];
	struct deadline deadline = { .seconds = ports_timeout(), .did_not = did_not };
	struct libvirt libvirt;
	struct domain domain;
	int result;

	domain_did_not(name, change, device, did_not);
	if (start_deadline(&deadline) < 0)
		return -1;
	result = libvirt_connect(&libvirt, ports_uri());
	if (result == 0)
		log_info("%s: libvirt is not running: %s", did_not, libvirt.error);
	if (result > 0) {
		result = domain_open(&domain, &libvirt, name);
		if (result == 0)
			log_info("%s: the domain is not running", did_not);
		if (result > 0) {
			result = domain_change(&domain, change, device);
			domain_close(&domain);
		}
		libvirt_disconnect(&libvirt);
	}
	if (result < 0)
		log_error("%s: %s", did_not, libvirt.error);
	return result;
}

static int handle_event(bool dry_run)
{
	char text[DEVICE_TEXT];
	struct event event;
	const struct port *owner;
	int result = event_read(&event);

	if (result <= 0)
		return result < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	if (event.device.hub) {
		log_debug("left alone: %s is a hub", device_text(&event.device, text));
		return EXIT_SUCCESS;
	}
	if (event.bad_product && ports_need_id(&event.device)) {
		log_error("PRODUCT is '%s': it should be vendor/product/version in hexadecimal, as in 46d/c08e/100",
			  event.bad_product);
		return EXIT_USAGE;
	}
	owner = ports_owner(&event.device);
	if (!owner || owner->domain == HOST) {
		log_debug("left alone: %s %s", device_text(&event.device, text),
			  owner ? "stays with the host" : "is in no row of the table");
		return EXIT_SUCCESS;
	}
	if (dry_run) {
		domain_print_change(owner->domain, event.change, &event.device);
		return EXIT_SUCCESS;
	}
	return change_domain(owner->domain, event.change, &event.device) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Keeps nobody waiting, so it may take ten times as long as an event. */
static int run_sync(const char *only, bool dry_run)
{
	struct deadline deadline = { .seconds = 10 * ports_timeout(), .did_not = "did not sync" };

	return start_deadline(&deadline) < 0 || sync_domains(only, dry_run) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_list(void)
{
	struct deadline deadline = { .seconds = ports_timeout(), .did_not = "did not list" };

	return start_deadline(&deadline) < 0 || list_ports() != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int misuse(void)
{
	print_usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	bool dry_run = false, verbose = false;
	int job = 0, option;

	while ((option = getopt(argc, argv, "hlnsvV")) != -1) {
		switch (option) {
		case 'n':
			dry_run = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'l':
		case 's':
			if (job && job != option)
				return misuse();
			job = option;
			break;
		case 'h':
			print_usage(stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("libvirt-usb-hotplug " VERSION);
			return EXIT_SUCCESS;
		default:
			return misuse();
		}
	}
	argv += optind;
	argc -= optind;
	if (argc > (job == 's') || (job == 'l' && (dry_run || verbose)))
		return misuse();
	log_open(verbose);
	if (job == 's')
		return run_sync(argv[0], dry_run);
	return job == 'l' ? run_list() : handle_event(dry_run);
}
