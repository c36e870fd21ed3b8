/*
 * Libraries that are loaded when they are needed. The dynamic linker would load those that the program is linked
 * with for every USB event of the machine: libvirt alone brings some 55 others along.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

/* A file has one list of the functions it uses, F(one) F(two), and calls them as sym_one(), sym_two(). */
#define LOAD_DECLARE(function) static __typeof__(function) *sym_##function;
#define LOAD_SYMBOL(function) { #function, (void **)&sym_##function },

struct symbol {
	const char *name;
	void **function;
};

/* Loads a library and finds the functions in it. Returns -1, with dlerror(3) set, where one is missing; else 0. */
int load_library(const char *soname, const struct symbol symbols[], size_t count);

/* Tells packagers of the library: https://uapi-group.org/specifications/specs/elf_dlopen_metadata/ */
#define LOAD_NOTE(feature, description, soname) \
	LOAD_NOTE_OF("[{\"feature\":\"" feature "\",\"description\":\"" description \
		     "\",\"priority\":\"required\",\"soname\":[\"" soname "\"]}]")
#define LOAD_NOTE_OF(json) \
	__attribute__((used, aligned(4), section(".note.dlopen"))) static const struct { \
		uint32_t name_size, content_size, type; \
		char name[4], content[sizeof(json)]; \
	} note = { 4, sizeof(json), 0x407c0c0a, "FDO", json }

#endif
