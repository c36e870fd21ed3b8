NAME = libvirt-usb-hotplug
VERSION = 1.0
PREFIX = /usr/local
SYSCONFDIR = /etc
# A table of one's own, which no update touches, or else what is here.
CONFIG = $(firstword $(wildcard /etc/$(NAME).h) config.h)

# CC, CFLAGS, CPPFLAGS and LDFLAGS from the command line come after these.
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wfatal-errors
C_FLAGS = -std=gnu11 -O2 -g $(WARNINGS) -fPIE -fstack-protector-strong
CPP_FLAGS = -include src/glibc.h -D_GNU_SOURCE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -DVERSION='"$(VERSION)"' \
	$(shell pkg-config --cflags libvirt libxml-2.0 libudev)
LD_FLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
COMPILE = $(CC) $(CPP_FLAGS) $(C_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(LD_FLAGS) $(LDFLAGS) -ldl -lrt -lpthread

SOURCES = $(wildcard src/*.c)
INPUTS = $(SOURCES) $(wildcard src/*.h) Makefile build/flags
BINARY = $(DESTDIR)$(PREFIX)/sbin/$(NAME)
RULES = $(DESTDIR)$(PREFIX)/lib/udev/rules.d/99-$(NAME).rules
HOOK = $(DESTDIR)$(SYSCONFDIR)/libvirt/hooks/qemu.d/$(NAME)
MANUAL = $(DESTDIR)$(PREFIX)/share/man/man8/$(NAME).8
SERVICE = $(DESTDIR)$(PREFIX)/lib/systemd/system/$(NAME).service
# eudev doesn't look into /usr/local, and where there is no systemd, it may be eudev.
EUDEV_RULES = $(SYSCONFDIR)/udev/rules.d/99-$(NAME).rules
LOCK = /run/$(NAME).lock
TEMPLATES = build/99-$(NAME).rules build/qemu-hook build/$(NAME).service

all: $(NAME) $(TEMPLATES) build/$(NAME).8

# Holds what the last build was made with, so that another CONFIG, PREFIX or flag makes a new one.
build/flags: FLAGS = $(COMPILE) $(LINK) $(CONFIG) $(PREFIX) $(SYSCONFDIR)
build/flags: FORCE
	@mkdir -p $(@D) && [ -w $(@D) ] || { echo 'build/ is not yours. To have it back: sudo chown -R $$(id -u) build $(NAME)'; exit 1; }
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@

$(NAME): BUILD = $(COMPILE) -DCONFIG='"$(abspath $(CONFIG))"' $(SOURCES) -o $@ $(LINK)
$(NAME): $(INPUTS) $(CONFIG)
	$(info $(BUILD))
	@$(BUILD) || { echo 'What it takes to build is in README.md. If it is about your table:'; \
		echo '$(CONFIG) is to be a copy of config.h, with rows above its last "};"'; exit 1; }

$(TEMPLATES): build/%: rules/%.in build/flags
build/$(NAME).8: src/$(NAME).8 build/flags
$(TEMPLATES) build/$(NAME).8:
	sed 's|@BINARY@|$(PREFIX)/sbin/$(NAME)|g; s|@PREFIX@|$(PREFIX)|g; s|@SYSCONFDIR@|$(SYSCONFDIR)|g' $< >$@

# A packager's DESTDIR is no running system: nothing is asked, run or reloaded there. A libvirtd that is about to start ignores a
# reload, but answers "-n -s", which says what is wrong with the table, once it no longer does.
install: all
	$(GIVE_BACK)
	$(if $(DESTDIR)$(FORCE),,@! ./$(NAME) $(HAS_NO_ROWS) || [ ! -e $(BINARY) ] || \
		$(BINARY) $(HAS_NO_ROWS) || \
		{ echo "$$($(BINARY) -V) is installed, and $(CONFIG) is empty."; \
		echo 'To install the table in another file: CONFIG=FILE; to install the empty one all the same: FORCE=1'; exit 1; })
	install -D -m 755 $(NAME) $(BINARY)
	install -D -m 644 build/99-$(NAME).rules $(RULES)
	$(if $(DESTDIR),,[ ! -d /run/systemd/system ] || )install -D -m 644 build/$(NAME).service $(SERVICE)
	$(if $(DESTDIR),,[ -d /run/systemd/system ] || [ ! -d $(dir $(EUDEV_RULES)) ] || ln -sf $(RULES) $(EUDEV_RULES))
	install -D -m 644 build/$(NAME).8 $(MANUAL)
	install -D -m 755 build/qemu-hook $(HOOK)
	$(if $(DESTDIR),,@printf 'Installed: '; $(BINARY) -V; $(BINARY) -n -s >/dev/null || :)
	$(RELOAD)
	$(if $(DESTDIR),,@$(RESTART))
	$(if $(DESTDIR),,@if $(BINARY) $(HAS_NO_ROWS); \
		then echo 'Next, to see your ports, and rows to paste into your table: sudo $(NAME) -l'; \
		else echo 'Next, to bring what is plugged in already in line: sudo $(NAME) -s'; \
	fi)

uninstall:
	rm -f $(BINARY) $(RULES) $(SERVICE) $(MANUAL) $(HOOK) $(if $(DESTDIR),,$(EUDEV_RULES))
	@rmdir $(DIRECTORIES) 2>/dev/null || :
	$(RELOAD)
	$(if $(DESTDIR),,@$(STOP) 2>/dev/null; rm -f $(LOCK))

# What "install" may have made: gone, where it is empty.
DIRECTORIES = $(addprefix $(DESTDIR)$(PREFIX)/,lib/udev/rules.d lib/udev lib/systemd/system lib/systemd share/man/man8) \
	$(dir $(HOOK))

# Behind the name of a program, tells of its table, which that alone knows for certain.
HAS_NO_ROWS = -V 2>/dev/null | grep -q ' with 0 rows$$'

# udev's rules, systemd's units and libvirt's hooks.
RELOAD = $(if $(DESTDIR),,@udevadm control --reload || echo 'udev is not running here, and will read its rules when it starts'; \
	if [ -d /run/systemd/system ]; then \
		systemctl daemon-reload; \
		for daemon in libvirtd virtqemud; do ! systemctl --quiet is-active $$daemon || systemctl reload $$daemon; done; \
	else \
		pkill -HUP -x '(.*/)?(libvirtd|virtqemud)' || [ $$? -eq 1 ] || \
			echo 'If libvirtd is running, have it read its hooks: sudo kill -HUP $$(cat /run/libvirtd.pid)'; \
	fi)

# The service, or the processes: the kernel keeps 15 characters of a name, and busybox's pkill looks at the path that it was run by.
# What is trying goes on with the new table, also once sudo has taken its terminal away.
PROCESSES = '(.*/)?libvirt-usb-hot(plug)?'
RESTART = if [ -d /run/systemd/system ]; then systemctl try-restart $(NAME).service; \
	elif pkill -x $(PROCESSES); then nohup $(BINARY) -r </dev/null >/dev/null 2>&1 & fi
STOP = if [ -d /run/systemd/system ]; then systemctl stop $(NAME).service; else pkill -x $(PROCESSES); fi

# What sudo made here belongs to whom the directory belongs, who will want to make it anew.
GIVE_BACK = @chown -hR "$$(stat -c %u:%g .)" build $(NAME) 2>/dev/null || :

-include tests/tests.mk

PACKAGES = gcc make pkg-config libc6-dev libvirt-dev libxml2-dev libudev-dev \
	libcmocka-dev perl python3 umockdev mmdebstrap uidmap debian-archive-keyring e2fsprogs util-linux qemu-system-x86
# Half of all, which is left out where the other goals on the command line have no use for it: "make deps demo".
ifneq ($(filter-out all install demo storm check check-%,$(or $(filter-out deps,$(MAKECMDGOALS)),deps)),)
PACKAGES += clang clang-tidy libclang-rt-dev cppcheck shellcheck mandoc musl-tools binutils hyperfine strace time git
endif

deps:
	@command -v apt-get >/dev/null || { echo 'No apt-get here: README.md has what to install on Fedora, Arch and openSUSE'; exit 1; }
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(PACKAGES)

dist:
	git archive --prefix=$(NAME)-$(VERSION)/ -o $(NAME)-$(VERSION).tar.gz HEAD

clean:
	rm -rf build $(NAME)

FORCE:
.NOTPARALLEL:
.PHONY: all install uninstall deps dist clean FORCE
