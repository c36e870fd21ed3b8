#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "hotplug.h"

enum {
	ROOM = 24,        /* columns: what a device has at least, if the terminal has them */
	SHORT_NAME = 16,  /* bytes: a product's name that says little by itself */
	MOST_PORTS = 255, /* bNbrPorts of a hub is a byte (USB 2.0 specification, 11.23.2.1) */
};

/* A line of the list: a bus, or a socket and what is in it. A second device in the same socket has a line of its own. */
struct line {
	const struct device *hub; /* whose port it is; NULL for a bus, which is the device then */
	const struct device *device;
	int depth;
	long more; /* how many empty ports behind this one the line is for, too */
	char port[2 * PORT_NAME], peer[2 * PORT_NAME]; /* the socket's ports, on either bus of the controller */
	char what[TEXT], owner[TEXT]; /* what is in it, which is cut where the line is too wide; whose it is */
};

struct list {
	struct host host;
	struct libvirt libvirt;
	struct domains domains;
	bool knows_domains;
	struct line *lines;
	size_t count;
};

/* A port of a hub, and what is plugged in there, if anything. */
struct side {
	const struct device *hub, *device;
	char path[PATH_MAX];
	struct device port; /* for the table */
};

static const struct device *find_device(const struct host *host, const char *port)
{
	for (size_t i = 0; i < host->count; i++)
		if (strcmp(host->devices[i].port, port) == 0)
			return &host->devices[i];
	return NULL;
}

static const struct device *find_bus(const struct host *host, unsigned long number)
{
	char name[PORT_NAME];

	snprintf(name, sizeof(name), "usb%lu", number);
	return find_device(host, name);
}

/* The bus that a device is on, as its port's name has it. */
static const struct device *bus_of(const struct host *host, const struct device *device)
{
	return find_bus(host, strtoul(device->port, NULL, 10));
}

/* The number of a port: 10 of "3-10", 2 of "3-10.2". */
static long number_of(const char *port)
{
	const char *last = strrchr(port, strchr(port, '.') ? '.' : '-');

	return last ? strtol(last + 1, NULL, 10) : 0;
}

/* The hub that has a port of this name: "3-10" that of "3-10.2", "usb3" that of "3-10". */
static const struct device *hub_of(const struct host *host, const char *port)
{
	const char *last = strrchr(port, '.');
	char name[PORT_NAME];

	if (!last)
		return find_bus(host, strtoul(port, NULL, 10));
	snprintf(name, sizeof(name), "%.*s", (int)(last - port), port);
	return find_device(host, name);
}

static void look_at(struct side *side, const struct host *host, const struct device *hub, const char *port)
{
	side->hub = hub;
	snprintf(side->path, sizeof(side->path), "%s/%s", hub->devpath, port);
	device_set_devpath(&side->port, side->path);
	side->device = find_device(host, port);
}

/* A hub has the ports that it says, and those in which something is. */
static bool has_port(const struct host *host, const struct device *hub, const char *port)
{
	return number_of(port) <= strtol(host_attribute(hub, "maxchild"), NULL, 10) || find_device(host, port);
}

/* "046d:c52b Logitech USB Receiver": with the manufacturer where the product's name is short, or there is none. */
static void describe(const struct device *device, char words[static TEXT])
{
	const char *product = host_product(device), *manufacturer = host_attribute(device, "manufacturer");
	const bool short_name = strlen(product) <= SHORT_NAME && !strcasestr(product, manufacturer);
	char raw[TEXT], id[sizeof("ffff:ffff")] = "-";

	if (device->has_id)
		snprintf(id, sizeof(id), "%04x:%04x", device->id.vendor & 0xffff, device->id.product & 0xffff);
	snprintf(raw, sizeof(raw), "%s%s%s%s%s%s", id, device->hub && !strcasestr(product, "hub") ? " hub" : "",
		 short_name && *manufacturer ? " " : "", short_name ? manufacturer : "", *product ? " " : "", product);
	columns_copy(raw, words);
}

/* What is in a port, or what kind of port it is. */
static void describe_side(const struct host *host, const struct side *side, struct line *line)
{
	const bool inside = host_port_is(side->path, "hardwired") ||
			    (side->device && strcmp(host_attribute(side->device, "removable"), "fixed") == 0);
	const char *speed = "";
	char words[TEXT], number[PORT_NAME];

	if (!side->device) {
		snprintf(line->what, TEXT, "%s",
			 inside ? "(built in)" : host_port_is(side->path, "not used") ? "(not used)" : "");
		return;
	}
	if (bus_of(host, side->device) &&
	    strcmp(host_attribute(side->device, "speed"), host_attribute(bus_of(host, side->device), "speed")) != 0)
		speed = host_attribute(side->device, "speed");
	snprintf(number, sizeof(number), "%u:%u", side->device->bus, side->device->number);
	describe(side->device, words);
	snprintf(line->what, TEXT, "%-5s %.450s%s%s%.10s%s", number, words, inside ? ", built in" : "", *speed ? ", " : "", speed,
		 *speed ? "M" : "");
}

/* How the domain stands to what is plugged in there, if anything. */
static const char *state_of(struct list *list, const char *name, const struct device *device, char text[static TEXT])
{
	const struct domain *domain = domains_find(&list->domains, name);
	const char *holder = device ? domains_holder(&list->domains, device) : NULL;
	struct outcome disks;

	if (holder && (strcmp(holder, name) == 0 || !ports_of(holder, device))) {
		snprintf(text, TEXT, strcmp(holder, name) == 0 ? ": held" : ": held by %.200s", holder);
		return text;
	}
	if (device && device->taken_back)
		return ": taken back";
	if (!domain)
		return domain_by_name(&list->libvirt, name, NULL).answer == NOT_RUNNING ? ": off" : ": unknown";
	if (domain->busy)
		return ": busy";
	if (!device || holder)
		return ": running";
	disks = host_check(&list->host, device);
	snprintf(text, TEXT, ": %.200s", disks.answer == DONE ? "not held" : disks.why);
	return text;
}

/* Whom a port is; each domain of those that take turns, and where a list is given, with its state: "vm1: off, vm2: held". */
static void describe_owners(struct list *list, const struct device *port, const struct device *device, char owners[static TEXT])
{
	const struct port *row = ports_owner(port);
	const char *holder = list && device ? domains_holder(&list->domains, device) : NULL;
	char text[TEXT];

	snprintf(owners, TEXT, "%s", row && row->domain != HOST ? "" : row ? "host" : "-");
	if (*owners && holder)
		snprintf(owners + strlen(owners), TEXT / 2, ": held by %.200s", holder);
	for (; row && row->domain != HOST; row = ports_next(row, port)) {
		const size_t length = strlen(owners);

		snprintf(owners + length, TEXT - length, "%s%.100s%s", length ? ", " : "", row->domain,
			 list ? state_of(list, row->domain, device, text) : "");
	}
}

/* Whom the socket belongs to, and its other side, where that is someone else's. */
static void describe_owner(struct list *list, const struct side *side, const struct side *other, struct line *line)
{
	const struct device *port = side->device ? side->device : &side->port;
	char names[TEXT], others[TEXT];

	if (side->device && side->device->hub)
		return;
	describe_owners(list->knows_domains ? list : NULL, port, side->device, line->owner);
	if (!other->hub || other->device)
		return;
	describe_owners(NULL, port, NULL, names);
	describe_owners(NULL, &other->port, NULL, others);
	if (strcmp(names, others) != 0)
		snprintf(line->owner + strlen(line->owner), TEXT - strlen(line->owner), "; %s: %.100s", other->port.port, others);
}

/* Whether the line is of the next empty port of the same kind and owner as the last one's. */
static bool goes_on(const struct line *last, const struct line *line)
{
	const long next = last->more + 1;

	return last->hub && last->hub == line->hub && !last->device && !line->device && strcmp(last->what, line->what) == 0 &&
	       strcmp(last->owner, line->owner) == 0 && number_of(line->port) == number_of(last->port) + next &&
	       !*last->peer == !*line->peer && (!*line->peer || number_of(line->peer) == number_of(last->peer) + next);
}

/* Empty ports in a row have one line, "1-11..15". */
static void add_line(struct list *list, const struct line line)
{
	if (list->count && goes_on(&list->lines[list->count - 1], &line)) {
		list->lines[list->count - 1].more++;
		return;
	}
	list->lines = reallocarray(list->lines, list->count + 1, sizeof(line));
	if (!list->lines)
		abort();
	list->lines[list->count++] = line;
}

static void add_side(struct list *list, const struct side *side, const struct side *other, struct line line)
{
	line.device = side->device;
	describe_side(&list->host, side, &line);
	describe_owner(list, side, other, &line);
	add_line(list, line);
}

static void add_hub(struct list *list, const struct device *hub, int depth);

/* A socket has its line at the side whose bus comes first, in most cases the one of USB 2. */
static void add_socket(struct list *list, const struct device *hub, const char *port, int depth)
{
	struct side side = { 0 }, other = { 0 };
	struct line line = { .hub = hub, .depth = depth };
	const struct device *other_hub;

	look_at(&side, &list->host, hub, port);
	snprintf(line.port, sizeof(line.port), "%s", port);
	host_peer(side.path, line.peer);
	other_hub = *line.peer ? hub_of(&list->host, line.peer) : NULL;
	if (other_hub)
		look_at(&other, &list->host, other_hub, line.peer);
	if (other_hub && other_hub->bus < hub->bus && has_port(&list->host, other_hub, line.peer))
		return;
	if (side.device || !other.device)
		add_side(list, &side, &other, line);
	if (other.device)
		add_side(list, &other, &side, line);
	if (side.device && side.device->hub)
		add_hub(list, side.device, depth + 1);
	if (other.device && other.device->hub)
		add_hub(list, other.device, depth + 1);
}

static void add_hub(struct list *list, const struct device *hub, int depth)
{
	const bool is_bus = strncmp(hub->port, "usb", 3) == 0;

	for (int number = 1; number <= MOST_PORTS; number++) {
		char port[2 * PORT_NAME];

		snprintf(port, sizeof(port), "%s%c%d", hub->port + (is_bus ? 3 : 0), is_bus ? '-' : '.', number);
		if (has_port(&list->host, hub, port))
			add_socket(list, hub, port, depth);
	}
}

static void add_buses(struct list *list)
{
	for (unsigned long number = 1; number <= 999; number++) {
		const struct device *bus = find_bus(&list->host, number);

		if (!bus)
			continue;
		add_line(list, (struct line){ .device = bus });
		add_hub(list, bus, 0);
	}
}

static void print_bus(const struct device *bus)
{
	char text[TEXT];

	snprintf(text, sizeof(text), "bus %u, %.10s Mb/s: ", bus->bus, host_attribute(bus, "speed"));
	columns_print_path(text, bus->devpath, "\n    ", "");
}

/* Makes "1-11" into "1-11..15". */
static void add_range(char port[static 2 * PORT_NAME], long more)
{
	if (*port && more)
		snprintf(port + strlen(port), PORT_NAME, "..%ld", number_of(port) + more);
}

/* How wide the columns are, with what follows of each; a line without an owner has all the rest for what is in the port. */
struct widths {
	int port, peer, what, rest;
};

static void print_line(const struct line *line, const struct widths *widths)
{
	const int indent = 2 * line->depth;
	int what = *line->owner ? widths->what : widths->rest;
	const int bytes = columns_fit(line->what, &what);

	printf("%*s%-*s %-*s%.*s%*s%s\n", indent, "", widths->port - indent, line->port, widths->peer, line->peer, bytes,
	       line->what, *line->owner ? widths->what - what + 1 : 0, "", line->owner);
}

static void print_lines(struct list *list)
{
	struct line *const end = list->lines + list->count, head = { .port = "port", .what = "device", .owner = "belongs to" };
	struct widths widths = { (int)strlen(head.port), 0, (int)strlen(head.what), 0 };
	int owner = (int)strlen(head.owner), most;

	for (struct line *line = list->lines; line < end; line++) {
		add_range(line->port, line->more);
		add_range(line->peer, line->more);
		widths.port = MAX(widths.port, 2 * line->depth + (int)strlen(line->port));
		widths.peer = MAX(widths.peer, *line->peer ? (int)MAX(strlen(line->peer), strlen("peer")) + 1 : 0);
		widths.what = MAX(widths.what, columns_of(line->what));
		owner = MAX(owner, columns_of(line->owner));
	}
	snprintf(head.peer, sizeof(head.peer), "%s", widths.peer ? "peer" : "");
	widths.rest = columns_width() - widths.port - widths.peer - 1;
	most = MAX(widths.rest - owner - 1, MIN(ROOM, widths.rest - (int)sizeof("belongs to")));
	widths.what = MIN(widths.what, most);
	print_line(&head, &widths);
	for (const struct line *line = list->lines; line < end; line++)
		if (line->hub)
			print_line(line, &widths);
		else
			print_bus(line->device);
}

/* Prints the row of a port, its path in short form. */
static void print_row(const struct device *bus, const char *port)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", bus->devpath, port);
	columns_print_path("        { \"DOMAIN\", \"", path, "\"\n                \"", "\" },");
}

/* For what is in no row yet, a row, and one for the other side of its socket. A bus that its path calls otherwise has none. */
static void print_rows(const struct host *host)
{
	bool found = false;

	for (size_t i = 0; i < host->count; i++) {
		const struct device *device = &host->devices[i], *bus = bus_of(host, device), *other_bus;
		char words[TEXT], peer[PORT_NAME];
		int width = columns_width() - (int)strlen("        /*  */");

		if (device->hub || ports_owner(device) || !bus || bus->bus != device->bus || bus != find_bus(host, device->bus))
			continue;
		describe(device, words);
		printf("%s        /* %.*s */\n", found ? "" : "\nRows for what is in no row yet, to paste into config.h:\n\n",
		       columns_fit(words, &width), words);
		found = true;
		print_row(bus, device->port);
		host_peer(device->devpath, peer);
		other_bus = *peer ? find_bus(host, strtoul(peer, NULL, 10)) : NULL;
		if (other_bus)
			print_row(other_bus, peer);
	}
}

/* Prints what is wrong with the table. Returns whether anything is. */
static bool print_problems(struct list *list)
{
	const struct table *table = ports_table();
	bool found = false;

	for (size_t row = 0; row < table->count; row++) {
		const char *name = table->rows[row].domain, *problem = ports_problem(&table->rows[row]);
		struct outcome outcome = { .answer = DONE };

		if (!problem && name != HOST && list->knows_domains)
			outcome = domain_by_name(&list->libvirt, name, NULL);
		if (outcome.answer == FAILED)
			problem = outcome.why;
		if (problem)
			printf("%srow %zu, %s: %s\n", found ? "" : "\nWhat is wrong with the table:\n\n", row + 1,
			       name ? name : "HOST", problem);
		found |= problem != NULL;
	}
	return found;
}

int list_ports(void)
{
	struct list list = { 0 };
	struct deadline deadline = { .subject = "did not list", .seconds = ports_table()->timeout, .give_up = fail };
	struct outcome outcome;
	bool problems;

	setlocale(LC_CTYPE, "");
	deadline_start(&deadline);
	outcome = host_read(&list.host);
	if (outcome.answer != DONE)
		return fail(deadline.subject, outcome.why);
	outcome = libvirt_connect(&list.libvirt, ports_table()->uri);
	if (outcome.answer == DONE)
		outcome = domains_read(&list.domains, &list.libvirt);
	list.knows_domains = outcome.answer == DONE;
	add_buses(&list);
	if (list.count)
		print_lines(&list);
	else
		puts("There is no USB bus here: no controller, or no driver.");
	print_rows(&list.host);
	problems = print_problems(&list);
	if (!list.knows_domains)
		printf("\nlibvirt could not be asked about the domains:\n%s\n", outcome.why);
	domains_free(&list.domains);
	libvirt_disconnect(&list.libvirt);
	host_free(&list.host);
	free(list.lines);
	return problems ? EXIT_FAILURE : EXIT_SUCCESS;
}
