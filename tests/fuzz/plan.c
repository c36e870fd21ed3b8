/*
 * The plan, of any situation of the unit tests' table: each three bytes are something plugged in, or held, or how a domain is. What
 * must hold of any plan is below.
 */
#include "../../src/plan.c"

#include "fuzz.h"

#define USB3 "/devices/pci0000:00/0000:00:14.0/usb3/"
#define USB4 "/devices/pci0000:00/0000:00:14.0/usb4/"

static const char *const devpaths[] = { USB3 "3-1", USB3 "3-12", USB3 "3-6", USB4 "4-4/4-4.1", "/devices/x/usb5/5-1",
					"/elsewhere/usb3/3-1" };
static const char *const domains[] = { "vm1", "vm2", "vm3", "guest", "vm9" };
static const struct usb_id ids[] = { { 0x0627, 1 }, { 0x1050, 0x0407 } };

enum { PORTS = 6, DOMAINS = 5, MOST = 40 };

static const struct change *asked; /* what a person asks for, or NULL */

enum state { RUNNING, BUSY, OFF, STATES };

struct world {
	enum state states[DOMAINS];
	struct device plugged[PORTS];
	struct hostdev held[MOST];
	size_t plugged_count, held_count;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static bool is_ours(const struct hostdev *hostdev)
{
	return hostdev->ours;
}

static bool is_by_port(const struct hostdev *hostdev)
{
	return !hostdev->ours && *hostdev->device.port;
}

static bool is_at(const struct device *a, const struct device *b)
{
	return a->bus == b->bus && a->number == b->number;
}

/* In a port one device is plugged in, and no two have an address. */
static void plug(struct world *world, unsigned char port, unsigned char number, unsigned char rest)
{
	struct device device = { .bus = 1 + rest % 2U, .number = 1 + number % 4U, .has_id = rest & 4, .hub = !(rest & 0x30) };

	device.taken_back = (rest & 0xc0) == 0xc0;
	device.id = device.has_id ? ids[rest >> 3 & 1] : (struct usb_id){ 0 };
	device_set_devpath(&device, devpaths[port % PORTS]);
	for (size_t i = 0; i < world->plugged_count; i++)
		if (strcmp(world->plugged[i].devpath, device.devpath) == 0 || is_at(&world->plugged[i], &device))
			return;
	world->plugged[world->plugged_count++] = device;
}

/* libvirt gives an address to one domain, unless it is missing, and an alias to one hostdev of a domain. */
static void hold(struct world *world, unsigned char port, unsigned char number, unsigned char rest)
{
	struct hostdev hostdev = {
		.domain = domains[rest % DOMAINS], .missing = !(rest & 0x18),
		.device = { .bus = 1 + (number >> 4) % 2U, .number = 1 + number % 4U, .has_id = rest & 0x20 },
	};

	if (port % (PORTS + 2) < PORTS) {
		device_set_devpath(&hostdev.device, devpaths[port % (PORTS + 2)]);
		hostdev.ours = port & 0x40;
	}
	/* Someone else's, by libvirt's own port address. */
	if (is_by_port(&hostdev)) {
		hostdev.device.number = 0;
		hostdev.missing = false;
	}
	hostdev.device.devpath = NULL;
	hostdev.device.id = hostdev.device.has_id ? ids[rest >> 6 & 1] : (struct usb_id){ 0 };
	for (size_t i = 0; i < world->held_count; i++) {
		const struct hostdev *other = &world->held[i];
		const bool same_domain = strcmp(other->domain, hostdev.domain) == 0;

		if ((is_at(&other->device, &hostdev.device) && (same_domain || (!other->missing && !hostdev.missing))) ||
		    (same_domain && is_ours(other) && strcmp(other->device.port, hostdev.device.port) == 0))
			return;
	}
	if (world->held_count < MOST / 2)
		world->held[world->held_count++] = hostdev;
}

static const struct device *plugged_at(const struct world *world, const struct device *device)
{
	for (size_t i = 0; i < world->plugged_count; i++)
		if (is_at(&world->plugged[i], device))
			return &world->plugged[i];
	return NULL;
}

/* As libvirt does it: a hostdev is detached by its address. */
static void apply(struct world *world, const struct change *change)
{
	const struct device *there = plugged_at(world, &change->device);

	if (change->action == ATTACH) {
		MUST(world->held_count < MOST);
		world->held[world->held_count] = (struct hostdev){ .domain = change->domain, .device = change->device, .ours = true };
		world->held[world->held_count++].device.devpath = NULL;
		return;
	}
	/* By its address, or else the one that has by its port what is plugged in there. */
	for (size_t i = 0; i < 2 * world->held_count; i++) {
		struct hostdev *hostdev = &world->held[i % world->held_count];
		const bool is_it = i < world->held_count ? is_at(&hostdev->device, &change->device) :
							   is_by_port(hostdev) && there && hostdev_holds(hostdev, there);

		if (is_it && strcmp(hostdev->domain, change->domain) == 0) {
			*hostdev = world->held[--world->held_count];
			return;
		}
	}
	MUST(!"what is detached is held");
}

static enum state state_of(const struct world *world, const char *domain)
{
	for (size_t i = 0; i < DOMAINS; i++)
		if (strcmp(domains[i], domain) == 0)
			return world->states[i];
	return OFF;
}

/* What the program sees: of a domain that is off nothing, and of a busy one not what it holds. */
static struct plan plan_in_order(const struct world *world, bool backwards)
{
	struct domain running[DOMAINS];
	struct hostdev held[MOST];
	struct world copy = *world;
	struct domains seen = { .running = running, .held = held };
	const struct host host = { .devices = copy.plugged, .count = world->plugged_count };

	for (size_t i = 0; i < DOMAINS; i++) {
		const size_t at = backwards ? DOMAINS - 1 - i : i;

		if (world->states[at] != OFF)
			running[seen.count++] = (struct domain){ .name = domains[at], .busy = world->states[at] == BUSY };
	}
	for (size_t i = 0; i < world->held_count; i++)
		if (state_of(world, world->held[i].domain) == RUNNING)
			held[seen.held_count++] = world->held[i];
	return plan_make(&seen, &host, asked);
}

static struct plan plan_of(const struct world *world)
{
	return plan_in_order(world, false);
}

/* The domain whose turn it is: the first in the table that runs, unless one may hold the device unseen. */
static const char *turn_of(const struct world *world, const struct device *device)
{
	const char *turn = NULL;

	if (device->taken_back)
		return NULL;
	for (const struct port *row = ports_owner(device); row && row->domain; row = ports_next(row, device)) {
		if (state_of(world, row->domain) == BUSY)
			return NULL;
		if (state_of(world, row->domain) == RUNNING && !turn)
			turn = row->domain;
	}
	return turn;
}

static void check_taking_out(const struct world *world, const struct change *change)
{
	for (size_t i = 0; i < world->held_count; i++) {
		const struct hostdev *hostdev = &world->held[i];

		if (!is_at(&hostdev->device, &change->device) || strcmp(hostdev->domain, change->domain) != 0)
			continue;
		MUST(is_ours(hostdev) || (!hostdev->device.has_id && !is_by_port(hostdev)));
		MUST(is_ours(hostdev) || hostdev->missing || !plugged_at(world, &hostdev->device));
		/* Nothing is taken from a domain that holds it in its turn. */
		for (size_t j = 0; j < world->plugged_count; j++) {
			const struct device *device = &world->plugged[j];

			MUST(!hostdev_holds(hostdev, device) || strcmp(hostdev->device.port, device->port) != 0 ||
			     device->taken_back || !ports_of(hostdev->domain, device));
		}
	}
}

static void check_putting_in(const struct world *world, const struct change *change)
{
	const struct device *device = plugged_at(world, &change->device);

	MUST(device && !device->hub && strcmp(device->port, change->device.port) == 0);
	MUST(turn_of(world, device) && strcmp(turn_of(world, device), change->domain) == 0);
}

static void check_order_of_input(const struct world *world, const struct plan *plan)
{
	struct world backwards = *world;
	struct plan other;

	for (size_t i = 0; i < world->held_count; i++)
		backwards.held[i] = world->held[world->held_count - 1 - i];
	for (size_t i = 0; i < world->plugged_count; i++)
		backwards.plugged[i] = world->plugged[world->plugged_count - 1 - i];
	other = plan_in_order(&backwards, true);
	MUST(other.count == plan->count);
	for (size_t i = 0; i < plan->count; i++) {
		size_t same = 0;

		for (size_t j = 0; j < other.count; j++)
			same += plan->changes[i].action == other.changes[j].action &&
				is_at(&plan->changes[i].device, &other.changes[j].device) &&
				strcmp(plan->changes[i].domain, other.changes[j].domain) == 0;
		MUST(same == 1);
	}
	free(other.changes);
}

/* Whatever has an owner that runs is held once, by one of its owners or by whom someone else gave it to; and nothing is left to do. */
static void check_settled(const struct world *world)
{
	struct plan plan = plan_of(world);

	MUST(plan.count == 0);
	free(plan.changes);
	for (size_t i = 0; i < world->plugged_count; i++) {
		const struct device *device = &world->plugged[i];
		size_t holders = 0, covered = 0;

		for (size_t j = 0; j < world->held_count; j++) {
			const struct hostdev *hostdev = &world->held[j];

			if (state_of(world, hostdev->domain) != RUNNING || !hostdev_holds(hostdev, device))
				continue;
			if (is_by_port(hostdev)) {
				covered++;
				continue;
			}
			holders++;
			MUST(!is_ours(hostdev) || (!device->taken_back && ports_of(hostdev->domain, device)));
		}
		MUST(holders <= 1 && (holders == 1 || covered || !turn_of(world, device)));
	}
}

/* Nobody keeps it, and who is asked to have it has it, if it can be given; and the rest is as it would be. */
static void check_asked(struct world world, const struct change *change)
{
	const char *turn = turn_of(&world, &change->device), *holder = NULL;
	struct plan plan;

	if (change->device.hub)
		return;
	if (change->domain && (!turn || !ports_of(change->domain, &change->device) || state_of(&world, change->domain) != RUNNING))
		return;
	asked = change;
	plan = plan_of(&world);
	asked = NULL;
	for (size_t i = 0; i < plan.count; i++)
		apply(&world, &plan.changes[i]);
	free(plan.changes);
	for (size_t i = 0; i < world.held_count; i++)
		if (state_of(&world, world.held[i].domain) == RUNNING && !is_by_port(&world.held[i]) &&
		    hostdev_holds(&world.held[i], &change->device))
			holder = world.held[i].domain;
	if (turn)
		MUST(holder && ports_of(holder, &change->device) && (!change->domain || strcmp(holder, change->domain) == 0));
	check_settled(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { 0 }, settled;
	struct plan plan;

	for (size_t i = 0; i + 3 <= size; i += 3) {
		if (data[i] == 0x7f)
			world.states[data[i + 1] % DOMAINS] = data[i + 2] % STATES;
		else if (data[i] & 0x80)
			hold(&world, data[i] & 0x7f, data[i + 1], data[i + 2]);
		else
			plug(&world, data[i], data[i + 1], data[i + 2]);
	}
	settled = world;
	plan = plan_of(&world);
	check_order_of_input(&world, &plan);
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.changes[i].action == DETACH)
			check_taking_out(&world, &plan.changes[i]);
		else
			check_putting_in(&world, &plan.changes[i]);
		MUST(i == 0 || plan.changes[i].action == ATTACH || plan.changes[i - 1].action == DETACH);
		apply(&settled, &plan.changes[i]);
	}
	free(plan.changes);
	check_settled(&settled);
	for (size_t i = 0; i < world.plugged_count; i++)
		for (size_t domain = 0; domain <= DOMAINS; domain++)
			check_asked(world, &(struct change){ ATTACH, domain < DOMAINS ? domains[domain] : NULL, world.plugged[i], NULL });
	return 0;
}
