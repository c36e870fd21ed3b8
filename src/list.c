#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain.h"
#include "host.h"
#include "list.h"
#include "ports.h"

struct list {
	struct host host;
	struct libvirt libvirt; /* without a connection where it can't be asked */
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
	const char *hub_name = device_port(hub);
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

/* What has become of a device, or NULL for an empty port, that belongs to the domain. */
static const char *state_of(struct list *list, const char *name, const struct device *device)
{
	struct domain domain;
	const char *state;
	int running = domain_open(&domain, &list->libvirt, name);

	if (running <= 0)
		return running < 0 ? "unknown" : "off";
	state = !device ? "running" : domain_holds(&domain, device) > 0 ? "held" : "not held";
	domain_close(&domain);
	return state;
}

static void print_owner(struct list *list, const struct device *port, const struct device *device)
{
	const struct port *owner = ports_owner(port);
	const char *state, *colour;

	if (!owner || owner->domain == HOST) {
		puts(owner ? "host" : "-");
		return;
	}
	if (!list->libvirt.connection) {
		printf("%.26s\n", owner->domain);
		return;
	}
	state = state_of(list, owner->domain, device);
	colour = list->plain;
	if (strcmp(state, "held") == 0)
		colour = list->green;
	else if (strcmp(state, "not held") == 0 || strcmp(state, "unknown") == 0)
		colour = list->red;
	printf("%.16s: %s%s%s\n", owner->domain, colour, state, list->plain);
}

static const struct device *find_child(const struct host *host, const struct device *hub, const char *name)
{
	size_t length = strlen(hub->devpath);

	for (size_t i = 0; i < host->count; i++) {
		const char *devpath = host->devices[i].devpath;

		if (strncmp(devpath, hub->devpath, length) == 0 && devpath[length] == '/' &&
		    strcmp(devpath + length + 1, name) == 0)
			return &host->devices[i];
	}
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
		port_name(device_port(hub), number, name);
		device = find_child(&list->host, hub, name);
		snprintf(path, sizeof(path), "%s/%s", hub->devpath, name);
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

		if (strncmp(device_port(bus), "usb", 3) != 0)
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
	const char *port = device_port(device);
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
	const char *name = row->domain, *problem = ports_problem(row);
	struct domain domain;
	int running;

	if (problem || name == HOST || !list->libvirt.connection)
		return problem;
	running = domain_open(&domain, &list->libvirt, name);
	if (running > 0)
		domain_close(&domain);
	return running < 0 ? list->libvirt.error : NULL;
}

static int print_problems(struct list *list)
{
	const struct port *port;
	int problems = 0;

	for (size_t row = 0; (port = ports_row(row)); row++) {
		const char *problem = problem_of(list, port);

		if (!problem)
			continue;
		if (!problems++)
			puts("\nWhat is wrong with the table:\n");
		printf("%srow %zu, %.16s: %.56s%s\n", list->red, row + 1, port->domain ? port->domain : "HOST", problem,
		       list->plain);
	}
	return problems > 0;
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
	int result = host_read(&list.host);

	if (result == 0) {
		bool connected = libvirt_connect(&list.libvirt, ports_uri()) > 0;

		print_tree(&list);
		print_rows(&list);
		result = print_problems(&list);
		if (connected)
			libvirt_disconnect(&list.libvirt);
		else
			printf("\nlibvirt could not be asked about the domains:\n%s\n", list.libvirt.error);
	}
	host_free(&list.host);
	return result;
}
