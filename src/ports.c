#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "hotplug.h"

/* A table may be empty, which gcc -Wpedantic takes only behind __extension__, and rows may leave out the id. */
#define ports unused __attribute__((unused)); __extension__ static const struct port ports
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include CONFIG
#pragma GCC diagnostic pop
#undef ports

/*
 * A DEVPATH in short form leaves out the hubs between the bus and the port, for the port's name has the whole chain
 * in it: ".../usb3/3-10/3-10.2" is ".../usb3/3-10.2". A longer path than sysfs can have is cut.
 */
struct short_path {
	char text[PATH_MAX];
	size_t bus; /* how long it is up to and with the bus, or all of it where there is none */
};

/* Whether a path's component that begins at text is a bus: "usb3", or "usb*" in the table. */
static bool is_bus(const char *text)
{
	size_t digits;

	if (strncmp(text, "usb", 3) != 0)
		return false;
	digits = text[3] == '*' ? 1 : strspn(text + 3, "0123456789");
	return digits > 0 && (text[3 + digits] == '/' || text[3 + digits] == '\0');
}

static struct short_path shorten(const char *path)
{
	struct short_path to;
	char *text = to.text, *bus_end = NULL, *end;

	snprintf(text, sizeof(to.text), "%s", !path ? "" : strncmp(path, "/sys/", 5) == 0 ? path + 4 : path);
	for (end = text + strlen(text); end > text && end[-1] == '/'; end--)
		end[-1] = '\0';
	for (char *slash = strchr(text, '/'); slash; slash = strchr(slash + 1, '/'))
		if (is_bus(slash + 1))
			bus_end = slash + 1 + strcspn(slash + 1, "/");
	if (!bus_end)
		bus_end = end;
	to.bus = (size_t)(bus_end - text);
	if (*bus_end)
		memmove(bus_end, strrchr(text, '/'), strlen(strrchr(text, '/')) + 1);
	return to;
}

/* Whether the row has a "*" for the bus number at i: in the bus's own name, or where a port's name begins. */
static bool is_any_bus(const struct short_path *row, size_t i)
{
	const char *text = row->text;

	if (text[i] != '*' || i < strlen("/usb"))
		return false;
	return i > row->bus ? text[i - 1] == '/' && text[i + 1] == '-' : strncmp(text + i - 4, "/usb", 4) == 0;
}

/* How much of the device's path the row's matches: all of the row's, or nothing. */
static size_t match(const struct short_path *row, const struct short_path *device)
{
	const char *at = device->text;

	for (size_t i = 0; row->text[i]; i++) {
		if (is_any_bus(row, i) && isdigit((unsigned char)*at))
			at += strspn(at, "0123456789");
		else if (row->text[i] == *at)
			at++;
		else
			return 0;
	}
	return (size_t)(at - device->text);
}

static bool covers(const struct short_path *row, const struct short_path *device)
{
	const size_t matched = match(row, device);

	/* An empty path is a mistake, and must not hand over every device of the machine. */
	return matched > 0 && strchr("/.", device->text[matched]); /* the end, '\0', is found as well */
}

static bool id_fits(const char *text, const struct device *device)
{
	struct usb_id id;

	return device->has_id && usb_id_read(text, LSUSB_ID, &id) && id.vendor == device->id.vendor &&
	       id.product == device->id.product;
}

/*
 * The row of the table, rows long, that owns the device; pure, for the tests. Of the rows that cover it, one with an id
 * comes before one without, then the longer path, then the first.
 */
static const struct port *find_owner(const struct port *table, size_t rows, const struct device *device)
{
	const struct short_path path = shorten(device->devpath);
	const struct port *owner = NULL;
	size_t owner_length = 0;

	for (const struct port *row = table; row < table + rows; row++) {
		const struct short_path row_path = shorten(row->path);
		const size_t length = strlen(row_path.text);

		if (!covers(&row_path, &path) || (row->id && !id_fits(row->id, device)))
			continue;
		if (!owner || (!row->id == !owner->id ? length > owner_length : row->id != NULL)) {
			owner = row;
			owner_length = length;
		}
	}
	return owner;
}

const struct table *ports_table(void)
{
	static const struct table table = { uri, timeout, ports, sizeof(ports) / sizeof(struct port) };

	return &table;
}

const struct port *ports_owner(const struct device *device)
{
	return find_owner(ports, ports_table()->count, device);
}

const char *ports_guest(const struct port *row, const struct device *device)
{
	const struct short_path row_path = shorten(row->path), path = shorten(device->devpath);

	return match(&row_path, &path) == strlen(path.text) ? row->guest : NULL;
}

bool ports_need_id(const struct device *device)
{
	const struct short_path path = shorten(device->devpath);

	for (size_t row = 0; row < ports_table()->count; row++) {
		const struct short_path row_path = shorten(ports[row].path);

		if (ports[row].id && covers(&row_path, &path))
			return true;
	}
	return false;
}

static bool is_same_row(const struct port *a, const struct port *b)
{
	const struct short_path a_path = shorten(a->path), b_path = shorten(b->path);

	return strcmp(a_path.text, b_path.text) == 0 && !a->id == !b->id && (!a->id || strcasecmp(a->id, b->id) == 0);
}

static bool has_stray_star(const struct short_path *path)
{
	for (size_t i = 0; path->text[i]; i++)
		if (path->text[i] == '*' && !is_any_bus(path, i))
			return true;
	return false;
}

/* As libvirt writes a USB address: bus, and port of the bus or of hubs, as in "0:5" and "0:1.2". */
static bool is_guest_port(const char *text)
{
	const size_t bus = strspn(text, "0123456789");

	return bus > 0 && text[bus] == ':' && isdigit((unsigned char)text[bus + 1]) &&
	       strspn(text + bus + 1, "0123456789.") == strlen(text + bus + 1);
}

const char *ports_problem(const struct port *row)
{
	const struct short_path path = shorten(row->path);
	const char *port = path.text + path.bus;
	struct usb_id id;

	if (strncmp(path.text, "/devices", 8) != 0 || !strchr("/", path.text[8]))
		return "its path doesn't begin with /devices";
	if (has_stray_star(&path))
		return "* can stand for the bus number only";
	/* Behind a bus come ports, whose names have nothing else in them. */
	if (*port && strspn(port + 1, "0123456789*-.") != strlen(port + 1))
		return "its path is not a port's, as usb3/3-10.2 is";
	if (row->id && !usb_id_read(row->id, LSUSB_ID, &id))
		return "its id is not vendor:product, as 046d:c08e is";
	if (row->guest && !is_guest_port(row->guest))
		return "its guest is not a port of the guest, as 0:5 is";
	if (row->guest && !*port)
		return "it has a guest port, for which its path has to be one port";
	for (const struct port *earlier = ports; earlier < row; earlier++)
		if (is_same_row(earlier, row))
			return "an earlier row has the same path and id";
	return NULL;
}
