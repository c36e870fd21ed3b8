/* Messages: to syslog, and to stderr for the person who runs the program by hand. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <syslog.h>

/* To be called first. Without verbose, log_debug() says nothing. */
void log_open(bool verbose);

/*
 * Logs one line. Control characters in it become spaces, for parts of it come from devices and from the
 * environment; what is longer than a kilobyte is cut.
 */
__attribute__((format(printf, 2, 3))) void log_line(int level, const char *format, ...);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
