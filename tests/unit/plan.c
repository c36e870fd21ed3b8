#include "../../src/plan.c"

#include "test.h"

/* Of the table in config.h: port 3-1 is vm1's, bus 4's port 4.1 vm2's, 1050:0407 the host's, all else vm3's. */
#define USB3 "/devices/pci0000:00/0000:00:14.0/usb3/"
#define USB4 "/devices/pci0000:00/0000:00:14.0/usb4/"

static struct device plugged_in(const char *devpath, unsigned int number)
{
	struct device device = { .bus = 3, .number = number, .has_id = true, .id = { 0x0627, 0x0001 } };

	device_set_devpath(&device, devpath);
	return device;
}

static struct hostdev held_by(const char *domain, const char *port, unsigned int number)
{
	struct hostdev hostdev = {
		.domain = domain, .device = { .bus = 3, .number = number, .has_id = true, .id = { 0x0627, 0x0001 } }, .ours = *port
	};

	device_set_devpath(&hostdev.device, port);
	return hostdev;
}

static struct hostdev held_by_hand(const char *domain, unsigned int number)
{
	struct hostdev hostdev = held_by(domain, "", number);

	hostdev.device.has_id = false;
	return hostdev;
}

static struct hostdev held_by_port(const char *domain, const char *port)
{
	struct hostdev hostdev = { .domain = domain, .device = { .bus = 3 } };

	device_set_devpath(&hostdev.device, port);
	return hostdev;
}

enum { MOST = 8 };

/* What is given and what is expected: "+vm1 3-1" is put in, "-vm1 3" is taken out by its device number. */
struct situation {
	const char *name;
	struct hostdev held[MOST];
	struct device plugged[MOST];
	const char *changes[MOST];
};

static size_t count_held(const struct situation *situation)
{
	size_t count = 0;

	while (situation->held[count].domain)
		count++;
	return count;
}

static size_t count_plugged(const struct situation *situation)
{
	size_t count = 0;

	while (situation->plugged[count].devpath)
		count++;
	return count;
}

/* What is planned while of vm1, vm2, vm3 and vm9 just these are busy, and these off; and for what a person asks for. */
static void assert_planned_for(const struct change *asked, const char *busy, const char *off, const struct situation *situation)
{
	static const char *const names[] = { "vm1", "vm2", "vm3", "vm9" };
	struct domain running[LENGTH(names)] = { 0 };
	struct situation copy = *situation;
	struct domains domains = { .running = running, .held = copy.held, .held_count = count_held(situation) };
	const struct host host = { .devices = copy.plugged, .count = count_plugged(situation) };
	struct plan plan;
	size_t expected = 0;

	for (size_t i = 0; i < LENGTH(names); i++)
		if (!strstr(off, names[i]))
			running[domains.count++] = (struct domain){ .name = names[i], .busy = strstr(busy, names[i]) };
	plan = plan_make(&domains, &host, asked);
	while (situation->changes[expected])
		expected++;
	if (plan.count != expected)
		fail_msg("%s: %zu changes", situation->name, plan.count);
	for (size_t i = 0; i < plan.count; i++) {
		char text[64];

		if (plan.changes[i].action == ATTACH)
			snprintf(text, sizeof(text), "+%s %s", plan.changes[i].domain, plan.changes[i].device.port);
		else
			snprintf(text, sizeof(text), "-%s %u", plan.changes[i].domain, plan.changes[i].device.number);
		if (strcmp(text, situation->changes[i]) != 0)
			fail_msg("%s: %s instead of %s", situation->name, text, situation->changes[i]);
	}
	free(plan.changes);
}

static void assert_planned_while(const char *busy, const char *off, const struct situation *situation)
{
	assert_planned_for(NULL, busy, off, situation);
}

static void assert_planned(const struct situation *situation)
{
	assert_planned_while("", "", situation);
}

static void what_a_domain_owns_and_does_not_hold_is_put_in(void **state)
{
	const struct situation table[] = {
		{ "nothing", { { 0 } }, { { 0 } }, { NULL } },
		{ "a device", { { 0 } }, { plugged_in(USB3 "3-1", 7) }, { "+vm1 3-1" } },
		{ "behind a hub", { { 0 } }, { plugged_in(USB4 "4-4/4-4.1", 7) }, { "+vm2 4-4.1" } },
		{ "three", { { 0 } },
		  { plugged_in(USB3 "3-1", 7), plugged_in(USB4 "4-4/4-4.1", 8), plugged_in(USB3 "3-9", 9) },
		  { "+vm1 3-1", "+vm2 4-4.1", "+vm3 3-9" } },
	};
	struct situation hub = { "a hub", { { 0 } }, { plugged_in(USB3 "3-1", 7) }, { NULL } };
	struct situation key = { "an id of the host's", { { 0 } }, { plugged_in(USB3 "3-9", 7) }, { NULL } };

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_planned(&table[i]);
	hub.plugged[0].hub = true;
	assert_planned(&hub);
	key.plugged[0].id = (struct usb_id){ 0x1050, 0x0407 };
	assert_planned(&key);
}

static void nothing_is_planned_for_what_is_busy_or_off(void **state)
{
	const struct situation busy = { "vm1 is busy", { { 0 } }, { plugged_in(USB3 "3-1", 7), plugged_in(USB3 "3-8", 8) }, { "+vm3 3-8" } };
	const struct situation off = { "vm9 is off", { { 0 } }, { plugged_in(USB3 "3-1", 7), plugged_in(USB3 "3-10", 9) }, { "+vm1 3-1" } };

	(void)state;
	assert_planned_while("vm1", "", &busy);
	assert_planned_while("", "vm9", &off);
}

static void domains_take_turns_with_what_their_rows_tie_for(void **state)
{
	const struct {
		const char *busy, *off;
		struct situation situation;
	} table[] = {
		{ "", "", { "all run: the first", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { "+vm2 3-12" } } },
		{ "", "vm2", { "the first is off", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { "+vm9 3-12" } } },
		{ "", "vm2 vm9", { "only the last runs", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { "+vm3 3-12" } } },
		{ "", "vm2 vm3 vm9", { "none runs", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { NULL } } },
		{ "", "", { "who holds it keeps it", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { NULL } } },
		{ "vm2", "", { "also beside a busy one", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { NULL } } },
		{ "vm9", "", { "a busy one may hold it", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { NULL } } },
		{ "vm1", "", { "another one may not", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { "+vm2 3-12" } } },
		{ "", "", { "another port's", { held_by("vm9", "3-11", 7) }, { plugged_in(USB3 "3-12", 7) },
			    { "-vm9 7", "+vm2 3-12" } } },
		{ "", "", { "one that takes no turns", { held_by("vm1", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) },
			    { "-vm1 7", "+vm2 3-12" } } },
		{ "vm2", "", { "the same, and a busy one", { held_by("vm1", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) },
			       { "-vm1 7" } } },
		{ "", "", { "the host comes first", { { 0 } }, { plugged_in(USB3 "3-13", 7) }, { NULL } } },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_planned_while(table[i].busy, table[i].off, &table[i].situation);
}

static void what_is_where_it_belongs_stays(void **state)
{
	const struct situation table[] = {
		{ "a device", { held_by("vm1", "3-1", 7) }, { plugged_in(USB3 "3-1", 7) }, { NULL } },
		{ "two domains", { held_by("vm2", "4-4.1", 8), held_by("vm1", "3-1", 7) },
		  { plugged_in(USB3 "3-1", 7), plugged_in(USB4 "4-4/4-4.1", 8) }, { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_planned(&table[i]);
}

static void ours_that_should_not_be_there_is_taken_out_first(void **state)
{
	struct situation missing = {
		"missing, though its device is there", { held_by("vm1", "3-1", 7) }, { plugged_in(USB3 "3-1", 7) },
		{ "-vm1 7", "+vm1 3-1" },
	};
	struct situation other = missing;
	const struct situation table[] = {
		{ "pulled", { held_by("vm1", "3-1", 7) }, { { 0 } }, { "-vm1 7" } },
		{ "another number", { held_by("vm1", "3-1", 6) }, { plugged_in(USB3 "3-1", 7) }, { "-vm1 6", "+vm1 3-1" } },
		{ "another port's device at its address", { held_by("vm1", "3-1", 7) }, { plugged_in(USB3 "3-9", 7) },
		  { "-vm1 7", "+vm3 3-9" } },
		{ "the table gives the port to another domain", { held_by("vm9", "3-1", 7) }, { plugged_in(USB3 "3-1", 7) },
		  { "-vm9 7", "+vm1 3-1" } },
		{ "two that changed places", { held_by("vm1", "4-4.1", 8), held_by("vm2", "3-1", 7) },
		  { plugged_in(USB3 "3-1", 7), plugged_in(USB4 "4-4/4-4.1", 8) },
		  { "-vm1 8", "-vm2 7", "+vm1 3-1", "+vm2 4-4.1" } },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_planned(&table[i]);
	missing.held[0].missing = true;
	assert_planned(&missing);
	other.name = "another device at its address, in its port";
	other.plugged[0].id.product = 2;
	assert_planned(&other);
	other.name = "the table leaves it to the host";
	other.held[0].device.id = other.plugged[0].id = (struct usb_id){ 0x1050, 0x0407 };
	other.plugged[0].devpath = USB3 "3-9";
	other.changes[1] = NULL;
	assert_planned(&other);
}

static void what_someone_else_attached_stays_while_it_is_plugged_in(void **state)
{
	const struct situation table[] = {
		{ "by hand", { held_by_hand("vm9", 7) }, { plugged_in("/devices/other/usb3/3-2", 7) }, { NULL } },
		{ "by hand, a port of another domain", { held_by_hand("vm9", 7) }, { plugged_in(USB3 "3-1", 7) }, { NULL } },
		{ "by vendor and product", { held_by("vm9", "", 7) }, { { 0 } }, { NULL } },
		{ "by vendor and product, its device back under another number", { held_by("vm9", "", 6) },
		  { plugged_in(USB3 "3-1", 7) }, { "+vm1 3-1" } },
		{ "by port", { held_by_port("vm9", "3-1") }, { plugged_in(USB3 "3-1", 7) }, { NULL } },
		{ "by port, pulled", { held_by_port("vm9", "3-1") }, { { 0 } }, { NULL } },
		{ "by another port", { held_by_port("vm9", "3-2") }, { plugged_in(USB3 "3-1", 7) }, { "+vm1 3-1" } },
		{ "by hand, pulled", { held_by_hand("vm9", 7) }, { plugged_in(USB3 "3-1", 8) }, { "-vm9 7", "+vm1 3-1" } },
	};
	struct situation missing = table[0], nowhere = table[2];

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_planned(&table[i]);
	missing.name = "by hand, and missing";
	missing.held[0].missing = true;
	missing.changes[0] = "-vm9 7";
	missing.changes[1] = "+vm3 3-2";
	assert_planned(&missing);
	nowhere.name = "without an address";
	nowhere.held[0].device = (struct device){ .has_id = true };
	nowhere.held[0].missing = true;
	assert_planned(&nowhere);
}

static void what_a_person_took_back_stays_with_the_host(void **state)
{
	struct situation held = { "held", { held_by("vm1", "3-1", 7) }, { plugged_in(USB3 "3-1", 7) }, { "-vm1 7" } };
	struct situation by_hand = { "held by hand since", { held_by_hand("vm9", 7) }, { plugged_in(USB3 "3-1", 7) }, { NULL } };
	struct situation none = { "not held", { { 0 } }, { plugged_in(USB3 "3-1", 7) }, { NULL } };

	(void)state;
	held.plugged[0].taken_back = by_hand.plugged[0].taken_back = none.plugged[0].taken_back = true;
	assert_planned(&held);
	assert_planned(&by_hand);
	assert_planned(&none);
}

/* Port 3-12 is for vm2, vm9 and vm3 in turns, what is in 3-2 for vm3. */
static void what_a_person_asks_for_leaves_its_holder_and_goes_to_whom_it_is_asked_for(void **state)
{
	const struct {
		struct change asked;
		const char *busy, *off;
		struct situation situation;
	} table[] = {
		{ { ATTACH, NULL, plugged_in(USB3 "3-1", 7), NULL }, "", "",
		  { "again", { held_by("vm1", "3-1", 7) }, { plugged_in(USB3 "3-1", 7) }, { "-vm1 7", "+vm1 3-1" } } },
		{ { ATTACH, NULL, plugged_in(USB3 "3-1", 7), NULL }, "", "",
		  { "not held", { { 0 } }, { plugged_in(USB3 "3-1", 7) }, { "+vm1 3-1" } } },
		{ { ATTACH, NULL, plugged_in(USB3 "3-12", 7), NULL }, "", "",
		  { "the same", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { "-vm9 7", "+vm9 3-12" } } },
		{ { ATTACH, "vm3", plugged_in(USB3 "3-12", 7), NULL }, "", "",
		  { "another", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { "-vm9 7", "+vm3 3-12" } } },
		{ { ATTACH, "vm3", plugged_in(USB3 "3-12", 7), NULL }, "", "",
		  { "out of turn", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { "+vm3 3-12" } } },
		{ { ATTACH, "vm3", plugged_in(USB3 "3-12", 7), NULL }, "vm2", "",
		  { "another is busy", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { "-vm9 7", "+vm3 3-12" } } },
		{ { ATTACH, "vm3", plugged_in(USB3 "3-12", 7), NULL }, "vm3", "",
		  { "it is busy", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { NULL } } },
		{ { ATTACH, "vm3", plugged_in(USB3 "3-12", 7), NULL }, "vm2", "",
		  { "a busy one may hold it", { { 0 } }, { plugged_in(USB3 "3-12", 7) }, { NULL } } },
		{ { ATTACH, NULL, plugged_in(USB3 "3-12", 7), NULL }, "vm2", "",
		  { "again, beside a busy one", { held_by("vm9", "3-12", 7) }, { plugged_in(USB3 "3-12", 7) }, { "-vm9 7", "+vm9 3-12" } } },
		{ { ATTACH, NULL, plugged_in(USB3 "3-1", 7), NULL }, "", "vm1",
		  { "off", { held_by_hand("vm9", 7) }, { plugged_in(USB3 "3-1", 7) }, { NULL } } },
		{ { ATTACH, NULL, plugged_in(USB3 "3-1", 7), NULL }, "", "",
		  { "held by hand", { held_by_hand("vm9", 7) }, { plugged_in(USB3 "3-1", 7) }, { "-vm9 7", "+vm1 3-1" } } },
		{ { DETACH, NULL, plugged_in(USB3 "3-1", 7), NULL }, "", "",
		  { "held by its port, is detached by its address", { held_by_port("vm9", "3-1") }, { { 0 } }, { "-vm9 7" } } },
		{ { DETACH, NULL, plugged_in(USB3 "3-1", 7), NULL }, "", "",
		  { "held by hand, to the host", { held_by_hand("vm9", 7) }, { { 0 } }, { "-vm9 7" } } },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++)
		assert_planned_for(&table[i].asked, table[i].busy, table[i].off, &table[i].situation);
}

static void a_change_that_was_not_made_names_domain_and_port(void **state)
{
	struct change change = { ATTACH, "vm1", plugged_in(USB3 "3-10/3-10.2", 7), NULL };
	char text[TEXT];

	(void)state;
	assert_string_equal(change_text(&change, text), "vm1: did not attach 3-10.2 (0627:0001, bus 3 device 7)");
	change.action = DETACH;
	assert_string_equal(change_text(&change, text), "vm1: did not detach 3-10.2 (0627:0001, bus 3 device 7)");
	change.domain = NULL;
	assert_string_equal(change_text(&change, text), "did not detach 3-10.2 (0627:0001, bus 3 device 7)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_domain_owns_and_does_not_hold_is_put_in),
		cmocka_unit_test(nothing_is_planned_for_what_is_busy_or_off),
		cmocka_unit_test(domains_take_turns_with_what_their_rows_tie_for),
		cmocka_unit_test(what_is_where_it_belongs_stays),
		cmocka_unit_test(ours_that_should_not_be_there_is_taken_out_first),
		cmocka_unit_test(what_someone_else_attached_stays_while_it_is_plugged_in),
		cmocka_unit_test(what_a_person_took_back_stays_with_the_host),
		cmocka_unit_test(what_a_person_asks_for_leaves_its_holder_and_goes_to_whom_it_is_asked_for),
		cmocka_unit_test(a_change_that_was_not_made_names_domain_and_port),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
