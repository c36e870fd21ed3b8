#include <stdarg.h>
#include <stdio.h>

#include "hotplug.h"

void log_open(bool verbose)
{
	/* LOG_PERROR always: udevd keeps a helper's stderr out of the journal, unless it is told to debug. */
	openlog("libvirt-usb-hotplug", LOG_PERROR, LOG_DAEMON);
	setlogmask(LOG_UPTO(verbose ? LOG_DEBUG : LOG_INFO));
}

void log_line(int level, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			*c = ' ';
	syslog(level, "%s", line);
}
