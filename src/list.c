#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "hotplug.h"

enum {
	SHORT_NAME = 16,  /* bytes: a product's name that says little by itself */
	MOST_PORTS = 255, /* bNbrPorts of a hub is a byte (USB 2.0 specification, 11.23.2.1) */
};

/* A line of the list: its head, a bus, or a socket and what is in it. A second device in the same socket has its own. */
struct line {
	const struct device *hub; /* whose port it is, or the bus itself */
	char port[2 * PORT_NAME], peer[2 * PORT_NAME]; /* the socket's ports, on either bus; "" for a bus; the first is indented */
	char what[TEXT], owner[TEXT];
};

/* A port of a hub, and what is plugged in there, if anything. */
struct side {
	const struct device *hub, *device;
	struct device port; /* for the table */
	char path[PATH_MAX];
};

struct list {
	struct host host;
	struct libvirt libvirt;
	struct domains domains;
	bool knows_domains;
	struct line *lines;
	size_t count;
	bool *leads; /* of each row of the table: to something that is there */
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

	snprintf(name, sizeof(name), "%.*s", last ? (int)(last - port) : 0, port);
	return last ? find_device(host, name) : find_bus(host, strtoul(port, NULL, 10));
}

/* "046d:c52b Logitech USB Receiver": with the manufacturer where the product's name is short, or there is none. */
static void describe(const struct device *device, char words[static TEXT])
{
	const char *product = host_product(device), *manufacturer = host_attribute(device, "manufacturer");
	const bool short_name = strlen(product) <= SHORT_NAME && !strcasestr(product, manufacturer);
	const bool inside = host_port_is(device->devpath, "hardwired") || strcmp(host_attribute(device, "removable"), "fixed") == 0;
	char raw[TEXT], id[sizeof("ffff:ffff")] = "-";

	if (device->has_id)
		snprintf(id, sizeof(id), "%04x:%04x", device->id.vendor & 0xffff, device->id.product & 0xffff);
	snprintf(raw, sizeof(raw), "%s%s%s%s%s%s%s", id, inside ? " (built in)" : "",
		 device->hub && !strcasestr(product, "hub") ? " hub" : "", short_name && *manufacturer ? " " : "",
		 short_name ? manufacturer : "", *product ? " " : "", product);
	columns_copy(raw, words);
}

/* What is in a port, with its speed where that isn't the bus's; or what kind of port it is. */
static void describe_port(const struct host *host, const struct side *side, char what[static TEXT])
{
	const struct device *device = side->device, *bus = device ? find_bus(host, device->bus) : NULL;
	const char *speed = bus ? host_attribute(device, "speed") : "";
	char words[TEXT], number[PORT_NAME];

	if (!device) {
		snprintf(what, TEXT, "%s", host_port_is(side->path, "hardwired") ? "(built in)" :
					   host_port_is(side->path, "not used") ? "(not used)" : "");
		return;
	}
	if (bus && strcmp(speed, host_attribute(bus, "speed")) == 0)
		speed = "";
	snprintf(number, sizeof(number), "%u:%u", device->bus, device->number);
	describe(device, words);
	snprintf(what, TEXT, "%-5s %.450s%s%.10s%s", number, words, *speed ? ", " : "", speed, *speed ? "M" : "");
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
	const char *holder = list && device ? domains_holder(&list->domains, device) : NULL;
	const struct port *row = ports_owner(port);
	char text[TEXT];

	if (!row || row->domain == HOST) {
		snprintf(owners, TEXT, "%s%s%.200s", row ? "host" : "-", holder ? ": held by " : "", holder ? holder : "");
		return;
	}
	for (*owners = '\0'; row; row = ports_next(row, port)) {
		const size_t length = strlen(owners);

		snprintf(owners + length, TEXT - length, "%s%.100s%.400s", length ? ", " : "", row->domain,
			 list ? state_of(list, row->domain, device, text) : "");
	}
}

/* Whom the socket belongs to, and its other side, where that is someone else's. */
static void describe_owner(struct list *list, const struct side *side, const struct side *other, char owner[static TEXT])
{
	const struct device *port = side->device ? side->device : &side->port;
	char names[TEXT], others[TEXT];

	describe_owners(list->knows_domains ? list : NULL, port, side->device, owner);
	if (!other->hub || other->device)
		return;
	describe_owners(NULL, port, NULL, names);
	describe_owners(NULL, &other->port, NULL, others);
	if (strcmp(names, others) != 0)
		snprintf(owner + strlen(owner), TEXT - strlen(owner), "; %s: %.100s", other->port.port, others);
}

/* Whether the port is the next behind the other, or the last of the other's; or there is neither. */
static bool is_next(const char *port, const char *other)
{
	return *port ? number_of(port) == number_of(other) + 1 : !*other;
}

/* Makes "1-11", or "1-11..14", into "1-11..15". */
static void extend(char ports[static 2 * PORT_NAME], const char *port)
{
	char *dots = strstr(ports, "..");

	if (*port)
		snprintf(dots ? dots : ports + strlen(ports), PORT_NAME, "..%ld", number_of(port));
}

/* Empty ports in a row, of the same kind and owner, have one line; what is plugged in has a number of its own. */
static void add_line(struct list *list, const struct line line)
{
	struct line *last = list->count ? &list->lines[list->count - 1] : NULL;

	if (last && *last->port && last->hub == line.hub && strcmp(last->what, line.what) == 0 &&
	    strcmp(last->owner, line.owner) == 0 && is_next(line.port, last->port) && is_next(line.peer, last->peer)) {
		extend(last->port, line.port);
		extend(last->peer, line.peer);
		return;
	}
	list->lines = reallocarray(list->lines, list->count + 1, sizeof(line));
	if (!list->lines)
		abort();
	list->lines[list->count++] = line;
}

static void look_at(struct side *side, const struct host *host, const struct device *hub, const char *port)
{
	*side = (struct side){ .hub = hub, .device = find_device(host, port) };
	snprintf(side->path, sizeof(side->path), "%s/%s", hub ? hub->devpath : "", port);
	device_set_devpath(&side->port, side->path);
}

/* Behind a port there may be a hub that isn't plugged in now, as one in a KVM switch. */
static void mark_rows(struct list *list, const char *place, bool behind)
{
	for (size_t row = 0; row < ports_table()->count; row++)
		list->leads[row] |= ports_lead_to(&ports_table()->rows[row], place, behind);
}

static void add_hub(struct list *list, const struct device *hub, int depth);

/* A socket has its line at the side whose bus comes first, in most cases the one of USB 2. */
static void add_socket(struct list *list, const struct device *hub, const char *port, int depth)
{
	struct side sides[2];
	char peer[PORT_NAME];

	look_at(&sides[0], &list->host, hub, port);
	mark_rows(list, sides[0].path, !sides[0].device || !sides[0].device->hub);
	host_peer(sides[0].path, peer);
	look_at(&sides[1], &list->host, hub_of(&list->host, peer), peer);
	if (sides[1].hub && sides[1].hub->bus < hub->bus)
		return;
	if (*peer)
		strcpy(list->lines->peer, "peer");
	for (int i = 0; i < 2; i++) {
		const struct side *side = &sides[i], *other = &sides[!i];
		struct line line = { .hub = hub };

		if (!side->device && (other->device || i > 0))
			continue;
		snprintf(line.port, sizeof(line.port), "%*s%s", 2 * depth, "", port);
		snprintf(line.peer, sizeof(line.peer), "%s", peer);
		describe_port(&list->host, side, line.what);
		if (!side->device || !side->device->hub)
			describe_owner(list, side, other, line.owner);
		add_line(list, line);
	}
	for (int i = 0; i < 2; i++)
		if (sides[i].device && sides[i].device->hub)
			add_hub(list, sides[i].device, depth + 1);
}

/* A hub has the ports that it says, and those in which something is. */
static void add_hub(struct list *list, const struct device *hub, int depth)
{
	const long ports = strtol(host_attribute(hub, "maxchild"), NULL, 10);
	const bool is_bus = strncmp(hub->port, "usb", 3) == 0;
	char port[2 * PORT_NAME];

	for (int number = 1; number <= MOST_PORTS; number++) {
		snprintf(port, sizeof(port), "%s%c%d", hub->port + (is_bus ? 3 : 0), is_bus ? '-' : '.', number);
		if (number <= ports || find_device(&list->host, port))
			add_socket(list, hub, port, depth);
	}
}

static void add_buses(struct list *list)
{
	for (unsigned long number = 1; number <= 999; number++) {
		const struct device *bus = find_bus(&list->host, number);
		struct line line = { .hub = bus };

		if (!bus)
			continue;
		snprintf(line.what, sizeof(line.what), "bus %u, %.10s Mb/s: ", bus->bus, host_attribute(bus, "speed"));
		add_line(list, line);
		mark_rows(list, bus->devpath, false);
		add_hub(list, bus, 0);
	}
}

/* What is in a port is cut where the line is too wide for the terminal, down to its number. */
static void print_lines(const struct list *list)
{
	const struct line *const end = list->lines + list->count;
	const int width = columns_width();
	int port = 0, peer = 0, what = 0, owner = 0;

	for (const struct line *line = list->lines; line < end; line++) {
		port = MAX(port, (int)strlen(line->port) + 1);
		peer = MAX(peer, *line->peer ? (int)strlen(line->peer) + 1 : 0);
		what = MAX(what, *line->port ? columns_of(line->what) + 1 : 0);
		owner = MAX(owner, columns_of(line->owner));
	}
	what = MIN(what, MAX(width - port - peer - owner, 6));
	for (const struct line *line = list->lines; line < end; line++) {
		int columns = what - 1;
		const int bytes = columns_fit(line->what, &columns);

		if (*line->port)
			printf("%-*s%-*s%.*s%*s%s\n", port, line->port, peer, line->peer, bytes, line->what,
			       *line->owner ? what - columns : 0, "", line->owner);
		else
			columns_print_path(line->what, line->hub->devpath, "\n    ", "");
	}
}

/* Prints the row of a port, its path in short form. */
static void print_row(const struct host *host, const char *port)
{
	const struct device *bus = find_bus(host, strtoul(port, NULL, 10));
	struct device side = { 0 };
	char path[PATH_MAX];

	if (!bus)
		return;
	snprintf(path, sizeof(path), "%s/%s", bus->devpath, port);
	device_set_devpath(&side, path);
	if (!ports_owner(&side))
		columns_print_path("        { \"DOMAIN\", \"", path, "\"\n                \"", "\" },");
}

/* For what is in no row yet, a row, and one for the other side of its socket. A bus that its path calls otherwise has none. */
static void print_rows(const struct host *host)
{
	bool found = false;

	for (size_t i = 0; i < host->count; i++) {
		const struct device *device = &host->devices[i];
		char words[TEXT], peer[PORT_NAME];
		int width = columns_width() - (int)strlen("        /*  */");

		if (device->hub || ports_owner(device) || strtoul(device->port, NULL, 10) != device->bus)
			continue;
		describe(device, words);
		if (!found)
			printf("\nRows for what is in no row yet, to paste above the last };\nof your table, now %s:\n\n", ports_table()->file);
		found = true;
		printf("        /* %.*s */\n", columns_fit(words, &width), words);
		print_row(host, device->port);
		host_peer(device->devpath, peer);
		print_row(host, peer);
	}
}

bool list_problems(FILE *stream, struct libvirt *libvirt)
{
	const struct port *const rows = ports_table()->rows, *const end = rows + ports_table()->count;
	bool found = false;

	for (const struct port *row = rows; row < end; row++) {
		const char *problem = ports_problem(row);
		struct outcome outcome = { .answer = DONE };

		if (!problem && row->domain != HOST && libvirt)
			outcome = domain_by_name(libvirt, row->domain, NULL);
		if (outcome.answer == FAILED)
			problem = strcmp(row->domain, "HOST") == 0 ? "HOST is written without quotes" : outcome.why;
		if (problem)
			fprintf(stream, "%srow %td, %s: %s\n", found ? "" : "\nWhat is wrong with the table:\n\n", row - rows + 1,
				row->domain ? row->domain : "HOST", problem);
		found |= problem != NULL;
	}
	return found;
}

/* Prints which rows, right as they may be, lead nowhere now. */
static void print_idle_rows(const struct list *list)
{
	const struct port *const rows = ports_table()->rows, *const end = rows + ports_table()->count;
	bool found = false;
	char text[TEXT];

	for (const struct port *row = rows; row < end; row++) {
		if (list->leads[row - rows] || ports_problem(row))
			continue;
		fputs(found ? "" : "\nRows that lead to nothing that is there now:\n\n", stdout);
		snprintf(text, TEXT, "row %td, %.100s: ", row - rows + 1, row->domain ? row->domain : "HOST");
		columns_print_path(text, row->path, "\n    ", "");
		found = true;
	}
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
	list.leads = calloc(ports_table()->count + 1, sizeof(*list.leads));
	if (!list.leads)
		abort();
	add_line(&list, (struct line){ .port = "port", .what = "device", .owner = "belongs to" });
	add_buses(&list);
	if (list.count > 1)
		print_lines(&list);
	else
		puts("There is no USB bus here: no controller, or no driver.");
	print_rows(&list.host);
	problems = list_problems(stdout, list.knows_domains ? &list.libvirt : NULL);
	print_idle_rows(&list);
	if (!list.knows_domains)
		printf("\nlibvirt could not be asked about the domains:\n%s\n", outcome.why);
	domains_free(&list.domains);
	libvirt_disconnect(&list.libvirt);
	host_free(&list.host);
	free(list.lines);
	free(list.leads);
	return problems ? EXIT_FAILURE : EXIT_SUCCESS;
}
