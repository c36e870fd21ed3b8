#include <ctype.h>
#include <string.h>

#include "ports.h"

/* A table may be empty, which gcc -Wpedantic takes only behind __extension__, and rows may leave out the id. */
#define ports unused __attribute__((unused)); __extension__ static const struct port ports
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include CONFIG
#pragma GCC diagnostic pop
#undef ports

static const size_t ports_count = sizeof(ports) / sizeof(struct port);

/*
 * A DEVPATH in short form, which leaves out the hubs between the bus and the port, for the port's name has the
 * whole chain in it: ".../usb3/3-10/3-10.2" is ".../usb3/3-10.2". It is the path's text but for the gap.
 */
struct short_path {
	const char *text;
	size_t gap;    /* where the hubs' names begin */
	size_t hubs;   /* how long they are, their slashes included */
	size_t length; /* of the short form */
};

static char char_at(const struct short_path *path, size_t i)
{
	if (i >= path->length)
		return '\0';
	return path->text[i < path->gap ? i : i + path->hubs];
}

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
	const char *text = !path ? "" : strncmp(path, "/sys/", 5) == 0 ? path + 4 : path;
	const char *end = text + strlen(text);
	const char *bus_end = NULL, *last = text;

	while (end > text && end[-1] == '/')
		end--;
	for (const char *slash = text; slash < end; slash += 1 + strcspn(slash + 1, "/")) {
		if (is_bus(slash + 1))
			bus_end = slash + 1 + strcspn(slash + 1, "/");
		last = slash;
	}
	if (!bus_end || last < bus_end)
		bus_end = last = end;
	return (struct short_path){
		.text = text,
		.gap = (size_t)(bus_end - text),
		.hubs = (size_t)(last - bus_end),
		.length = (size_t)(end - text) - (size_t)(last - bus_end),
	};
}

/* Whether the row has a "*" for the bus number at i: in the bus's own name, or where a port's name begins. */
static bool is_any_bus(const struct short_path *row, size_t i)
{
	if (char_at(row, i) != '*' || i == 0)
		return false;
	if (char_at(row, i - 1) == '/')
		return char_at(row, i + 1) == '-';
	return i >= 4 && i <= row->gap && strncmp(row->text + i - 4, "/usb", 4) == 0;
}

static bool covers(const struct short_path *row, const struct short_path *device)
{
	size_t at = 0;

	for (size_t i = 0; i < row->length; i++) {
		if (is_any_bus(row, i) && isdigit((unsigned char)char_at(device, at))) {
			while (isdigit((unsigned char)char_at(device, at)))
				at++;
		} else if (char_at(row, i) == char_at(device, at)) {
			at++;
		} else {
			return false;
		}
	}
	/* An empty path is a mistake, and must not hand over every device of the machine. */
	return row->length > 0 && strchr("/.", char_at(device, at)); /* the end, '\0', is found as well */
}

/*
 * Whether the row is plainly one of another bus: a cheap look, and the only one that nearly every row of a large table
 * gets. A row that has a "*", "/sys" or slashes in excess, or is shorter than the device's bus, needs the full look.
 */
static bool is_elsewhere(const char *row, const struct short_path *device)
{
	return (size_t)(strchrnul(row, '*') - row) >= device->gap && memcmp(row, device->text, device->gap) != 0 &&
	       row[device->gap - 1] != '/' && row[1] != 's';
}

static bool id_fits(const char *text, const struct device *device)
{
	struct usb_id id;

	return device->has_id && usb_id_from_lsusb(text, &id) && id.vendor == device->id.vendor &&
	       id.product == device->id.product;
}

/* Of two rows that cover a device: one with an id comes before one without, then the longer path. */
static bool comes_before(const struct port *a, size_t a_length, const struct port *b, size_t b_length)
{
	if (!a->id != !b->id)
		return a->id != NULL;
	return a_length > b_length;
}

/* The row of the table, rows long, that owns the device; pure, for the tests. */
static const struct port *find_owner(const struct port *table, size_t rows, const struct device *device)
{
	const struct short_path path = shorten(device->devpath);
	const struct port *owner = NULL;
	size_t owner_length = 0;

	for (const struct port *row = table; row < table + rows; row++) {
		struct short_path row_path;

		if (!row->path || is_elsewhere(row->path, &path))
			continue;
		row_path = shorten(row->path);
		if (!covers(&row_path, &path) || (row->id && !id_fits(row->id, device)))
			continue;
		if (!owner || comes_before(row, row_path.length, owner, owner_length)) {
			owner = row;
			owner_length = row_path.length;
		}
	}
	return owner;
}

const char *ports_uri(void)
{
	return uri;
}

unsigned int ports_timeout(void)
{
	return timeout;
}

const struct port *ports_owner(const struct device *device)
{
	return find_owner(ports, ports_count, device);
}

const struct port *ports_row(size_t row)
{
	return row < ports_count ? &ports[row] : NULL;
}

bool ports_need_id(const struct device *device)
{
	const struct short_path path = shorten(device->devpath);
	const struct port *port;

	for (size_t row = 0; (port = ports_row(row)); row++) {
		const struct short_path row_path = shorten(port->path);

		if (port->id && covers(&row_path, &path))
			return true;
	}
	return false;
}

const char *ports_next_domain(size_t *row)
{
	const struct port *port, *earlier;

	while ((port = ports_row((*row)++))) {
		if (port->domain == HOST)
			continue;
		for (earlier = ports; earlier < port; earlier++)
			if (earlier->domain != HOST && strcmp(earlier->domain, port->domain) == 0)
				break;
		if (earlier == port)
			return port->domain;
	}
	return NULL;
}

static bool is_same_row(const struct port *a, const struct port *b)
{
	const struct short_path a_path = shorten(a->path), b_path = shorten(b->path);

	if (a_path.length != b_path.length || !a->id != !b->id || (a->id && strcasecmp(a->id, b->id) != 0))
		return false;
	for (size_t i = 0; i < a_path.length; i++)
		if (char_at(&a_path, i) != char_at(&b_path, i))
			return false;
	return true;
}

static bool has_stray_star(const struct short_path *path)
{
	for (size_t i = 0; i < path->length; i++)
		if (char_at(path, i) == '*' && !is_any_bus(path, i))
			return true;
	return false;
}

/* Behind a bus come ports, whose names have nothing else in them. */
static bool can_be_port(const struct short_path *path)
{
	const char *name = path->text + path->gap + path->hubs + 1;

	return path->gap == path->length || strspn(name, "0123456789*-.") == strcspn(name, "/");
}

const char *ports_problem(const struct port *row)
{
	const struct short_path path = shorten(row->path);
	struct usb_id id;

	if (path.length < strlen("/devices") || strncmp(path.text, "/devices/", path.length < 9 ? path.length : 9) != 0)
		return "its path doesn't begin with /devices";
	if (has_stray_star(&path))
		return "* can stand for the bus number only";
	if (!can_be_port(&path))
		return "its path is not a port's, as usb3/3-10.2 is";
	if (row->id && !usb_id_from_lsusb(row->id, &id))
		return "its id is not vendor:product, as 046d:c08e is";
	for (const struct port *earlier = ports; earlier < row; earlier++)
		if (is_same_row(earlier, row))
			return "an earlier row has the same path and id";
	return NULL;
}
