#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hotplug.h"

struct list {
	struct host host;
	struct libvirt libvirt; /* without a connection where it can't be asked */
	struct domains domains;
	const char *bold, *green, *red, *plain; /* for a terminal; else empty */
};

enum { NAME = 32, WORDS = 256 }; /* bytes: for a port's name; for an id and a product */

/* The name of a hub's port: "3-10" of "usb3", "3-10.2" of "3-10". */
static const char *port_name(const char *hub, const char *number, char name[static NAME])
{
	bool root = strncmp(hub, "usb", 3) == 0;

	snprintf(name, NAME, "%.20s%c%.4s", root ? hub + 3 : hub, root ? '-' : '.', number);
	return name;
}

/* The same socket's port on the controller's other bus, or "". The link is drivers/usb/core/port.c's. */
static const char *peer_name(const struct device *hub, const char *number, char name[static NAME])
{
	const char *hub_name = hub->port;
	bool root = strncmp(hub_name, "usb", 3) == 0;
	char path[PATH_MAX], target[PATH_MAX];
	char *peer, *separator;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys%s/%s%s:1.0/%s-port%s/peer", hub->devpath, root ? hub_name + 3 : hub_name,
		 root ? "-0" : "", hub_name, number);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	peer = strrchr(target, '/');
	separator = peer ? strstr(peer, "-port") : NULL;
	if (!separator)
		return "";
	*separator = '\0';
	return port_name(peer + 1, separator + strlen("-port"), name);
}

/* The strings are the device's own: none may send the terminal control characters, or end a comment. */
static const char *describe(const struct device *device, char words[static WORDS])
{
	snprintf(words, WORDS, "%04x:%04x %s%s", device->id.vendor, device->id.product, device->hub ? "hub " : "",
		 host_product(device));
	for (char *c = words; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '*')
			*c = '?';
	return words;
}

/* The domain that holds the device, or NULL. */
static const char *holder_of(const struct list *list, const struct device *device)
{
	for (size_t i = 0; i < list->domains.held_count; i++) {
		const struct hostdev *held = &list->domains.held[i];

		if (!held->missing && device_is_same(&held->device, device))
			return held->domain;
	}
	return NULL;
}

/* Why a running domain holds nothing of its port. */
static void print_not_held(struct list *list, const struct device *device)
{
	char disk[TEXT];

	if (!device)
		puts("running");
	else if (host_uses_disk(&list->host, device, disk))
		printf("%sthe host uses %s%s\n", list->red, disk, list->plain);
	else
		printf("%snot held%s\n", list->red, list->plain);
}

/* port is where the device is plugged in, if there is one. */
static void print_owner(struct list *list, const struct device *port, const struct device *device)
{
	const struct port *owner = ports_owner(port);
	const char *name = owner ? owner->domain : HOST;
	const char *holder = device ? holder_of(list, device) : NULL;
	struct domain domain;

	printf("%.16s", name ? name : owner ? "host" : "-");
	if (!list->libvirt.connection || (!name && !holder)) {
		putchar('\n');
		return;
	}
	fputs(": ", stdout);
	if (holder && name && strcmp(holder, name) == 0)
		printf("%sheld%s\n", list->green, list->plain);
	else if (holder)
		printf("%sheld by %.16s%s\n", name ? list->red : "", holder, list->plain);
	else if (domains_find(&list->domains, name))
		print_not_held(list, device);
	else if (domain_open(&domain, &list->libvirt, name) != NOT_RUNNING)
		printf("%sunknown%s\n", list->red, list->plain);
	else
		puts("off");
}

static const struct device *find_device(const struct host *host, const char *devpath)
{
	for (size_t i = 0; i < host->count; i++)
		if (strcmp(host->devices[i].devpath, devpath) == 0)
			return &host->devices[i];
	return NULL;
}

static void print_hub(struct list *list, const struct device *hub, int depth)
{
	long ports = strtol(host_attribute(hub, "maxchild"), NULL, 10);

	for (long i = 1; i <= ports; i++) {
		char number[NAME], name[NAME], peer[NAME], words[WORDS] = "", path[PATH_MAX];
		const struct device *device;
		struct device port = { .devpath = path };
		int width;

		snprintf(number, sizeof(number), "%ld", i);
		port_name(hub->port, number, name);
		snprintf(path, sizeof(path), "%s/%s", hub->devpath, name);
		device = find_device(&list->host, path);
		/* A deep port's name takes from the device's column, for 80 in all. */
		width = printf("%*s%-*s ", 2 * depth, "", 16 - 2 * depth, name);
		printf("%-6s %-*.*s ", peer_name(hub, number, peer), 45 - width, 45 - width,
		       device ? describe(device, words) : "");
		if (device && device->hub) {
			putchar('\n');
			print_hub(list, device, depth + 1);
		} else {
			print_owner(list, device ? device : &port, device);
		}
	}
}

static void print_tree(struct list *list)
{
	printf("%s%-16s %-6s %-28s %s%s\n", list->bold, "port", "peer", "device", "belongs to", list->plain);
	for (size_t i = 0; i < list->host.count; i++) {
		const struct device *bus = &list->host.devices[i];
		const char *slash = strrchr(bus->devpath, '/');
		const char *controller = memrchr(bus->devpath, '/', (size_t)(slash - bus->devpath));

		if (strncmp(bus->port, "usb", 3) != 0)
			continue;
		printf("%sbus %u, %s Mb/s, controller %.*s%s\n", list->bold, bus->bus,
		       host_attribute(bus, "speed"), (int)(slash - controller - 1), controller + 1, list->plain);
		print_hub(list, bus, 0);
	}
}

/* The device's row, its path in short form, broken at the bus where it would be wider than 80 columns. */
static void print_row(const struct device *device)
{
	static const char before[] = "        { \"DOMAIN\", \"", behind[] = "\" },";
	char words[WORDS], bus[NAME];
	const char *port = device->port;
	int controller;
	size_t width;

	snprintf(bus, sizeof(bus), "/usb%u/", device->bus);
	controller = (int)(strstr(device->devpath, bus) - device->devpath);
	width = strlen(before) + (size_t)controller + strlen(bus) + strlen(port) + strlen(behind);
	printf("        /* %.60s */\n", describe(device, words));
	printf("%s%.*s%s%s%s%s\n", before, controller, device->devpath, width > 80 ? "\"\n                \"" : "", bus,
	       port, behind);
}

static void print_rows(struct list *list)
{
	bool found = false;

	for (size_t i = 0; i < list->host.count; i++) {
		const struct device *device = &list->host.devices[i];

		if (device->hub || ports_owner(device))
			continue;
		if (!found)
			puts("\nRows for what is in no row yet, to paste into config.h:\n");
		found = true;
		print_row(device);
	}
}

static const char *problem_of(struct list *list, const struct port *row)
{
	const char *problem = ports_problem(row);
	struct domain domain;
	enum answer answer;

	if (problem || row->domain == HOST || !list->libvirt.connection)
		return problem;
	answer = domain_open(&domain, &list->libvirt, row->domain);
	if (answer == DONE)
		domain_close(&domain);
	return answer == DONE || answer == NOT_RUNNING ? NULL : list->libvirt.error;
}

static bool print_problems(struct list *list)
{
	const struct table *table = ports_table();
	bool found = false;

	for (size_t row = 0; row < table->count; row++) {
		const struct port *port = &table->rows[row];
		const char *problem = problem_of(list, port);

		if (!problem)
			continue;
		if (!found)
			puts("\nWhat is wrong with the table:\n");
		found = true;
		printf("%srow %zu, %.16s: %.56s%s\n", list->red, row + 1, port->domain ? port->domain : "HOST", problem,
		       list->plain);
	}
	return found;
}

int list_ports(void)
{
	const bool colour = isatty(STDOUT_FILENO);
	struct list list = {
		.bold = colour ? "\033[1m" : "",
		.green = colour ? "\033[32m" : "",
		.red = colour ? "\033[31m" : "",
		.plain = colour ? "\033[0m" : "",
	};
	struct deadline deadline = { .did_not = "did not list", .seconds = ports_table()->timeout, .give_up = fail };
	bool problems;

	if (deadline_start(&deadline) < 0)
		return EXIT_FAILURE;
	if (host_read(&list.host, list.libvirt.error) < 0)
		return fail(deadline.did_not, list.libvirt.error);
	/* Where libvirt can't be asked, the list has no connection, and the reason is in its error. */
	if (libvirt_connect(&list.libvirt, ports_table()->uri) == DONE && domains_read(&list.domains, &list.libvirt) != DONE) {
		libvirt_disconnect(&list.libvirt);
		list.libvirt.connection = NULL;
	}
	print_tree(&list);
	print_rows(&list);
	problems = print_problems(&list);
	domains_free(&list.domains);
	if (list.libvirt.connection)
		libvirt_disconnect(&list.libvirt);
	else
		printf("\nlibvirt could not be asked about the domains:\n%s\n", list.libvirt.error);
	host_free(&list.host);
	return problems ? EXIT_FAILURE : EXIT_SUCCESS;
}
