/* What the files have for each other, as data flows: a device, its owner in the table, what domains hold, the plan, a change. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>

enum { TEXT = 512 }; /* bytes: room for any text that a function here writes, and returns for convenience */
enum { EXIT_USAGE = 2 };

/* What came of something: where it isn't done, messages end with why. Of libvirt's failures these are its own words. */
struct outcome {
	enum answer {
		DONE,
		NOT_RUNNING, /* libvirt is not up, or the domain is off */
		FAILED,
		LATER,   /* it may work later: the connection was lost, or the domain is busy */
		CLAIMED, /* it may, too, once a program of the host lets go: of that people have to hear */
	} answer;
	char why[TEXT];
};

/* device.c: what a USB device is called; and what an outcome is. */
__attribute__((format(printf, 2, 3))) struct outcome outcome_of(enum answer answer, const char *why, ...);

struct usb_id {
	unsigned int vendor, product; /* 0 to 0xffff */
};

enum { PORT_NAME = 32 }; /* bytes: six hubs deep, a port's name has at most 28 */

struct device {
	const char *devpath;       /* its DEVPATH, or NULL where it is not known */
	char port[PORT_NAME];      /* DEVPATH's last component, such as "3-10.2", or "" */
	unsigned int bus, number;  /* its bus and its device number there: each 1 to 999 */
	bool has_id, hub;
	bool taken_back;           /* a person keeps it with the host */
	struct usb_id id;          /* where has_id */
	struct udev_device *entry; /* of a device that host_read() gave */
};

enum action { ATTACH, DETACH };

/* Sets the device's DEVPATH, and its port from it. */
void device_set_devpath(struct device *device, const char *devpath);

/* Whether both have the same bus and device number; and whether, besides, their ids don't differ. */
bool device_is_at(const struct device *a, const struct device *b);
bool device_is_same(const struct device *a, const struct device *b);

/* Writes the device as messages name it, without what is not known: "3-10.2 (046d:c08e, bus 3 device 7)". */
const char *device_text(const struct device *device, char text[static TEXT]);

/* Reads an id in one of these formats. Returns false, and leaves id alone, where text is anything else. */
#define PRODUCT_ID "%4x/%4x/%*4x%n" /* "46d/c08e/100" */
#define LSUSB_ID "%4x:%4x%n"        /* "046d:c08e" */
bool usb_id_read(const char *text, const char *format, struct usb_id *id);

/* event.c: a udev event, read from the environment that udev (or a person) runs the program with. */
struct event {
	enum action action;
	struct device device;
	bool is_new;             /* the kernel announced the device just now, so that no domain holds it yet */
	const char *bad_product; /* PRODUCT, where it is set but malformed; else NULL */
};

/* Ours is an event about a USB device that came or went. Why one isn't is logged: at level debug, or as an error. */
enum event_kind { EVENT_OURS, EVENT_NOT_OURS, EVENT_BAD };
enum event_kind event_read(struct event *event);

/* ports.c: the table of config.h. */
struct port {
	const char *domain; /* a libvirt domain's name, or HOST */
	const char *path;   /* the DEVPATH of a port, a hub's sub-port, a bus or a controller */
	const char *id;     /* vendor:product that the row is narrowed to, or NULL */
	const char *guest;  /* the port of the guest that the device is plugged into there, "BUS:PORT", or NULL */
};

#define HOST NULL /* as a row's domain: the device stays with the host */

struct table {
	const char *file; /* the config.h that it is from */
	const char *uri;
	unsigned int timeout; /* s: the longest that one event may keep udev waiting */
	const struct port *rows;
	size_t count;
};

const struct table *ports_table(void);

/* The row that the device belongs to, or NULL if it is a hub or no row covers it; and whether one with an id covers its port. */
const struct port *ports_owner(const struct device *device);
bool ports_need_id(const struct device *device);

/* Of the rows that tie with this one, and whose domains take turns with the device, the next behind it, or NULL. HOST takes none. */
const struct port *ports_next(const struct port *row, const struct device *device);

/* That of this domain among them, or NULL. */
const struct port *ports_of(const char *domain, const struct device *device);

/* The port of the guest that the device's row has for it; NULL for any, as for what is behind a hub in the row's port. */
const char *ports_guest(const struct port *row, const struct device *device);

/* Says why a row of the table can never own a device, or returns NULL. */
const char *ports_problem(const struct port *row);

/* Whether the row's path is that of this place, a port or a bus, or of what the place is in, or, if asked for, of what is behind it. */
bool ports_lead_to(const struct port *row, const char *place, bool behind);

/* host.c: the USB devices that are plugged in, hubs and buses among them, as sysfs has them. */
struct host {
	struct udev *udev;
	struct device *devices;
	size_t count;
};

/* Reads what is plugged in now, ordered by DEVPATH. host_free() is due whatever the outcome. */
struct outcome host_read(struct host *host);
void host_free(struct host *host);

/* Whether some device is at this one's address now. */
bool host_has(const struct device *device);

/* Whether a person took the device back; and remembers it until it is replugged, or no longer, which root alone can do. */
bool host_is_taken_back(const struct device *device);
struct outcome host_take_back(const struct device *device, bool taken_back);

/* FAILED where the host uses a disk of the device, or this user may not look; CLAIMED where a program of the host has claimed it. */
struct outcome host_check(const struct host *host, const struct device *device);

/* Of a port, by its DEVPATH: its socket's port on the other bus, "" where the firmware doesn't tell; and its connect_type. */
void host_peer(const char *devpath, char peer[static PORT_NAME]);
bool host_port_is(const char *devpath, const char *connect_type);

/* A sysfs attribute of a device of the host; what it calls itself, or else udev's hardware database. "" if there is none. */
const char *host_attribute(const struct device *device, const char *name);
const char *host_product(const struct device *device);

/* hostdev.c: libvirt's <hostdev>, see https://libvirt.org/formatdomain.html#host-device-assignment */
struct hostdev {
	const char *domain;   /* the domain that has it */
	struct device device; /* its address, 0 where it has none; its id; its port, where our alias or the address has it */
	bool ours;            /* our alias says so */
	bool missing;         /* its device was gone when the domain started */
};

/* Writes the element for a device, to be plugged into this port of the guest, or any where it is NULL. */
const char *hostdev_write(const struct device *device, const char *guest, char xml[static TEXT]);

/* Appends the USB hostdevs of a domain's XML to an array, which is to be freed. Returns 0; -1 where it isn't XML. */
int hostdev_read(const char *xml, const char *domain, struct hostdev **hostdevs, size_t *count);

/* Whether the hostdev is this device: by its address, unless it was missing; or where it has none, by its port (libvirt 12). */
bool hostdev_holds(const struct hostdev *hostdev, const struct device *device);

/* domain.c: libvirt. libvirt_connect() loads the library. */

struct libvirt {
	struct _virConnect *connection;
};

struct domain {
	struct libvirt *libvirt;
	struct _virDomain *handle;
	const char *name;
	bool busy; /* too busy to say what it holds */
};

struct domains {
	struct domain *running;
	struct hostdev *held; /* by those that aren't busy */
	size_t count, held_count;
	bool busy; /* one of them is */
};

struct change {
	enum action action;
	const char *domain;
	struct device device;
	const char *guest; /* the port of the guest, or NULL for any */
};

/* Connected it is to be disconnected. The connection may be lost meanwhile. */
struct outcome libvirt_connect(struct libvirt *libvirt, const char *uri);
void libvirt_disconnect(struct libvirt *libvirt);
bool libvirt_is_connected(const struct libvirt *libvirt);

/* Reads the running domains. domains_free() is due whatever the outcome. */
struct outcome domains_read(struct domains *domains, struct libvirt *libvirt);
void domains_free(struct domains *domains);
const struct domain *domains_find(const struct domains *domains, const char *name);

/* The domain that holds the device, of those that aren't busy, or NULL. */
const char *domains_holder(const struct domains *domains, const struct device *device);

/* Changes a running domain, which no SIGTERM or SIGINT ends halfway, and says so. */
struct outcome domain_change(const struct domain *domain, const struct change *change);

/* DONE where libvirt has the domain and it is running; then it is changed, too, if there is a change. */
struct outcome domain_by_name(struct libvirt *libvirt, const char *name, const struct change *change);

/* Whether it would keep a change waiting: it is being saved, say, or its QEMU doesn't answer. */
bool domain_is_busy(const struct domain *domain);

/* plan.c: what has to change; pure. */
struct plan {
	struct change *changes; /* what is taken out comes before what is put in */
	size_t count;
};

/*
 * Plans what makes the running domains hold what is theirs; what busy ones lack isn't known. A device that a person asks for, unless
 * that is NULL, leaves whoever holds it; to be attached, it goes to the domain asked for, or the same, or the one whose turn it is.
 * The changes are to be freed.
 */
struct plan plan_make(const struct domains *domains, const struct host *host, const struct change *asked);

/* Writes how a message begins that tells why a change, of a domain or NULL, was not made: "vm1: did not attach 3-10.2 (...)". */
const char *change_text(const struct change *change, char text[static TEXT]);

/* scope.c: what a run is about: the port of a device, a domain, or where neither is given, all. */
struct scope {
	const struct device *device;
	const char *domain;
};

/* Leaves of the plan of all what is in scope; and whether the domain is, as all are where none is given. */
void scope_narrow(const struct scope *scope, struct plan *plan);
bool scope_has_domain(const struct scope *scope, const char *name);

/*
 * turn.c: changes are made by one run at a time, from its look to its last change. Waits for the turn, so many seconds at most, and
 * no longer once in_vain() (unless NULL) is true. Returns whether it came, as it does for those who aren't root, and have no turns.
 * close(2) of the file, also where it is -1, gives the turn back.
 */
bool turn_take(int *file, unsigned int seconds, bool (*in_vain)(void));

/* Opens the file on which turns are taken; -1 for whoever has none. */
int turn_open_file(void);

/* retry.c: calls try() in a process of its own while it returns EX_TEMPFAIL, unless another process does it. Returns its status. */
int retry(int (*try)(void));

/* Has that process look again at once. Returns whether there is one; or starts one, and returns its name, or NULL in vain. */
bool retry_wake(void);
const char *retry_start(void);

/* deadline.c: how long libvirt may keep the program, and those who wait for it, waiting; and what is done then. */
struct deadline {
	const char *subject; /* how the message begins that tells of its passing: "vm1: did not attach 3-10.2 (...)" */
	unsigned int seconds;
	int (*give_up)(const char *subject, const char *why); /* says so, and returns the exit status */
	timer_t timer;
};

/* From now on the program gives up after so many seconds, wherever it waits; renewed, from then on. */
void deadline_start(struct deadline *deadline);
void deadline_renew(const struct deadline *deadline);

/* Whether less than a second has passed since. */
bool deadline_is_fresh(const struct deadline *deadline);

/* What an event leaves undone is done by who tries again; where nobody does it is an error, as it is in a list. */
int leave_to_retry(const char *subject, const char *why);
int try_again_later(const char *subject, const char *why);
int fail(const char *subject, const char *why);

/*
 * settle.c: brings what running domains hold in line with the table and what is plugged in: at the event's port, which is this
 * row's; at the port of what a person asks for; or in all of them, or only in one. A dry run prints the changes instead, and takes
 * the event's word for what is held.
 * Each returns the exit status, with every failure logged.
 */
int settle_event(const struct event *event, const struct port *owner, bool dry_run);
int settle_asked(struct change *asked, bool dry_run);
int settle_domains(const char *only, bool dry_run);
int settle_all(void);

/* take.c: -a and -d, of what is plugged into the port or behind it; attached to a domain, unless NULL. Returns the exit status. */
int take(enum action action, const char *port, const char *domain, bool dry_run);

/* list.c: -l. Returns the exit status. */
int list_ports(void);

/* Prints what is wrong with the table; its domains are looked for, too, where libvirt can be asked. Returns whether anything is. */
bool list_problems(FILE *stream, struct libvirt *libvirt);

/*
 * columns.c: how text fits into the columns of a list. How many columns the output has: a terminal's, 80 where it doesn't say, or
 * INT_MAX where it goes elsewhere, and nothing is cut.
 */
int columns_width(void);

/* Copies text that a device has chosen, without what is no character of the locale or has no width, and "*", which ends comments. */
void columns_copy(const char *text, char copy[static TEXT]);

/* How many bytes of a printable text, without blanks at their end, are at most so many columns wide; then columns is theirs. */
int columns_fit(const char *text, int *columns);
int columns_of(const char *text);

/* Prints a line with a path in it, broken at slashes where it would be too wide. */
void columns_print_path(const char *before, const char *path, const char *broken, const char *behind);

/* load.c: libraries that are loaded when needed. Linked, libvirt and 55 others would be loaded for every USB event. */

#define LIBVIRT "libvirt.so.0"

/* A file has one list of the functions it uses, F(one) F(two), and calls them as sym_one(), sym_two(). */
#define LOAD_DECLARE(function) static __typeof__(function) *sym_##function;
#define LOAD_SYMBOL(function) { #function, (void **)&sym_##function },

struct symbol {
	const char *name;
	void **function;
};

/* Loads a library and finds the file's functions in it. Returns 0; -1, with dlerror(3) set, where one is missing. */
#define LOAD_LIBRARY(soname) load_library(soname, (const struct symbol[]){ FUNCTIONS(LOAD_SYMBOL) { NULL, NULL } })
int load_library(const char *soname, const struct symbol *symbols);

/* Tells packagers of the library: https://uapi-group.org/specifications/specs/elf_dlopen_metadata/ */
#define LOAD_NOTE(feature, description, soname) \
	LOAD_NOTE_OF("[{\"feature\":\"" feature "\",\"description\":\"" description \
		     "\",\"priority\":\"required\",\"soname\":[\"" soname "\"]}]")
#define LOAD_NOTE_OF(json) \
	__attribute__((used, aligned(4), section(".note.dlopen"))) static const struct { \
		uint32_t name_size, content_size, type; \
		char name[4], content[sizeof(json)]; \
	} note = { 4, sizeof(json), 0x407c0c0a, "FDO", json }

/* log.c: messages, to syslog, and to stderr for whoever runs the program. To be called first; log_debug() needs verbose. */
void log_open(bool verbose);

/* Logs one line, of a kilobyte at most, without the control characters that devices and the environment may have. */
__attribute__((format(printf, 2, 3))) void log_line(int level, const char *format, ...);

/* From now on, in this process and its children, what has LOG_ONCE is left out if it was said since the last such call. */
enum { LOG_ONCE = 1 << 16 };
void log_begin_round(void);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
