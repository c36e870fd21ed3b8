/*
 * The table's rule. The input's lines are a bus's path, hubs, a port's name, and a row's path: text of any kind,
 * of which the properties below must hold.
 */
#include "../../src/ports.c"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static bool row_covers(const char *row, const char *devpath)
{
	const struct port table[] = { { .domain = "vm1", .path = row } };
	const struct short_path row_path = shorten(row), path = shorten(devpath);
	const bool covered = match(&row_path, &path) > 0;

	MUST((find_owner(table, 1, &(struct device){ .devpath = devpath }) == table) == covered);
	return covered;
}

/* Returns the texts, one after the other with what is in between, in one of eight places. */
static const char *join(const char *a, const char *between, const char *b)
{
	static char places[8][4096];
	static unsigned int next;
	char *place = places[next++ % 8];

	snprintf(place, sizeof(places[0]), "%s%s%s", a, between, b);
	return place;
}

/* Whether it is a port's path as the kernel has it, with a bus and no hubs. */
static bool is_port(const char *bus, const char *port)
{
	const struct short_path path = shorten(join(bus, "/", port));

	return !strchr(path.text, '*') && is_place(&path) && strchr(path.text + path.bus, '/') && path.bus == strlen(bus) -
		strspn(strrchr(bus, 'b') + 1, DIGITS);
}

static void check_row(const char *row)
{
	const size_t length = strlen(row);
	const struct short_path path = shorten(row);

	/* A row covers itself, and no port whose name only begins like its own. */
	MUST(row_covers(row, row) == (*path.text != '\0'));
	if (length > 0 && isdigit((unsigned char)row[length - 1]))
		MUST(!row_covers(row, join(row, "", "1")));
}

static void check_device(const char *bus, const char *hubs, const char *port, const char *row)
{
	const char *const plain = join(bus, "/", port);
	const char *const nested = join(join(bus, "/", hubs), "/", port);
	const char *const swapped = join(join(join(bus, "/", port), "/", hubs), "/", port);

	/* The hubs between bus and port may be written in any way, by the kernel and in the table. */
	MUST(row_covers(row, plain) == row_covers(row, nested));
	MUST(row_covers(row, plain) == row_covers(row, swapped));
	MUST(row_covers(plain, nested) && row_covers(nested, plain) && row_covers(swapped, nested));
	/* What covers a port covers all below it. */
	if (row_covers(row, plain)) {
		MUST(row_covers(row, join(plain, ".", "4")));
		MUST(row_covers(row, join(nested, "/", join(port, ".", "4"))));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size < 1000 ? size : 1000), *next = text;
	char *const end = text + strlen(text), *fields[] = { end, end, end, end };

	for (size_t i = 0; next && i < 4; i++)
		fields[i] = strsep(&next, "\n");
	check_row(fields[3]);
	fields[2][strcspn(fields[2], "/")] = '\0';
	if (strstr(fields[0], "/usb") && *fields[2] && is_port(fields[0], fields[2]) && !strstr(fields[1], "usb"))
		check_device(fields[0], fields[1], fields[2], fields[3]);
	free(text);
	return 0;
}
