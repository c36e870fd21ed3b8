/* -s: brings running domains in line with what is plugged in now. */
#ifndef SYNC_H
#define SYNC_H

#include <stdbool.h>

/*
 * Syncs the running domains that the table names, or only the one of that name, if the table names it. A dry run
 * prints the changes instead. Returns 0, or -1 with every failure logged.
 */
int sync_domains(const char *only, bool dry_run);

#endif
