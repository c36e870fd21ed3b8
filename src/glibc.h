/*
 * Included first everywhere. Of the functions that read numbers, glibc 2.38 has a second kind that takes "0b1" as C23 does, and has
 * _GNU_SOURCE call that: the program would not start with an older glibc.
 */
#pragma once

#include <features.h>

#undef __GLIBC_USE_C23_STRTOL
#define __GLIBC_USE_C23_STRTOL 0
#undef __GLIBC_USE_C2X_STRTOL
#define __GLIBC_USE_C2X_STRTOL 0
