#include <ctype.h>
#include <string.h>

#include "ports.h"

/*
 * A table may be empty, which gcc -Wpedantic refuses unless __extension__ stands before it, and its rows may leave
 * out the id.
 */
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
	const char *text = strncmp(path, "/sys/", 5) == 0 ? path + 4 : path;
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

static bool id_fits(const char *text, const struct device *device)
{
	struct usb_id id;

	return device->has_id && usb_id_from_lsusb(text, &id) && id.vendor == device->id.vendor &&
	       id.product == device->id.product;
}

/* The row of the table, rows long, that owns the device; pure, for the tests. */
static const struct port *find_owner(const struct port *table, size_t rows, const struct device *device)
{
	const struct short_path path = shorten(device->devpath);
	const struct port *owner = NULL;
	size_t owner_length = 0;

	for (const struct port *row = table; row < table + rows; row++) {
		const struct short_path row_path = shorten(row->path ? row->path : "");

		if (!covers(&row_path, &path) || (row->id && !id_fits(row->id, device)))
			continue;
		if (owner && (owner->id ? !row->id || row_path.length <= owner_length
					: !row->id && row_path.length <= owner_length))
			continue;
		owner = row;
		owner_length = row_path.length;
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

bool ports_need_id(const struct device *device)
{
	const struct short_path path = shorten(device->devpath);

	for (size_t i = 0; i < ports_count; i++) {
		const struct short_path row_path = shorten(ports[i].path ? ports[i].path : "");

		if (ports[i].id && covers(&row_path, &path))
			return true;
	}
	return false;
}
