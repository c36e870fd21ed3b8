VERSION = 1.0
PREFIX = /usr/local
SYSCONFDIR = /etc
CONFIG = config.h

# CC, CFLAGS, CPPFLAGS and LDFLAGS from the command line come after these.
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla
C_FLAGS = -std=gnu11 -O2 -g $(WARNINGS) -fPIE -fstack-protector-strong
CPP_FLAGS = -D_GNU_SOURCE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -DVERSION='"$(VERSION)"' \
	$(shell pkg-config --cflags libvirt libxml-2.0 libudev)
# Packed relocations are those of the table's pointers, which the dynamic linker goes through for each event.
LD_FLAGS = -pie -Wl,-z,relro,-z,now,-z,pack-relative-relocs -Wl,--as-needed
COMPILE = $(CC) $(CPP_FLAGS) $(C_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(LD_FLAGS) $(LDFLAGS) -ldl -lrt -lpthread
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all

NAME = libvirt-usb-hotplug
SOURCES = $(wildcard src/*.c)
INPUTS = $(SOURCES) $(wildcard src/*.h) Makefile build/flags
UNITS = $(basename $(notdir $(wildcard tests/unit/*.c)))
FUZZERS = $(basename $(notdir $(wildcard tests/fuzz/*.c)))
BINARY = $(DESTDIR)$(PREFIX)/sbin/$(NAME)
RULES = $(DESTDIR)$(PREFIX)/lib/udev/rules.d/99-$(NAME).rules
HOOK = $(DESTDIR)$(SYSCONFDIR)/libvirt/hooks/qemu.d/$(NAME)
MANUAL = $(DESTDIR)$(PREFIX)/share/man/man8/$(NAME).8
PACKAGES = gcc make pkg-config libc6-dev libvirt-dev libxml2-dev libudev-dev libcmocka-dev perl python3 clang clang-tidy \
	cppcheck shellcheck mmdebstrap uidmap debian-archive-keyring e2fsprogs util-linux qemu-system-x86 mandoc hyperfine git

all: $(NAME) build/99-$(NAME).rules build/qemu-hook

# Holds what the last build was made with, so that another CONFIG, PREFIX or flag makes a new one.
build/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK) $(CONFIG) $(PREFIX)' | cmp -s - $@ || echo '$(COMPILE) $(LINK) $(CONFIG) $(PREFIX)' >$@

$(NAME): $(INPUTS) $(CONFIG)
	$(COMPILE) -DCONFIG='"$(abspath $(CONFIG))"' $(SOURCES) -o $@ $(LINK)

build/99-$(NAME).rules build/qemu-hook: build/%: rules/%.in build/flags
	sed 's|@BINARY@|$(PREFIX)/sbin/$(NAME)|' $< >$@

install: all
	install -D -m 755 $(NAME) $(BINARY)
	install -D -m 644 build/99-$(NAME).rules $(RULES)
	install -D -m 644 src/$(NAME).8 $(MANUAL)
	@$(if $(DESTDIR),,test -e $(HOOK) || echo 'If libvirt had no hook so far: systemctl restart libvirtd')
	install -D -m 755 build/qemu-hook $(HOOK)
	$(RELOAD)

uninstall:
	rm -f $(BINARY) $(RULES) $(MANUAL) $(HOOK)
	$(RELOAD)

# A packager's DESTDIR is no running system.
RELOAD = $(if $(DESTDIR),,udevadm control --reload || echo 'udev is not running here, and will read its rules when it starts')

# The same tests twice: on the program as it is built for users, and with the sanitizers watching.
check-fast: $(UNITS:%=build/unit/%) $(UNITS:%=build/sanitized/unit/%) build/cli/$(NAME) build/sanitized/cli/$(NAME)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(UNITS:%=build/unit/%) $(UNITS:%=build/sanitized/unit/%)
	PROGRAM=build/cli/$(NAME) prove tests/cli
	PROGRAM=build/sanitized/cli/$(NAME) prove tests/cli

build/sanitized/%: private C_FLAGS += $(SANITIZE)
# AddressSanitizer looks at start-up for the functions that it wraps, some of which libvirt calls.
build/sanitized/%: private LD_FLAGS += -Wl,--no-as-needed -lvirt

# A test includes the source file that it is named after, and so reaches its static functions.
define COMPILE_WITH_TEST
@mkdir -p $(@D)
$(COMPILE) -DCONFIG='"$(abspath tests/unit/config.h)"' $< $(filter-out src/main.c src/$*.c,$(SOURCES)) -o $@ $(LINK)
endef
build/unit/% build/sanitized/unit/% build/coverage/unit/%: private LINK += -lcmocka
build/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)
build/sanitized/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)
build/coverage/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)

build/cli/$(NAME) build/sanitized/cli/$(NAME) build/coverage/cli/$(NAME): $(INPUTS) tests/cli/config.h
	@mkdir -p $(@D)
	$(COMPILE) -DCONFIG='"$(abspath tests/cli/config.h)"' $(SOURCES) -o $@ $(LINK)

# Debian's release in the lab; TESTS picks scenarios by words in their names.
SUITE = bookworm
TESTS =

check-vm:
	tests/vm/run $(SUITE) $(TESTS)

check: check-fast check-vm

demo:
	tests/vm/demo $(SUITE)

# Which of the lines of src/ the unit and command-line tests run, as gcc counts them.
coverage: $(UNITS:%=build/coverage/unit/%) build/coverage/cli/$(NAME)
	find build/coverage -name '*.gcda' -delete
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(UNITS:%=build/coverage/unit/%)
	PROGRAM=build/coverage/cli/$(NAME) prove tests/cli
	tests/coverage build/coverage

build/coverage/%: private override CC = gcc
build/coverage/%: private C_FLAGS += --coverage -O0

# Seconds for each of the fuzz targets. What they find, and what they learn, stays in build/fuzz.
FUZZ_SECONDS = 60

fuzz: $(FUZZERS:%=build/fuzz/%)
	for target in $(FUZZERS); do \
		mkdir -p build/fuzz/learnt/$$target && \
		build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/$$target- build/fuzz/learnt/$$target tests/fuzz/corpus/$$target || exit; \
	done

build/fuzz/%: private override CC = clang
build/fuzz/%: private C_FLAGS += $(SANITIZE) -fsanitize=fuzzer
build/fuzz/%: private LD_FLAGS += -Wl,--no-as-needed -lvirt
build/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)

bench: all
	tests/bench/event ./$(NAME) $(CC)

lint: LINT = $(CPP_FLAGS) $(C_FLAGS) -DCONFIG='"$(abspath config.h)"'
lint:
	for file in $(SOURCES); do \
		clang-tidy --quiet $$file -- $(LINT) && \
		gcc -fanalyzer -Werror $(LINT) -c $$file -o /dev/null && \
		clang -Werror $(LINT) -c $$file -o /dev/null || exit; \
	done
	cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=unusedStructMember -DCONFIG='"../config.h"' $(SOURCES)
	shellcheck -x rules/qemu-hook.in tests/cli/*.t tests/vm/image tests/vm/image.d/* tests/bench/event .ci/run
	mandoc -T lint -W warning src/$(NAME).8

deps:
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(PACKAGES)

dist:
	git archive --prefix=$(NAME)-$(VERSION)/ -o $(NAME)-$(VERSION).tar.gz HEAD

clean:
	rm -rf build $(NAME)

FORCE:
.NOTPARALLEL:
.PHONY: all install uninstall check check-fast check-vm lint demo bench deps dist clean FORCE
