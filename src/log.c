#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "hotplug.h"

enum { LINE = 1024 };

/* What was said in the round before, and in this one: lines, each between two line breaks. Shared with child processes. */
static struct rounds {
	char before[16 * LINE], now[16 * LINE];
} *rounds;

void log_open(bool verbose)
{
	/* LOG_PERROR always: udevd keeps a helper's stderr out of the journal, unless it is told to debug. */
	openlog("libvirt-usb-hotplug", LOG_PERROR, LOG_DAEMON);
	setlogmask(LOG_UPTO(verbose ? LOG_DEBUG : LOG_INFO));
}

void log_begin_round(void)
{
	if (!rounds)
		rounds = mmap(NULL, sizeof(*rounds), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rounds == MAP_FAILED) {
		rounds = NULL;
		return;
	}
	memcpy(rounds->before, rounds->now, sizeof(rounds->before));
	strcpy(rounds->now, "\n");
}

/* Whether the round before said this, too; notes that this one does. The level makes a difference. */
static bool was_said(int level, const char *line)
{
	char entry[LINE + sizeof("\n3 \n")];
	const size_t length = (size_t)snprintf(entry, sizeof(entry), "\n%d %s\n", level, line), used = strlen(rounds->now);

	if (used + length <= sizeof(rounds->now))
		memcpy(rounds->now + used - 1, entry, length + 1);
	return strstr(rounds->before, entry);
}

void log_line(int level, const char *format, ...)
{
	const bool once = level & LOG_ONCE;
	char line[LINE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			*c = ' ';
	level &= ~LOG_ONCE;
	if (!once || !rounds || !was_said(level, line))
		syslog(level, "%s", line);
}
