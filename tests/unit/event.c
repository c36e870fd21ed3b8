#include "../../src/event.c"

#include "test.h"

#define DEVPATH "/devices/pci0000:00/0000:00:14.0/usb3/3-10/3-10.2"

static const char *const names[] = { "ACTION", "DEVPATH", "SUBSYSTEM", "DEVTYPE", "BUSNUM", "DEVNUM", "PRODUCT",
				     "TYPE", "ID_MODEL", "ID_MODEL_FROM_DATABASE", "SEQNUM", "SYNTH_UUID" };

/* An event as the kernel sends it, for a test to change. */
static int a_plug(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++)
		unsetenv(names[i]);
	setenv("ACTION", "add", 1);
	setenv("DEVPATH", DEVPATH, 1);
	setenv("SUBSYSTEM", "usb", 1);
	setenv("DEVTYPE", "usb_device", 1);
	setenv("BUSNUM", "003", 1);
	setenv("DEVNUM", "008", 1);
	setenv("PRODUCT", "46d/c08e/100", 1);
	setenv("TYPE", "0/0/0", 1);
	return 0;
}

static void assert_event_with(const char *name, const char *value, enum event_kind expected)
{
	struct event event;

	a_plug(NULL);
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
	if (event_read(&event) != expected)
		fail_msg("%s=%s should be %d", name, value ? value : "(unset)", (int)expected);
}

static void a_plug_is_read(void **state)
{
	struct event event;

	(void)state;
	assert_int_equal(event_read(&event), EVENT_OURS);
	assert_int_equal(event.action, ATTACH);
	assert_string_equal(event.device.devpath, DEVPATH);
	assert_int_equal(event.device.bus, 3);
	assert_int_equal(event.device.number, 8);
	assert_true(event.device.has_id);
	assert_int_equal(event.device.id.vendor, 0x046d);
	assert_int_equal(event.device.id.product, 0xc08e);
	assert_null(event.bad_product);
	assert_false(event.device.hub);
}

static void bind_attaches_and_remove_detaches(void **state)
{
	struct event event;

	(void)state;
	setenv("ACTION", "bind", 1);
	assert_int_equal(event_read(&event), EVENT_OURS);
	assert_int_equal(event.action, ATTACH);
	setenv("ACTION", "remove", 1);
	assert_int_equal(event_read(&event), EVENT_OURS);
	assert_int_equal(event.action, DETACH);
}

static void other_events_are_not_ours(void **state)
{
	static const struct {
		const char *name, *value;
	} table[] = {
		{ "ACTION", "change" },	     { "ACTION", "unbind" },   { "ACTION", "Add" },	{ "ACTION", "add " },
		{ "SUBSYSTEM", "hidraw" },   { "SUBSYSTEM", "" },      { "DEVTYPE", "usb_interface" }, { "DEVTYPE", "" },
		{ "BUSNUM", NULL },	     { "DEVNUM", NULL },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_event_with(table[i].name, table[i].value, EVENT_NOT_OURS);
}

static void a_bad_variable_is_refused(void **state)
{
	static const char *const numbers[] = { "",   "0",  "000",  "1000", "99999999999999999999", "-1", "+1",
					       " 1", "1 ", "1\n", "1x",	  "0x1",		  "1.0", "%n" };

	(void)state;
	assert_event_with("ACTION", NULL, EVENT_BAD);
	assert_event_with("ACTION", "", EVENT_BAD);
	assert_event_with("DEVPATH", NULL, EVENT_BAD);
	assert_event_with("DEVPATH", "", EVENT_BAD);
	for (size_t i = 0; i < LENGTH(numbers); i++) {
		assert_event_with("BUSNUM", numbers[i], EVENT_BAD);
		assert_event_with("DEVNUM", numbers[i], EVENT_BAD);
	}
}

static void numbers_are_decimal_from_1_to_999(void **state)
{
	static const struct {
		const char *text;
		unsigned int value;
	} table[] = { { "1", 1 }, { "008", 8 }, { "010", 10 }, { "999", 999 }, { "0000000042", 42 } };

	struct event event;

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++) {
		setenv("DEVNUM", table[i].text, 1);
		assert_int_equal(event_read(&event), EVENT_OURS);
		assert_int_equal(event.device.number, table[i].value);
	}
}

static void a_malformed_product_is_kept_for_whoever_needs_it(void **state)
{
	struct event event;

	(void)state;
	setenv("PRODUCT", "46d-c08e", 1);
	assert_int_equal(event_read(&event), EVENT_OURS);
	assert_string_equal(event.bad_product, "46d-c08e");
	assert_false(event.device.has_id);
	unsetenv("PRODUCT");
	assert_int_equal(event_read(&event), EVENT_OURS);
	assert_null(event.bad_product);
	assert_false(event.device.has_id);
}

static void a_hub_is_told_by_its_type_or_else_by_its_name(void **state)
{
	static const struct {
		const char *type, *model, *database;
		bool hub;
	} table[] = {
		{ "9/0/1", NULL, NULL, true },	     { "9/0/0", "Keyboard", NULL, true },
		{ "0/0/0", "Harmony Hub", "HUB", false }, { "90/0/0", "Hub", NULL, false },
		{ NULL, "USB2.0_Hub", NULL, true },   { NULL, "4-PORT HUB", NULL, true },
		{ NULL, NULL, "Some hub", true },     { NULL, "Keyboard", "Mouse", false },
		{ NULL, NULL, NULL, false },	     { "", "hub", NULL, true },
	};
	struct event event;

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++) {
		a_plug(NULL);
		unsetenv("TYPE");
		if (table[i].type)
			setenv("TYPE", table[i].type, 1);
		if (table[i].model)
			setenv("ID_MODEL", table[i].model, 1);
		if (table[i].database)
			setenv("ID_MODEL_FROM_DATABASE", table[i].database, 1);
		assert_int_equal(event_read(&event), EVENT_OURS);
		if (event.device.hub != table[i].hub)
			fail_msg("row %zu should%s be a hub", i, table[i].hub ? "" : " not");
	}
}

static void only_what_the_kernel_adds_of_itself_is_new(void **state)
{
	static const struct {
		const char *action, *number, *synthetic;
		bool is_new;
	} table[] = {
		{ "add", "4711", NULL, true },	  { "add", "4711", "0", false },    { "add", NULL, NULL, false },
		{ "bind", "4712", NULL, false }, { "remove", "4713", NULL, false },
	};
	struct event event;

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++) {
		a_plug(NULL);
		setenv("ACTION", table[i].action, 1);
		if (table[i].number)
			setenv("SEQNUM", table[i].number, 1);
		if (table[i].synthetic)
			setenv("SYNTH_UUID", table[i].synthetic, 1);
		assert_int_equal(event_read(&event), EVENT_OURS);
		if (event.is_new != table[i].is_new)
			fail_msg("row %zu should%s be new", i, table[i].is_new ? "" : " not");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_plug_is_read, a_plug),
		cmocka_unit_test_setup(bind_attaches_and_remove_detaches, a_plug),
		cmocka_unit_test(other_events_are_not_ours),
		cmocka_unit_test(a_bad_variable_is_refused),
		cmocka_unit_test_setup(numbers_are_decimal_from_1_to_999, a_plug),
		cmocka_unit_test_setup(a_malformed_product_is_kept_for_whoever_needs_it, a_plug),
		cmocka_unit_test(a_hub_is_told_by_its_type_or_else_by_its_name),
		cmocka_unit_test(only_what_the_kernel_adds_of_itself_is_new),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
