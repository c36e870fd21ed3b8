#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

/* A table may be empty, which gcc -Wpedantic takes only behind __extension__, and rows may leave out the id. */
#define ports unused __attribute__((unused)); __extension__ static const struct port ports
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include CONFIG
#pragma GCC diagnostic pop
#undef ports

#define DIGITS "0123456789"

/*
 * A DEVPATH in short form has the bus once, and behind it the ports, for a port's name has the whole chain in it:
 * ".../usb3/3-10/3-10.2" is ".../usb3/10/2". So a path covers what begins with its components. A longer path than sysfs can have
 * is cut.
 */
struct short_path {
	char text[PATH_MAX];
	size_t bus; /* where the bus's number is, or "*" in the table; at the end where the path has no bus */
};

static size_t number_length(const char *text)
{
	return *text == '*' ? 1 : strspn(text, DIGITS);
}

/* The number in the path's last component that is a bus, as "usb3" is, or NULL. */
static char *find_bus(char *path)
{
	char *bus = NULL;

	for (char *at = strstr(path, "/usb"); at; at = strstr(at + 1, "/usb"))
		if (number_length(at + 4) && strchr("/", at[4 + number_length(at + 4)])) /* the end, '\0', is found as well */
			bus = at + 4;
	return bus;
}

/* Whether a port's name begins with the bus's number and "-", where "*" is any number. */
static bool is_on_bus(const char *port, const char *bus)
{
	const size_t length = number_length(port);

	return port[length] == '-' && length &&
	       (*port == '*' || *bus == '*' || (length == number_length(bus) && strncmp(port, bus, length) == 0));
}

static struct short_path shorten(const char *path)
{
	struct short_path to;
	char *bus, *port;
	const char *number, *chain;

	snprintf(to.text, sizeof(to.text), "%s", !path ? "" : strncmp(path, "/sys/", 5) == 0 ? path + 4 : path);
	for (char *end = to.text + strlen(to.text); end > to.text && end[-1] == '/'; end--)
		end[-1] = '\0';
	bus = find_bus(to.text);
	to.bus = bus ? (size_t)(bus - to.text) : strlen(to.text);
	port = bus ? strrchr(bus, '/') : NULL;
	if (!port)
		return to;
	if (!is_on_bus(++port, bus)) {
		bus[number_length(bus)] = '?'; /* behind a bus come its ports: this is none, and nothing else is so */
		return to;
	}
	number = *bus == '*' ? port : bus;
	chain = port + number_length(port) + 1;
	memmove(bus, number, number_length(number));
	bus += number_length(number);
	*bus++ = '/';
	memmove(bus, chain, strlen(chain) + 1);
	while ((bus = strchr(bus, '.')))
		*bus = '/';
	return to;
}

/*
 * How much of the device's path the row's covers: all of the row's, or nothing. "*" in either is any bus. No two paths differ in
 * upper case alone.
 */
static size_t match(const struct short_path *row, const struct short_path *device)
{
	const char *at = device->text;

	for (const char *c = row->text; *c; c++) {
		if (c == row->text + row->bus && (*c == '*' || *at == '*') && number_length(at)) {
			c += number_length(c) - 1;
			at += number_length(at);
		} else if (*c == *at || tolower((unsigned char)*c) == tolower((unsigned char)*at)) {
			at++;
		} else {
			return 0;
		}
	}
	return strchr("/", *at) ? (size_t)(at - device->text) : 0;
}

static bool id_fits(const char *text, const struct device *device)
{
	struct usb_id id;

	return device->has_id && usb_id_read(text, LSUSB_ID, &id) && id.vendor == device->id.vendor &&
	       id.product == device->id.product;
}

/*
 * How well the row fits the device: not at all, 0; or by its id, which outweighs any path, then by how much of the device's path
 * it matches, and at last by the bus's number.
 */
static size_t fit(const struct port *row, const struct short_path *path, const struct device *device)
{
	const struct short_path row_path = shorten(row->path);
	const size_t matched = match(&row_path, path);

	/* An empty path matches nothing: it is a mistake, and must not hand over every device of the machine. */
	if (!matched || (row->id && !id_fits(row->id, device)))
		return 0;
	return (row->id ? 4 * PATH_MAX : 0) + 2 * matched + (row_path.text[row_path.bus] != '*');
}

/* The row of a table, rows long, that owns the device: the one that fits best, or the first of those. Pure, for the tests. */
static const struct port *find_owner(const struct port *table, size_t rows, const struct device *device)
{
	const struct short_path path = shorten(device->devpath);
	const struct port *owner = NULL;
	size_t best = 0;

	for (const struct port *row = table; row < table + rows; row++) {
		const size_t fits = fit(row, &path, device);

		if (fits > best) {
			owner = row;
			best = fits;
		}
	}
	return owner;
}

const struct table *ports_table(void)
{
	/* Without a timeout a run could wait for ever. */
	static const struct table table = { CONFIG, uri, timeout ? timeout : 1, ports, sizeof(ports) / sizeof(struct port) };

	return &table;
}

const struct port *ports_owner(const struct device *device)
{
	return device->hub ? NULL : find_owner(ports, ports_table()->count, device);
}

/* Whether an earlier row leaves this one nothing: the host's, unless it comes too late itself; any for the host; the domain's own. */
static bool is_in_vain(const struct port *row)
{
	const struct short_path path = shorten(row->path);
	struct device device = { 0 };
	bool first = true;

	/* Rows tie that fit what this one is for equally well. */
	device.has_id = row->id && usb_id_read(row->id, LSUSB_ID, &device.id);
	for (const struct port *earlier = ports; earlier < row; earlier++) {
		if (fit(earlier, &path, &device) != fit(row, &path, &device))
			continue;
		if (row->domain == HOST || (earlier->domain == HOST ? first : strcmp(row->domain, earlier->domain) == 0))
			return true;
		first = false;
	}
	return false;
}

const struct port *ports_next(const struct port *row, const struct device *device)
{
	const struct short_path path = shorten(device->devpath);
	const size_t fits = row->domain == HOST ? 0 : fit(row, &path, device);

	while (fits && ++row < ports + ports_table()->count)
		if (fit(row, &path, device) == fits && !is_in_vain(row))
			return row;
	return NULL;
}

const struct port *ports_of(const char *domain, const struct device *device)
{
	const struct port *row = ports_owner(device);

	while (row && (row->domain == HOST || strcmp(row->domain, domain) != 0))
		row = ports_next(row, device);
	return row;
}

bool ports_need_id(const struct device *device)
{
	const struct short_path path = shorten(device->devpath);

	for (size_t row = 0; row < ports_table()->count; row++) {
		const struct short_path row_path = shorten(ports[row].path);

		if (ports[row].id && match(&row_path, &path))
			return true;
	}
	return false;
}

/* What follows a port's number, from 1 to 255 (bNbrPorts is a byte, USB 2.0 specification, 11.23.2.1); NULL where it is none. */
static const char *skip_port(const char *text)
{
	char *end;
	const unsigned long port = *text >= '1' && *text <= '9' ? strtoul(text, &end, 10) : 0;

	return port >= 1 && port <= 255 ? end : NULL;
}

static bool are_ports(const char *text, char separator)
{
	while ((text = skip_port(text)) && *text == separator)
		text++;
	return text && !*text;
}

/* Whether the path can be one of a port, a bus or a controller; a port's is behind a bus. */
static bool is_place(const struct short_path *path)
{
	const char *behind = path->text + path->bus + number_length(path->text + path->bus);
	const char *last = strrchr(path->text, '/') + 1;

	if (*behind)
		return *behind == '/' && are_ports(behind + 1, '/');
	return path->text[path->bus] || last[strspn(last, DIGITS "*")] != '-';
}

/* As libvirt writes a USB address: bus, and port of the bus or of hubs, as in "0:5" and "0:1.2". */
static bool is_guest_port(const char *text)
{
	const size_t bus = strspn(text, DIGITS);

	return bus > 0 && bus < 4 && text[bus] == ':' && are_ports(text + bus + 1, '.') && strlen(text) < PORT_NAME;
}

const char *ports_guest(const struct port *row, const struct device *device)
{
	const struct short_path row_path = shorten(row->path), path = shorten(device->devpath);

	return row->guest && is_guest_port(row->guest) && !path.text[match(&row_path, &path)] ? row->guest : NULL;
}

bool ports_lead_to(const struct port *row, const char *place, bool behind)
{
	const struct short_path row_path = shorten(row->path), path = shorten(place);

	return match(&row_path, &path) || (behind && match(&path, &row_path));
}

const char *ports_problem(const struct port *row)
{
	const struct short_path path = shorten(row->path);
	const char *star = strchr(path.text, '*');
	struct usb_id id;

	if (row->domain && strchr(row->domain, '/'))
		return "its domain and its path are one: a comma is missing between them";
	if (strncmp(path.text, "/devices", 8) != 0 || !strchr("/", path.text[8]))
		return "its path doesn't begin with /devices";
	if (star && (star != path.text + path.bus || strchr(star + 1, '*')))
		return "* can stand for the bus number only";
	if (!is_place(&path))
		return "its path is not a port's, as usb3/3-10.2 is";
	if (row->id && (!usb_id_read(row->id, LSUSB_ID, &id) || !id.vendor))
		return "its id is not vendor:product, as 046d:c08e is";
	if (row->guest && !is_guest_port(row->guest))
		return "its guest is not a port of the guest, as 0:5 is";
	if (row->guest && !strchr(path.text + path.bus, '/'))
		return "it has a guest port, for which its path has to be one port";
	return is_in_vain(row) ? "an earlier row has the same path and id" : NULL;
}
