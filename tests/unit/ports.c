#include "../../src/ports.c"

#include "test.h"

#define PCI "/devices/pci0000:00/0000:00:14.0"

static struct device device_at(const char *devpath)
{
	return (struct device){ .devpath = devpath, .bus = 3, .number = 7 };
}

static void assert_covers(const char *row, const char *devpath, bool expected)
{
	const struct short_path row_path = shorten(row), path = shorten(devpath);

	if ((match(&row_path, &path) > 0) != expected)
		fail_msg("'%s' should%s cover '%s'", row, expected ? "" : " not", devpath);
}

static void a_row_covers_its_port_and_all_below(void **state)
{
	static const char *const pairs[][2] = {
		{ PCI "/usb3/3-11", PCI "/usb3/3-11" },
		{ "/sys" PCI "/usb3/3-11", PCI "/usb3/3-11" },
		{ PCI "/usb3/3-11", "/sys" PCI "/usb3/3-11" },
		{ PCI "/usb3/3-11/", PCI "/usb3/3-11" },
		{ PCI "/usb3/3-10.2", PCI "/usb3/3-10/3-10.2" },
		{ PCI "/usb3/3-10/3-10.2", PCI "/usb3/3-10/3-10.2" },
		{ PCI "/usb3/3-10/3-10.2", PCI "/usb3/3-10.2" },
		{ PCI "/usb3/3-10.2.4", PCI "/usb3/3-10/3-10.2/3-10.2.4" },
		{ PCI "/usb3/3-10.2/3-10.2.4", PCI "/usb3/3-10/3-10.2/3-10.2.4" },
		{ PCI "/usb3/3-10", PCI "/usb3/3-10/3-10.2/3-10.2.4" },
		{ PCI "/usb3", PCI "/usb3/3-10/3-10.2" },
		{ PCI, PCI "/usb3/3-10/3-10.2" },
		{ "/devices", PCI "/usb3/3-10/3-10.2" },
		{ "/devices/", PCI "/usb3/3-10/3-10.2" },
		{ PCI "/usb*/*-10.2", PCI "/usb3/3-10/3-10.2" },
		{ PCI "/usb*/*-10/*-10.2", PCI "/usb12/12-10/12-10.2" },
		{ PCI "/usb*", PCI "/usb12/12-10" },
		{ PCI "/usb*/3-10", PCI "/usb3/3-10" },
		{ PCI "/usb3/*-10", PCI "/usb3/3-10" },
		{ "/devices/PCI0000:00/0000:00:1F.0/usb3", "/devices/pci0000:00/0000:00:1f.0/usb3/3-10" },
		{ "/devices/platform/soc/fe980000.usb/usb1/1-1", "/devices/platform/soc/fe980000.usb/usb1/1-1/1-1.3" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(pairs); i++)
		assert_covers(pairs[i][0], pairs[i][1], true);
}

static void a_row_covers_nothing_else(void **state)
{
	static const char *const pairs[][2] = {
		{ PCI "/usb3/3-1", PCI "/usb3/3-11" },
		{ PCI "/usb3/3-11", PCI "/usb3/3-1" },
		{ PCI "/usb3/3-1", PCI "/usb3/3-10/3-10.1" },
		{ PCI "/usb3/3-10.2", PCI "/usb3/3-10" },
		{ PCI "/usb3/3-10.2", PCI "/usb3/3-10/3-10.20" },
		{ PCI "/usb3/3-10.2", PCI "/usb3/3-10/3-10.3" },
		{ PCI "/usb3", PCI "/usb30/30-1" },
		{ PCI "/usb3/3-1", PCI "/usb4/4-1" },
		{ PCI "/usb3/3-1", "/devices/pci0000:00/0000:00:15.0/usb3/3-1" },
		{ PCI "/usb3/3-1", PCI "/usb3/3-1:1.0" },
		{ PCI "/usb*/*-1", PCI "/usb3/3-11" },
		{ "/devices/pci0000:00/0000:00:14", PCI "/usb3/3-1" },
		{ PCI "/usb3/4-1", PCI "/usb3/3-1" },
		{ PCI "/usb3/5", PCI "/usb3/3-5" },
		{ PCI "/3-1", PCI "/usb3/3-1" },
		{ PCI "/usb*/*-1", PCI "/usb/-1" },
		{ PCI "/usb3/3-*", PCI "/usb3/3-1" },
		{ PCI "/usb3/3-1.*", PCI "/usb3/3-1/3-1.2" },
		{ "/devices/pci0000:*/0000:00:14.0/usb3", PCI "/usb3/3-1" },
		{ "/devices/*", "/devices/5" },
		{ "*", PCI "/usb3/3-1" },
		{ "", PCI "/usb3/3-1" },
		{ "/", PCI "/usb3/3-1" },
		{ "devices", PCI "/usb3/3-1" },
		{ "/dev", PCI "/usb3/3-1" },
		{ "/sys", PCI "/usb3/3-1" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(pairs); i++)
		assert_covers(pairs[i][0], pairs[i][1], false);
}

static const char *owner_in(const struct port *table, size_t rows, struct device device)
{
	const struct port *owner = find_owner(table, rows, &device);

	return !owner ? "none" : owner->domain ? owner->domain : "host";
}

static void the_longest_path_wins_then_the_first_row(void **state)
{
	static const struct port table[] = {
		{ .domain = "bus", .path = PCI "/usb3" },
		{ .domain = "hub", .path = PCI "/usb3/3-10" },
		{ .domain = "port", .path = PCI "/usb3/3-10.2" },
		{ .domain = "late", .path = PCI "/usb3/3-10/3-10.2" },
		{ .domain = "controller", .path = PCI },
	};

	(void)state;
	assert_string_equal(owner_in(table, LENGTH(table), device_at(PCI "/usb3/3-10/3-10.2")), "port");
	assert_string_equal(owner_in(table, LENGTH(table), device_at(PCI "/usb3/3-10/3-10.1")), "hub");
	assert_string_equal(owner_in(table, LENGTH(table), device_at(PCI "/usb3/3-4")), "bus");
	assert_string_equal(owner_in(table, LENGTH(table), device_at(PCI "/usb4/4-4")), "controller");
	assert_string_equal(owner_in(table, LENGTH(table), device_at("/devices/other/usb5/5-4")), "none");
}

/* The owner's domain of a device at 3-1.2, or 10-1.2, of two rows in either order. */
static void assert_wins(const char *better, const char *worse, const char *devpath)
{
	const struct port rows[] = { { .domain = "better", .path = better },
				     { .domain = "worse", .path = worse },
				     { .domain = "better", .path = better } };

	assert_string_equal(owner_in(rows, 2, device_at(devpath)), "better");
	assert_string_equal(owner_in(rows + 1, 2, device_at(devpath)), "better");
}

static void length_is_that_of_what_is_matched_and_a_number_wins_over_any_bus(void **state)
{
	(void)state;
	assert_wins(PCI "/usb*/*-1.2", PCI "/usb3/3-1", PCI "/usb3/3-1/3-1.2");
	assert_wins(PCI "/usb*/*-1.2", PCI "/usb10/10-1", PCI "/usb10/10-1/10-1.2");
	assert_wins(PCI "/usb3/3-1.2", PCI "/usb*/*-1.2", PCI "/usb3/3-1/3-1.2");
	assert_wins(PCI "/usb*/3-1.2", PCI "/usb*/*-1.2", PCI "/usb3/3-1/3-1.2");
	assert_wins(PCI "/usb3", PCI "/usb*", PCI "/usb3/3-1/3-1.2");
}

static void an_id_that_fits_wins_over_any_path(void **state)
{
	static const struct port table[] = {
		{ .domain = "port", .path = PCI "/usb3/3-1" },
		{ .domain = NULL, .path = "/devices", .id = "1050:0407" },
		{ .domain = "bus", .path = PCI "/usb3", .id = "046D:C08E" },
		{ .domain = "typo", .path = PCI "/usb3/3-1", .id = "1050" },
		{ .domain = "no path", .path = NULL },
	};
	struct device device = device_at(PCI "/usb3/3-1");

	(void)state;
	assert_string_equal(owner_in(table, LENGTH(table), device), "port");
	device.has_id = true;
	device.id = (struct usb_id){ 0x1050, 0x0407 };
	assert_string_equal(owner_in(table, LENGTH(table), device), "host");
	device.id = (struct usb_id){ 0x046d, 0xc08e };
	assert_string_equal(owner_in(table, LENGTH(table), device), "bus");
	device.id = (struct usb_id){ 0x046d, 0xc08f };
	assert_string_equal(owner_in(table, LENGTH(table), device), "port");
}

static void of_two_ids_the_longest_path_wins_then_the_first_row(void **state)
{
	static const struct port table[] = {
		{ .domain = "bus", .path = PCI "/usb3", .id = "1050:0407" },
		{ .domain = "port", .path = PCI "/usb3/3-1", .id = "1050:0407" },
		{ .domain = "late", .path = PCI "/usb3/3-1", .id = "1050:0407" },
		{ .domain = "longer", .path = PCI "/usb3/3-1.4" },
	};
	struct device device = device_at(PCI "/usb3/3-1/3-1.4");

	(void)state;
	device.has_id = true;
	device.id = (struct usb_id){ 0x1050, 0x0407 };
	assert_string_equal(owner_in(table, LENGTH(table), device), "port");
}

static void an_empty_table_owns_nothing(void **state)
{
	(void)state;
	assert_string_equal(owner_in(NULL, 0, device_at(PCI "/usb3/3-1")), "none");
}

static void the_compiled_table_answers(void **state)
{
	struct device device = device_at(PCI "/usb3/3-1");

	(void)state;
	assert_string_equal(ports_table()->file, CONFIG);
	assert_string_equal(ports_table()->uri, "test:///none");
	assert_int_equal(ports_table()->timeout, 7);
	assert_string_equal(ports_owner(&device)->domain, "vm1");
	assert_true(ports_need_id(&device));
	device.devpath = "/elsewhere/usb3/3-1";
	assert_null(ports_owner(&device));
	assert_false(ports_need_id(&device));
	assert_int_equal(ports_table()->count, LENGTH(ports));
}

static void a_guest_port_is_for_the_very_port_of_its_row(void **state)
{
	static const struct port row = { "vm1", PCI "/usb*/*-10.2", .guest = "0:5" };
	static const struct port bad = { "vm1", PCI "/usb*/*-10.2", .guest = "0:5'/>" };
	static const char *const elsewhere[] = { PCI "/usb3/3-10/3-10.2/3-10.2.1", PCI "/usb3/3-10/3-10.3", PCI "/usb3" };
	struct device device = device_at(PCI "/usb3/3-10/3-10.2");

	(void)state;
	assert_string_equal(ports_guest(&row, &device), "0:5");
	assert_null(ports_guest(&bad, &device));
	for (size_t i = 0; i < LENGTH(elsewhere); i++) {
		device = device_at(elsewhere[i]);
		assert_null(ports_guest(&row, &device));
	}
}

static void a_guest_port_is_a_bus_and_a_port(void **state)
{
	static const char *const good[] = { "0:5", "0:1.2", "12:15" };
	static const char *const bad[] = { "",	    "5",    ":5",    "0:",   "0:x",    "x:5",	 "0:5'",		 "0:.5",
					   "0-5", "0:5.", "0:1..2", "0:0", "0:256", "1000:5", "0:1.2.3.4.5.6.7.8.9.10.11.12.13.14.15" };

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++)
		assert_true(is_guest_port(good[i]));
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(is_guest_port(bad[i]));
}

static void rows_that_tie_take_turns_in_the_tables_order_each_domain_once_but_not_with_the_host(void **state)
{
	const struct device device = device_at(PCI "/usb3/3-12"), hosts = device_at(PCI "/usb3/3-13");
	const struct port *row = ports_owner(&device);

	(void)state;
	assert_string_equal(row->domain, "vm2");
	row = ports_next(row, &device);
	assert_string_equal(row->domain, "vm9");
	assert_string_equal(ports_guest(row, &device), "0:5");
	row = ports_next(row, &device);
	assert_string_equal(row->domain, "vm3");
	assert_null(ports_next(row, &device));
	assert_ptr_equal(ports_of("vm3", &device), row);
	assert_null(ports_of("vm1", &device));
	assert_null(ports_owner(&hosts)->domain);
	assert_null(ports_next(ports_owner(&hosts), &hosts));
	assert_null(ports_of("vm3", &hosts));
}

static void a_row_leads_to_what_it_covers_and_to_what_may_be_behind_a_port(void **state)
{
	static const struct {
		const char *row, *place;
		bool covers, behind;
	} pairs[] = {
		{ PCI "/usb3/3-10.2", PCI "/usb3/3-10/3-10.2", true, true },
		{ PCI "/usb3/3-10", PCI "/usb3/3-10/3-10.2", true, true },
		{ PCI, PCI "/usb3", true, true },
		{ PCI "/usb3/3-10.2", PCI "/usb3/3-10", false, true },
		{ PCI "/usb*/*-10.2.1", PCI "/usb3/3-10", false, true },
		{ PCI "/usb3/3-10.99", PCI "/usb3/3-10/3-10.4", false, false },
		{ PCI "/usb3/3-1", PCI "/usb3/3-10", false, false },
		{ PCI "/usb3/3-10", PCI "/usb3/3-1", false, false },
		{ PCI "/usb*/*-1", PCI "/usb3/3-10", false, false },
		{ PCI "/usb4/4-1", PCI "/usb3/3-1", false, false },
		{ "/devices/pci0000:00/0000:00:15.0/usb3/3-1", PCI "/usb3/3-1", false, false },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(pairs); i++) {
		const struct port row = { .domain = "vm1", .path = pairs[i].row };

		if (ports_lead_to(&row, pairs[i].place, false) != pairs[i].covers ||
		    ports_lead_to(&row, pairs[i].place, true) != pairs[i].behind)
			fail_msg("'%s' and '%s'", pairs[i].row, pairs[i].place);
	}
}

static void a_row_that_can_never_own_a_device_is_told(void **state)
{
	static const char *const expected[LENGTH(ports)] = {
		[2] = "its path is not a port's, as usb3/3-10.2 is",
		[3] = "its path doesn't begin with /devices",
		[4] = "its path doesn't begin with /devices",
		[5] = "its path doesn't begin with /devices",
		[6] = "* can stand for the bus number only",
		[7] = "* can stand for the bus number only",
		[8] = "its id is not vendor:product, as 046d:c08e is",
		[25] = "an earlier row has the same path and id",
		[26] = "an earlier row has the same path and id",
		[29] = "an earlier row has the same path and id",
		[31] = "an earlier row has the same path and id",
		[33] = "its domain and its path are one: a comma is missing between them",
		[34] = "its domain and its path are one: a comma is missing between them",
		[13] = "its guest is not a port of the guest, as 0:5 is",
		[16] = "its path is not a port's, as usb3/3-10.2 is",
		[17] = "its path is not a port's, as usb3/3-10.2 is",
		[18] = "its path is not a port's, as usb3/3-10.2 is",
		[19] = "its path is not a port's, as usb3/3-10.2 is",
		[20] = "its path is not a port's, as usb3/3-10.2 is",
		[21] = "its path is not a port's, as usb3/3-10.2 is",
		[14] = "it has a guest port, for which its path has to be one port",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(ports); i++) {
		const char *problem = ports_problem(&ports_table()->rows[i]);

		if (!expected[i] != !problem || (problem && strcmp(problem, expected[i]) != 0))
			fail_msg("row %zu: %s", i, problem ? problem : "no problem");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_covers_its_port_and_all_below),
		cmocka_unit_test(a_row_covers_nothing_else),
		cmocka_unit_test(the_longest_path_wins_then_the_first_row),
		cmocka_unit_test(length_is_that_of_what_is_matched_and_a_number_wins_over_any_bus),
		cmocka_unit_test(an_id_that_fits_wins_over_any_path),
		cmocka_unit_test(of_two_ids_the_longest_path_wins_then_the_first_row),
		cmocka_unit_test(an_empty_table_owns_nothing),
		cmocka_unit_test(the_compiled_table_answers),
		cmocka_unit_test(a_guest_port_is_for_the_very_port_of_its_row),
		cmocka_unit_test(a_guest_port_is_a_bus_and_a_port),
		cmocka_unit_test(rows_that_tie_take_turns_in_the_tables_order_each_domain_once_but_not_with_the_host),
		cmocka_unit_test(a_row_leads_to_what_it_covers_and_to_what_may_be_behind_a_port),
		cmocka_unit_test(a_row_that_can_never_own_a_device_is_told),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
