/* A udev event, read from the environment that udev (or a person) runs the program with. */
#ifndef EVENT_H
#define EVENT_H

#include "device.h"

struct event {
	enum change change;
	struct device device;
	const char *bad_product; /* PRODUCT, where it is set but malformed; else NULL */
};

/*
 * Reads the event. Returns 1 where it is about a USB device that came or went; 0, with the reason logged at
 * level debug, where it isn't; -1, with the variable and its value logged, where a variable is bad.
 */
int event_read(struct event *event);

#endif
