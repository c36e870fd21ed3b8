/* -l: what is plugged in, where each port goes, and what is wrong with the table. */
#ifndef LIST_H
#define LIST_H

/* Prints the list. Returns 0; 1 where the table has mistakes; -1, logged, where sysfs can't be read. */
int list_ports(void);

#endif
