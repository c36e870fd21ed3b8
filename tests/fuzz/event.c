/* The environment, a NAME=VALUE on each line: whatever it holds, an event that is accepted has sound values. */
#include "../../src/event.c"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setlogmask(LOG_MASK(LOG_EMERG)); /* which the program never logs at */
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size), *next = text, *line;
	struct event event;
	enum event_kind kind;

	clearenv();
	while ((line = strsep(&next, "\n")))
		if (strchr(line, '='))
			putenv(line);
	kind = event_read(&event);
	if (kind == EVENT_OURS) {
		char words[TEXT];

		MUST(event.action == ATTACH || event.action == DETACH);
		MUST(event.device.bus >= 1 && event.device.bus <= 999);
		MUST(event.device.number >= 1 && event.device.number <= 999);
		MUST(event.device.devpath && *event.device.devpath);
		MUST(event.device.has_id || event.bad_product || !getenv("PRODUCT"));
		MUST(!event.device.has_id || (event.device.id.vendor <= 0xffff && event.device.id.product <= 0xffff));
		MUST(strlen(device_text(&event.device, words)) < TEXT);
	}
	clearenv();
	free(text);
	return 0;
}
