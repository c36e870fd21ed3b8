#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <unistd.h>
#include <wchar.h>

#include "hotplug.h"

int columns_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return INT_MAX;
	return size.ws_col ? size.ws_col : 80;
}

void columns_copy(const char *text, char copy[static TEXT])
{
	char *end = copy;
	wchar_t character;

	while (*text && end + MB_CUR_MAX < copy + TEXT) {
		const int length = mbtowc(&character, text, MB_CUR_MAX);

		if (length > 0 && wcwidth(character) > 0 && character != L'*')
			end = mempcpy(end, text, (size_t)length);
		else
			*end++ = '?';
		text += MAX(length, 1);
	}
	*end = '\0';
}

int columns_fit(const char *text, int *columns)
{
	const char *at = text;
	int width = 0;
	wchar_t character;

	while (*at) {
		const int length = mbtowc(&character, at, MB_CUR_MAX);

		if (length < 1 || width + wcwidth(character) > *columns)
			break;
		width += wcwidth(character);
		at += length;
	}
	for (; at > text && at[-1] == ' '; at--)
		width--;
	*columns = width;
	return (int)(at - text);
}

int columns_of(const char *text)
{
	int columns = INT_MAX;

	columns_fit(text, &columns);
	return columns;
}

void columns_print_path(const char *before, const char *path, const char *broken, const char *behind)
{
	const int indent = (int)strlen(strchr(broken, '\n') + 1), width = columns_width();
	int column = printf("%s", before);

	while (*path) {
		const int length = 1 + (int)strcspn(path + 1, "/");
		const int room = width - column - (path[length] ? (int)strcspn(broken, "\n") : (int)strlen(behind));

		if (length > room && column > indent) {
			fputs(broken, stdout);
			column = indent;
		}
		column += printf("%.*s", length, path);
		path += length;
	}
	puts(behind);
}
