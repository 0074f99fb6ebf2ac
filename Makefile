# rehost: one file, not recursive; everything made goes to $(B).
#
#   make                the program, $(B)/rehost
#   make check          every test; as root also those that boot guests
#   make check-vm       as root: those that need cgroup v2 alone, in a machine
#   make V=1 ...        shows the commands
#   make WERROR= ...    warnings are not errors (for packagers)
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS are the user's; what the code needs stands
# in variables of its own. Nothing here calls pkg-config or the compiler before
# a rule needs them, so that `make deps` works where they are missing.

VERSION := 0.1.0
B := build
V := 0
CORPUS :=
SECONDS := 30

# make predefines CC, so that ?= would never take effect
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS := -O2 -g
PKG_CONFIG := pkg-config
WERROR := -Werror

prefix := /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
completiondir = $(datarootdir)/bash-completion/completions
INSTALL := install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA = $(INSTALL) -m 644

MAKEFLAGS += -r --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
ifneq ($(V),1)
.SILENT:
endif

# --- what there is -----------------------------------------------------------

MAIN := $(wildcard src/cli/main.c)
# a program of its own, for guests: static, of the C library alone
SHIM := $(sort $(wildcard runtime/shim/*.c))
SOURCES := $(sort $(filter-out $(MAIN) $(SHIM),$(wildcard src/*.c src/*/*.c \
	importers/*.c importers/*/*.c runtime/*.c runtime/*/*.c)))
CHECKS := $(patsubst tests/%.c,$(B)/%,$(sort $(wildcard tests/check_*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/%,$(sort $(wildcard tests/fuzz/*.c)))
# scripts that print TAP; the others in tests/ are tools or parts of these
SCRIPTS := $(wildcard $(addprefix tests/,capture.sh check_fixtures.sh golden.sh cli.sh images.sh schema.sh robust.sh docs.sh upgrade.sh))
ROOT_SCRIPTS := $(sort $(wildcard tests/root/*.sh))
MAN := $(wildcard src/man/*.1 src/man/*.5)
SCHEMAS := $(wildcard src/report/*.schema.json)

# an importer is importers/NAME.c, an emitter src/emit/NAME.c; emit*.c help
IMPORTERS := $(patsubst importers/%.c,%,$(wildcard importers/*.c))
EMITTERS := $(patsubst src/emit/%.c,%, \
	$(filter-out src/emit/emit%,$(wildcard src/emit/*.c)))

EMBEDDED := $(notdir $(wildcard src/*/*.sh src/*/*.css) $(SCHEMAS))
EMBED := $(EMBEDDED:%=$(B)/embed/%.inc)
GENERATED := $(B)/importers.def $(B)/emitters.def $(EMBED) \
	$(B)/embed/rehost-init.inc

LIBRARY := $(B)/librehost.a
PROGRAM := $(MAIN:src/cli/main.c=$(B)/rehost)
OBJECTS := $(SOURCES:%.c=$(B)/obj/%.o)

# --- how it is compiled ------------------------------------------------------

PACKAGES := libarchive libxml-2.0 ext2fs com_err jansson yaml-0.1 libcrypto libzstd libconfuse \
	libcgroup libnl-route-3.0 libseccomp

WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wwrite-strings -Wcast-qual -Wvla -Walloca -Wundef -Wswitch-enum \
	-Wimplicit-fallthrough -Wdouble-promotion -Wconversion \
	-Wno-sign-conversion
# not every compiler, machine or -O level has these: it is asked
WARN_ASK := -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
	-Wjump-misses-init -Wnull-dereference
HARDEN_ASK := -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero
HARDEN_LINK := -Wl,-z,relro,-z,now,-z,noexecstack

# $(call once,NAME,COMMAND): NAME is COMMAND's output, found at its first use
once = $(eval $(1) := $(shell $(2)))$($(1))
ask = for f in $(1); do echo '\#include <stdio.h>' | \
	$(CC) $(CPPFLAGS) $(CFLAGS) -Werror "$$f" -x c -c -o /dev/null - \
	2>/dev/null && echo "$$f"; done
ASKED = $(call once,ASKED,$(call ask,$(WARN_ASK) $(HARDEN_ASK)))
# headers of libraries are the system's: not ours to warn about
PKG_CFLAGS = $(call once,PKG_CFLAGS,$(PKG_CONFIG) --cflags $(PACKAGES) | \
	sed 's/-I/-isystem /g')
PKG_LIBS = $(call once,PKG_LIBS,$(PKG_CONFIG) --libs $(PACKAGES))
CHECK_LIBS = $(call once,CHECK_LIBS,$(PKG_CONFIG) --libs check)

COMPILE = $(CC) -std=gnu11 -D_GNU_SOURCE -Isrc -I. -I$(B) \
	-include src/base/banned.h $(WARN) $(ASKED) $(WERROR) -fPIE \
	-fno-common -fno-strict-overflow $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) -pie -Wl,--as-needed $(HARDEN_LINK) $(LDFLAGS)
LIBS = $(PKG_LIBS) -lcap -pthread

.PHONY: all FORCE
all: $(LIBRARY) $(PROGRAM)

$(B)/rehost: $(B)/obj/src/cli/main.o $(LIBRARY)
	$(LINK) -o $@ $^ $(LIBS)

# q, not r: files of one name in two folders are both members
$(LIBRARY): $(OBJECTS) $(B)/sources
	rm -f $@
	ar qcs $@ $(OBJECTS)

$(CHECKS): $(B)/%: $(B)/obj/tests/%.o $(LIBRARY)
	$(LINK) -o $@ $^ $(CHECK_LIBS) $(LIBS)

$(FUZZERS): $(B)/%: $(B)/obj/tests/fuzz/%.o $(LIBRARY)
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(B)/obj/%.o: %.c $(B)/flags | $(GENERATED)
	mkdir -p $(@D)
	$(COMPILE) -DREHOST_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# Files that are written only when their text changes.
$(B)/flags: TEXT = printf '%s\n' '$(COMPILE)' '$(VERSION)'
$(B)/sources: TEXT = printf '%s\n' $(SOURCES)
$(B)/importers.def: TEXT = printf 'IMPORTER(%s)\n' $(IMPORTERS)
$(B)/emitters.def: TEXT = printf 'EMITTER(%s)\n' $(EMITTERS)
$(B)/flags $(B)/sources $(B)/importers.def $(B)/emitters.def: FORCE
	mkdir -p $(@D)
	$(TEXT) | sed '/()$$/d' >$@.$$$$ && \
	if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

# It runs in the guest: neither sanitizers nor the user's flags are for it.
$(B)/rehost-init: $(SHIM) $(wildcard runtime/shim/*.h) $(B)/flags
	$(CC) -std=gnu11 -D_GNU_SOURCE -I. -include src/base/banned.h $(WARN) \
		$(WERROR) -static -Os -fstack-protector-strong -s \
		-Wl,--build-id=none,-z,noexecstack -o $@ $(SHIM)

# A file as the elements of a char array, without the last comma.
vpath %.sh $(wildcard src/*)
vpath %.css $(wildcard src/*)
vpath %.schema.json src/report
$(EMBED): $(B)/embed/%.inc: %
$(B)/embed/rehost-init.inc: $(B)/rehost-init
$(EMBED) $(B)/embed/rehost-init.inc:
	mkdir -p $(@D)
	od -An -v -tx1 $< | sed "s/ \(..\)/'\\\\x\1',/g; \$$s/,\$$//" >$@

# --- tests -------------------------------------------------------------------

# Scripts find the program in REHOST, the test programs in B.
TEST_ENV = B=$(B) REHOST=$(abspath $(B))/rehost V=$(V)
RUN = $(TEST_ENV) sh tests/run.sh

.PHONY: deps check check-run check-vm demo docs accept corpus bench
deps:
	sh tests/deps.sh

# deps may bring the tools that later rules ask: so they run in a make anew
check: deps
	$(MAKE) check-run

HAVE_CHECK := $(shell $(PKG_CONFIG) --exists check 2>/dev/null && echo yes)
check-run: all $(if $(HAVE_CHECK),$(CHECKS))
	$(RUN) $(CHECKS) $(SCRIPTS) $(ROOT_SCRIPTS)

# In a virtual machine, by emulation: apart from check, for it takes minutes.
# PART is a pattern of parts: devices box limits nets guests native sabotage.
PART := *
check-vm: deps
	sh tests/deps.sh vm
	$(MAKE) all $(B)/check_box $(B)/check_devprog
	$(TEST_ENV) bash tests/vm/run.sh '$(PART)'

demo: deps
	$(MAKE) all
	$(TEST_ENV) tests/demo.sh

docs: all
	$(TEST_ENV) tests/docs.sh --write

accept: all
	$(TEST_ENV) tests/golden.sh --accept

corpus: all
	$(if $(CORPUS),,$(error say which: make corpus CORPUS=DIR))
	$(TEST_ENV) tests/corpus.sh $(CORPUS)

# mk*.sh make what the others measure
BENCHES := $(filter-out tests/bench/mk%,$(sort $(wildcard tests/bench/*.sh)))
bench: all
	for t in $(BENCHES); do \
		$(TEST_ENV) "$$t" || exit; done

# Instrumented builds have folders of their own and warn as the plain one does
# not: what the sanitizers insert confuses the compiler's analysis.
.PHONY: asan asan-run fuzz fuzz-run coverage coverage-run
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
asan:
	$(MAKE) B=build-asan WERROR=-w HARDEN_ASK= \
		CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE)' asan-run

# with CK_FORK Check would show a leak only as "early exit"
asan-run: all $(CHECKS)
	CK_FORK=no UBSAN_OPTIONS=print_stacktrace=1 $(RUN) $(CHECKS) \
		$(if $(PROGRAM),$(wildcard tests/golden.sh tests/cli.sh))

fuzz:
	$(MAKE) B=build-fuzz CC=clang WERROR=-w HARDEN_ASK= \
		CFLAGS='-O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link' fuzz-run

# FUZZ=fuzz_NAME runs one of them
FUZZ := $(notdir $(FUZZERS))
fuzz-run: $(FUZZ:%=$(B)/%) $(B)/rehost
	for f in $(FUZZ); do \
		echo "$$f: $(SECONDS) seconds"; mkdir -p $(B)/corpus/$$f; \
		sh tests/fuzz/seeds.sh $$f | \
			xargs -I{} cp --backup=t {} $(B)/corpus/$$f && \
		sh tests/fuzz/dict.sh $(B)/rehost $$f >$(B)/$$f.dict && \
		dict=-dict=$(B)/$$f.dict; [ -s $${dict#*=} ] || dict=; \
		$(B)/$$f -max_total_time=$(SECONDS) -timeout=10 $$dict \
			-print_final_stats=1 -artifact_prefix=$(B)/$$f- \
			$(B)/corpus/$$f >$(B)/$$f.log 2>&1 || \
			{ tail -n 60 $(B)/$$f.log; exit 1; }; \
		grep number_of_executed_units $(B)/$$f.log; done

coverage:
	$(MAKE) B=build-cov WERROR=-w CFLAGS='-O0 -g --coverage' coverage-run

coverage-run: check-run
	gcov -n $(OBJECTS:.o=.gcda) 2>/dev/null | awk -F "[':% ]" \
		'/^File/ { f = $$3 } /^Lines/ && f ~ /^[^\/].*c$$/ \
		{ printf "%6.1f%%  %s\n", $$3, f; f = "" }' | sort -n

# --- lint --------------------------------------------------------------------

.PHONY: lint format
lint: all
	$(TEST_ENV) sh tests/lint/lint.sh

format:
	clang-format -i $$(find src importers runtime tests -name '*.[ch]')

# --- installation ------------------------------------------------------------

.PHONY: install install-strip uninstall dist clean distclean
$(B)/rehost.bash: $(B)/rehost
	$(B)/rehost --completion bash >$@

install: all $(PROGRAM:%=%.bash)
	$(if $(PROGRAM),,$(error there is no program to install))
	$(INSTALL) -d $(addprefix $(DESTDIR),$(bindir) $(completiondir) \
		$(mandir)/man1 $(mandir)/man5 $(datadir)/rehost)
	$(INSTALL_PROGRAM) $(PROGRAM) $(DESTDIR)$(bindir)/rehost
	$(INSTALL_DATA) $(B)/rehost.bash $(DESTDIR)$(completiondir)/rehost
	for m in $(MAN); do \
		$(INSTALL_DATA) $$m $(DESTDIR)$(mandir)/man$${m##*.}/ || exit; done
	for s in $(SCHEMAS); do \
		$(INSTALL_DATA) $$s $(DESTDIR)$(datadir)/rehost/ || exit; done

install-strip:
	$(MAKE) INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

uninstall:
	rm -f $(DESTDIR)$(bindir)/rehost $(DESTDIR)$(completiondir)/rehost \
		$(foreach m,$(MAN),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $m))/$(notdir $m))
	rm -rf $(DESTDIR)$(datadir)/rehost

# the same bytes from the same commit, whoever makes it and when
dist:
	epoch=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} && \
	git ls-files -z | LC_ALL=C sort -z | tar --null --no-recursion -T - \
		--format=gnu --mtime=@$$epoch --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX --transform 's,^,rehost-$(VERSION)/,rSh' -cf - | \
	gzip -n -9 >rehost-$(VERSION).tar.gz

clean:
	rm -rf $(B)

distclean: clean
	rm -rf build-asan build-fuzz build-cov rehost-*.tar.gz
