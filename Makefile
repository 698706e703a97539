# Every command of this project; `make` alone lists them.
#
## SEEDS=1000  of sim: so many runs of each test
## SEED=1      of sim: this run alone, with its trace
## V=2         of diff: the version; FORMAT=html makes it a page
## V=2         of observer: the version to show, if not the newest
## V=2         of start: the chapter; of check and so on: another one than my/'s
## FROM=mine   of start: go on from yours; FROM=ours: from ours
## FLAVOUR=plain  of check: without the sanitizers
## POLL=1      of watch: look once a second, where changes aren't told
## N=3         of bug: which one; of bugs-search and check-bugs: this alone
## DIR=my      of test-vN: the pool in that directory, not the version's own
## TEST=/path  only the tests whose path begins so
## SLOW=1      the heavier tests, too
## LIMIT=3     three times the limit of 20 seconds for each test
## JOBS=2      two test programs at once; their limits are made for one
## SUITES=v1   of test, sanitize, tsan, valgrind: only these suites; beside the
##             versions' there are common, shell and observer
## ARGS=...    the arguments of a demo; of observer: a port
## ROUNDS=5    of bench: how often each case is measured
## ONLY=text   of bench: only the cases whose name matches, a regular expression
## VERBOSE=1   show the compiler's command lines
## WERROR=1    a warning is an error, as it is in CI

VERSIONS = $(patsubst %/pooly.h,%,$(sort $(wildcard v[1-9]/pooly.h)))
SUITES   = common $(VERSIONS) shell
LIMIT   ?= 1
JOBS     = 1
export LIMIT TEST SLOW SEED SEEDS ROUNDS ONLY

# The oldest GLib this is written for, its module, and what Debian calls them.
GLIB     = 2.68
MODULES  = gio-2.0
PACKAGES = libglib2.0-dev pkg-config

# Only these need more: SwapiFetcher SQLite, the shells libedit, the observers
# libsoup, a part of the benchmark APR; and who links them.
modules  = $(MODULES) $(if $(findstring /swapi_,$@ $^),sqlite3) \
           $(if $(findstring /shell_edit,$@ $^),libedit) \
           $(if $(findstring /web,$@ $^),libsoup-3.0) \
           $(if $(findstring /apr_reslist,$@ $^),apr-util-1 apr-1)

# A flavour is one way to build everything: its flags, and a directory.
FLAVOUR  = plain
FLAVOURS = plain asan tsan sim sim-asan counted
BUILD    = build/$(FLAVOUR)
asan     = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
# With few slots, so that they are used again and again.
tsan     = -O1 -fno-omit-frame-pointer -fsanitize=thread -DCHUNK_BITS=2
sim      = -DSIMULATED -DCHUNK_BITS=2
counted  = -O1 -fno-inline
sim-asan = $(sim) $(asan)
self-check-tsan = $(BUILD)/tests/tsan/self-check
self-check-sim  = $(BUILD)/tests/sim/self-check
$(if $(filter $(FLAVOUR),$(FLAVOURS)),,\
  $(error There is no FLAVOUR=$(FLAVOUR); there are: $(FLAVOURS)))

CFLAGS   = -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wvla -Werror=implicit-function-declaration \
           $(if $(filter true,$(CI))$(WERROR),-Werror)
DEFINES  = -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_$(subst .,_,$(GLIB)) \
           -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_$(subst .,_,$(GLIB)) \
           -DG_LOG_DOMAIN=\"Pooly\" -D_DEFAULT_SOURCE
compiler = $(CC) -std=c11 $(DEFINES) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) \
           $($(FLAVOUR)) -iquote . -iquote common -iquote tests

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help setup hello demo observer test test-common test-shell \
        test-shell-terminal test-observer test-observer-page sanitize tsan \
        valgrind docs start check watch hint debug solution reset ready matrix \
        check-matrix check-workshop check-transcripts check-docs pictures \
        check-pictures format check-format ci clean sim simulate steps \
        count-steps diff bugs bug bugs-search check-bugs bench bench-peers FORCE

ifeq ($(filter 4.% 5.%,$(MAKE_VERSION)),)
$(error GNU make 4.0 or newer is needed, and this is $(MAKE_VERSION))
endif
# The workshop's commands are about my/; they would silently take another directory.
ifneq ($(DIR),)
ifneq ($(filter start check watch hint debug solution reset,$(MAKECMDGOALS)),)
$(error DIR=$(DIR) is of test-vN: make $(firstword $(MAKECMDGOALS)) has its pool in my/)
endif
endif
override DIR := $(patsubst %/,%,$(DIR))
ifneq ($(DIR),$(patsubst %/pooly.h,%,$(wildcard $(DIR:=/pooly.h))))
$(error DIR=$(DIR): there is no $(DIR)/pooly.h; begin with cp -r v1 $(DIR))
endif

help: ## this list (the default)
	@sed -nE 's/^([a-z%-]+):.*## /  make \1\t/p' Makefile | sed 's/%/N/' | \
	  expand -t 22
	@echo
	@sed -n 's/^## /  /p' Makefile

setup: need-glib need-sqlite need-prove need-libedit need-entr need-gdb ## install what demo, test and the workshop need
	@echo "Ready for make demo, make test and the workshop."

hello: $(BUILD)/hello ## run chapter 0's program
	@$<

demo: demo-$(lastword $(VERSIONS)) ## run the newest version's demo

demo-v%: v%/demo ## run version N's demo
	@$< $(ARGS)

shell-v%: v%/shell ## version N at a prompt: use it, and break it
	@$<

story-v%: v%/shell ## version N's story: who sends what to whom, a Mermaid chart
	@tests/tools/pictures --story v$*

# V=2 and V=v2 are the same.
observer: observer-$(if $(V),v$(V:v%=%),$(lastword $(VERSIONS))) ## show the newest version, live, in a browser

observer-v%: v%/observer
	@$< $(ARGS)

# The versions that there are have rules of their own.
v%/demo v%/shell v%/observer:
	@echo "There is no version $*." >&2; exit 2

diff: $(and $(filter html,$(FORMAT)),need-node) ## show what version V changes
	@tests/tools/diff "$(V)" $(if $(filter html,$(FORMAT)),build/diff-v$(V).html)

# Tests

# $(call suite,NAME): the programs of a suite; a version's is only one, and its
# storm another, if its workers are connections to a database.  The sources are in
# the version's own directory, or in another one.
in    = $(or $(DIR),$1)
suite = $(if $(filter common,$1),$(common-tests),$(BUILD)/tests/test-$1$(in-dir))
# Those suites that are not programs in C, but scripts that talk to ours; their
# tests have no paths.
scripted = shell observer
to-script = $(if $(TEST),,$(patsubst %,test-%,$(filter $(scripted),$(SUITES))))
storm = $(and $(filter-out common,$1),$(wildcard $(in)/swapi_fetcher.c), \
          $(BUILD)/tests/storm-$1$(in-dir))
in-dir = $(addprefix -in-,$(subst /,-,$(DIR)))
version-suites = $(foreach version,$(VERSIONS),$(call suite,$(version)))
common-tests = $(patsubst tests/common/%.c,$(BUILD)/tests/common-%, \
                 $(wildcard tests/common/*.c))
tests = $(self-check-$(FLAVOUR)) \
        $(foreach name,$(filter-out $(scripted),$(SUITES)), \
          $(call suite,$(name)) $(call storm,$(name)))
prove = prove --exec tests/isolate --jobs $(JOBS) --failures --comments

# prove is content when no program has a test that TEST asks for.
found = $(BUILD)/found-by-$@
define run-tests
$(if $(TEST),@rm -f $(found))
$(if $(strip $1),@$(under) $(if $(TEST),FOUND=$(found)) $(prove) $1)
$(if $(TEST),@[ -e $(found) ] || \
  { echo "no test begins with $(TEST) (paths begin with /)" >&2; exit 77; })
endef

test: $(tests) | need-prove ## run every suite
	$(if $(to-script),@$(MAKE) $(to-script))
	$(call run-tests,$^)

test-common: $(call suite,common) | need-prove ## run common's suite
	$(call run-tests,$^)

test-v%: $(call suite,v%) | need-prove ## run version N's suite
	$(call run-tests,$^)

# The shells answer scripts, and the newest one also a terminal; the observers
# answer curl, and the newest one also a browser.  The observers' tests mostly wait.
scripts = BUILD=$(BUILD) prove --failures --comments

test-shell: $(VERSIONS:%=$(BUILD)/%/shell) | need-prove ## run the tests of the shells
	@$(scripts) --exec tests/shell/check $(VERSIONS:%=tests/shell/%.txt)
	@$(scripts) tests/shell/streams :: $(lastword $(VERSIONS))

test-shell-terminal: $(BUILD)/$(lastword $(VERSIONS))/shell | need-tmux
	@$(scripts) tests/shell/terminal :: $(lastword $(VERSIONS))

test-observer: $(VERSIONS:%=$(BUILD)/%/observer) | need-curl ## run the tests of the observers
	@TSAN_OPTIONS=$$TSAN_OPTIONS:suppressions=tests/tsan/libsoup.supp:history_size=7 \
	  $(scripts) --jobs 4 --exec tests/observer/server $^

test-observer-page: $(BUILD)/$(lastword $(VERSIONS))/observer | need-chromium
	@$(scripts) tests/observer/page :: $<

# Checkers are slow: tests get more time, and POOLY_TEST_SCALE percent of their
# large counts.  GLib's slices would hide from them what is allocated when.  They
# keep what is freed for a while: CHECKER=1 is for who would measure memory.

sanitize: ## run every suite with address and undefined behaviour sanitizer
	@echo "Address and undefined behaviour sanitizer:"
	@G_SLICE=always-malloc ASAN_OPTIONS=detect_leaks=1:halt_on_error=1 \
	  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 CHECKER=1 \
	  $(MAKE) FLAVOUR=asan LIMIT=$$((3 * $(LIMIT))) test

# Random addresses may be where its shadow memory wants to be.
tsan: ## run every suite with thread sanitizer
	@echo "Thread sanitizer:"
	@G_SLICE=always-malloc POOLY_TEST_SCALE=2 CHECKER=1 \
	  TSAN_OPTIONS=halt_on_error=1:exitcode=66:atexit_sleep_ms=0 \
	  WRAPPER="$$(setarch -R true 2>/dev/null && echo setarch -R)" \
	  $(MAKE) FLAVOUR=tsan LIMIT=$$((5 * $(LIMIT))) test

# Valgrind takes half a second to start, and a version has hundreds of scenarios.  The
# largest program takes longest, and so begins first.
valgrind: JOBS = $(shell getconf _NPROCESSORS_ONLN)
valgrind: under = \
  G_SLICE=always-malloc POOLY_TEST_SCALE=1 LIMIT=$$((10 * $(LIMIT))) \
  TOGETHER='$(if $(TEST),,*/test-v*)' \
  WRAPPER="valgrind --quiet --error-exitcode=9 --fair-sched=try \
    --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect --max-threads=2000 \
    $(addprefix --suppressions=,$(glib.supp))"
valgrind: $(tests) | need-prove need-valgrind ## run every suite under valgrind
	$(if $(strip $(tests)),,@echo "Valgrind runs no scripts: SUITES=\"$(SUITES)\" has nothing else." >&2; exit 2)
	@echo "Valgrind:"
	$(call run-tests,$$(ls -S $^))

# Whether what costs the same each time does so, counted in instructions.
steps: ## check that costs don't grow with the pool, under callgrind
	@$(MAKE) FLAVOUR=counted count-steps

count-steps: $(call suite,$(lastword $(VERSIONS))) | need-valgrind
	@tests/tools/steps $< /steps/of-consumers-deaths handle_consumer_down
	@N=10000 tests/tools/steps $< /steps/of-waiters-leaving line_leave

# How long it takes, beside others.

bench     = $(BUILD)/tests/bench-$1
bench-apr = $(BUILD)/tests/bench/apr_reslist

bench: $(foreach v,$(VERSIONS),$(call bench,$v)) ## measure beside poolboy
	@! pkg-config --exists apr-util-1 || $(MAKE) $(bench-apr)
	@tests/bench/run $(foreach v,$(VERSIONS),$v=$(call bench,$v)) \
	  poolboy=tests/bench/poolboy.escript apr_reslist=$(bench-apr)

bench-peers: need-poolboy need-apr need-gnuplot ## install poolboy, apr_reslist and gnuplot
	@echo "Ready for make bench."

# Those programs that have tests which are marked, by test_add_simulated().
simulated = $(patsubst tests/common/%.c,$(BUILD)/tests/common-%, \
              $(shell grep -l test_add_simulated tests/common/*.c)) \
            $(version-suites)

sim: FLAVOUR = sim
sim: ## run the tests marked for simulation, SEEDS=N times each
	@G_SLICE=always-malloc UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	  $(MAKE) FLAVOUR=$(FLAVOUR) simulate

# A program that has no such test ends with 77.
simulate: $(self-check-$(FLAVOUR)) $(simulated) | need-prove
	$(if $(SEED)$(TEST)$(filter-out sim,$(FLAVOUR)),,@$(prove) $<)
	@rm -f $(BUILD)/has-simulated
	@printf '%s\n' $(simulated) | xargs -n 1 -P $(JOBS) sh -c \
	  '"$$1"; status=$$?; [ $$status = 77 ] && exit; touch $$0; exit $$status' \
	  $(BUILD)/has-simulated
	@[ -e $(BUILD)/has-simulated ] || \
	  { echo "no simulated test begins with $(TEST)" >&2; exit 77; }

# Bugs that simulation finds: each is put back in a copy, build/bugs/NN.

bugs: ## list the bugs in the museum
	@tests/tools/bug list

bug: need-patch ## put bug N back, in a copy, and show what happens
	@tests/tools/bug show $(N)

bugs-search: need-patch ## look for the lowest seed that finds each bug, and note it down
	@tests/tools/bug search $(N)

check-bugs: need-patch ## check that each bug, when it is put back, is found
	@tests/tools/bug check $(N)

# The talk.  Its trees are drawn, and its speaker's commands tried, by the shells.

.PHONY: slides check-slides need-slides need-pandoc need-poppler

slides: $(VERSIONS:=/shell) | need-slides ## build the talk's slides and cheat sheet, in build/slides
	@slides/build

check-slides: slides | need-prove ## look at every step of the slides, and try what they have one type
	@prove --failures --comments --exec node slides/check.mjs

glib.supp = $(wildcard $(shell pkg-config --variable=prefix \
              $(MODULES))/share/glib-2.0/valgrind/glib.supp)

# Workshop: a pool of your own, in my/

workshop = @MAKE='$(MAKE)' FLAVOUR=$(FLAVOUR) GLIB=$(GLIB) V='$(V)' tests/tools/workshop
check watch hint debug: FLAVOUR = asan

start: ## begin chapter V in my/, with the version before
	$(workshop) $@

check: need-glib ## build my/ and run its chapter's scenarios, up to the first failure
	$(workshop) $@

watch: need-glib $(if $(POLL),,need-entr) ## check my/ at every save
	$(workshop) $@

hint: ## a hint for the scenario that fails; one step deeper each time
	$(workshop) $@

debug: need-gdb ## run the scenario that fails in gdb
	$(workshop) $@

solution: ## show what differs between my/ and ours
	$(workshop) $@

reset: ## begin my/'s chapter again; yours moves to my.old/
	$(workshop) $@

ready: ## look whether this machine is ready for the workshop
	$(workshop) $@

matrix: $(version-suites) ## show what each version can do, and my/
	@tests/tools/matrix $^

check-matrix: $(version-suites) ## check README's table of that
	@tests/tools/matrix --check README.md $^

check-workshop: ## check the chapters' scenarios and hints: starts fail, solutions pass
	@MAKE='$(MAKE)' tests/tools/check-workshop

# Documents and format

pages   = $(wildcard *.md */*.md tests/*/*.md)
sources = $(wildcard $(shell git ls-files -co --exclude-standard '*.[ch]'))

docs: ## refresh the code that the documents quote
	@tests/tools/quote $(pages)

check-docs: ## check that code and links in the documents are right
	@echo "Documents: quoted code and links"
	@tests/tools/quote --check $(pages)

pictures: $(VERSIONS:%=%/shell) | need-graphviz ## draw the chapters' pictures and charts anew, by the programs
	@tests/tools/pictures $(VERSIONS)

check-pictures: $(VERSIONS:%=%/shell) ## check that they are what the programs draw today
	@echo "Pictures and charts of the chapters"
	@tests/tools/pictures --check $(VERSIONS)

check-transcripts: $(BUILD)/hello $(VERSIONS:%=%/demo) $(VERSIONS:%=%/shell) ## check what the documents show of programs
	@tests/tools/transcripts $(pages)

format: need-clang-format ## format all sources
	@tests/tools/format $(sources)

check-format: need-clang-format ## check that all sources are formatted
	@echo "Format of the sources"
	@tests/tools/format --check $(sources)

# Valgrind takes longest by far; the older versions' leaks are found before it.
with-page   = SUITES="$(SUITES) observer"
two-at-once = JOBS=2 LIMIT=$$((2 * $(LIMIT)))
ci: ## all that CI runs, the tests last
	@$(MAKE) check-format
	@$(MAKE) check-docs
	@$(MAKE) -j2 check-matrix
	@$(MAKE) check-pictures
	@$(MAKE) check-transcripts
	@$(MAKE) -j2 --output-sync check-slides check-workshop
	@$(MAKE) hello $(VERSIONS:%=demo-%)
	@$(MAKE) -j2 sanitize $(with-page) $(two-at-once)
	@$(MAKE) -j2 tsan $(with-page) $(two-at-once)
	@$(MAKE) -j2 valgrind SUITES="$(lastword $(VERSIONS)) common"
	@$(MAKE) -j2 sim JOBS=2
	@$(MAKE) -j2 sim FLAVOUR=sim-asan SEEDS=25 JOBS=2
	@$(MAKE) check-bugs
	@$(MAKE) steps
	@$(MAKE) test-shell-terminal test-observer test-observer-page
	@$(MAKE) test SLOW=1 $(two-at-once)

clean: ## remove all that was built
	rm -rf build $(wildcard v[1-9]/demo v[1-9]/shell v[1-9]/observer)

# Building

objects = $(patsubst %.c,$(BUILD)/%.o,$1)
# $(call pool,VERSION): its pool's sources.
pool    = $(filter-out $(in)/demo% $(in)/shell% $(in)/observer% $(in)/workers% \
            $(in)/swapi_%,$(wildcard $(in)/*.c))
shell-sources = $(wildcard common/shell*.c)
web-sources   = $(wildcard common/web*.c)
helpers = $(call objects,$(wildcard tests/*.c))
runtime = $(BUILD)/libcommon.a $(runtime-$(FLAVOUR))
runtime-tsan = $(BUILD)/tests/tsan/glib-shim.o $(BUILD)/tests/tsan/wrap.opts

# GLib's flags are asked for here and not above: GLib may just be installed.
define compile
@mkdir -p $(@D)
@echo "compiling $<"
$(if $(VERBOSE),,@)$(compiler) $$(pkg-config --cflags $(modules)) -MMD -MP -o $@ -c $<
endef

define link
@mkdir -p $(@D)
@echo "linking $@"
$(if $(VERBOSE),,@)$(CC) $(CFLAGS) $($(FLAVOUR)) $(LDFLAGS) -o $@ \
  $(filter %.o %.a,$^) $(addprefix @,$(filter %.opts,$^)) \
  $$(pkg-config --libs $(modules)) $(LDLIBS)
endef

# Written only when it changes: then everything is compiled again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(compiler)' | cmp -s - $@ || echo '$(compiler)' > $@

$(BUILD)/%.o: %.c $(BUILD)/flags | need-glib
	$(compile)

# A program has one scheduler or the other.
other-scheduler = common/scheduler$(if $(filter-out sim%,$(FLAVOUR)),_sim).c
$(BUILD)/libcommon.a: $(call objects,$(filter-out \
  %/hello.c $(shell-sources) $(web-sources) $(other-scheduler),$(wildcard common/*.c)))
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/hello: $(BUILD)/common/hello.o $(runtime)
	$(link)

$(BUILD)/tests/common-%: $(BUILD)/tests/common/%.o $(helpers) $(runtime)
	$(link)

# A version's demo, shell and observer; and its suite, the scenarios compiled
# against its face.  The tests want the shell and the observer of every flavour;
# those beside the sources, and the demo, are of the flavour that was asked for last.
# SUITE_VERSION, because the pool in DIR may not yet say which it is to become.
define version
$(BUILD)/$1/demo: $(call objects,$(filter-out $1/shell% $1/observer%, \
  $(wildcard $1/*.c))) $(runtime)
	$$(link)

$(BUILD)/$1/shell: $(call objects,$(filter-out $1/demo% $1/observer%, \
  $(wildcard $1/*.c) $(shell-sources))) $(runtime)
	$$(link)

$(BUILD)/$1/observer: $(call objects,$(filter-out $1/demo% $1/shell%, \
  $(wildcard $1/*.c) $(web-sources))) $(runtime)
	$$(link)

$1/demo $1/shell $1/observer: $1/%: $(BUILD)/$1/% FORCE
	@cmp -s $$< $$@ || cp -f $$< $$@

$(call suite,$1): $(patsubst tests/pool/%.c,$(call suite,$1).o/%.o, \
  $(wildcard tests/pool/*.c)) $(helpers) $(call objects,$(pool)) $(runtime)
	$$(link)

$(call suite,$1).o/%.o: tests/pool/%.c $(BUILD)/flags | need-glib
	$$(compile) -iquote $(in) -DSUITE_VERSION=$(1:v%=%)
endef
$(foreach v,$(VERSIONS),$(eval $(call version,$v)))

# The storm of SQLite's connections.
define storm-of
test-$1: $(call storm,$1)

$(call storm,$1): $(call storm,$1).o $(call objects,$(wildcard $(in)/swapi_*.c)) \
  $(helpers) $(call objects,$(pool)) $(runtime)
	$$(link)

$(call storm,$1).o: tests/storm/sqlite.c $(BUILD)/flags | need-glib
	$$(compile) -iquote $(in)
endef
$(foreach v,$(VERSIONS),$(if $(call storm,$v),$(eval $(call storm-of,$v))))

$(call objects,$(wildcard $(VERSIONS:=/swapi_*.c) $(DIR:=/swapi_*.c))): | need-sqlite

# The benchmark: a program for each version, and one for apr_reslist.
define bench-of
$(call bench,$1): $(patsubst tests/bench/%.c,$(call bench,$1).o/%.o, \
  $(filter-out %/apr_reslist.c,$(wildcard tests/bench/*.c))) \
  $(call objects,$(pool)) $(runtime)
	$$(link)

$(call bench,$1).o/%.o: tests/bench/%.c $(BUILD)/flags | need-glib
	$$(compile) -iquote $(in)
endef
$(foreach v,$(VERSIONS),$(eval $(call bench-of,$v)))

$(bench-apr): $(bench-apr).o $(BUILD)/tests/bench/bench.o
	$(link)

$(BUILD)/common/shell_edit.o: | need-libedit

# The page becomes a string of C.
$(BUILD)/common/web_page.inc: common/web_page.html
	@mkdir -p $(@D)
	@sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@

$(call objects,$(web-sources)): | need-libsoup
$(BUILD)/common/web_routes.o: $(BUILD)/common/web_page.inc
$(BUILD)/common/web_routes.o: private override CPPFLAGS += -iquote $(BUILD)/common

$(BUILD)/tests/sim/self-check: $(BUILD)/tests/sim/self-check.o $(helpers) \
  $(runtime)
	$(link)

# What tells thread sanitizer of GLib, the linker's options to insert that, and
# the proof that it works.
$(BUILD)/tests/tsan/self-check: $(BUILD)/tests/tsan/self-check.o $(runtime)
	$(link)

$(BUILD)/tests/tsan/wrap.opts: $(BUILD)/tests/tsan/glib-shim.o
	@nm $< | sed -n 's/.* T __wrap_/-Wl,--wrap=/p' > $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# What a target uses and this machine lacks is installed, by apt-get.

need-glib:
	$(call need,pkg-config --atleast-version=$(GLIB) $(MODULES),$(PACKAGES))

need-sqlite: need-glib
	$(call need,pkg-config --exists sqlite3,libsqlite3-dev)

need-libedit: need-glib
	$(call need,pkg-config --exists libedit,libedit-dev)

need-libsoup: need-glib
	$(call need,pkg-config --exists libsoup-3.0,libsoup-3.0-dev)

need-curl: need-prove
	$(call need,curl --version,curl)

need-chromium: need-prove
	$(call need,chromium --version,chromium)

need-prove:
	$(call need,prove --version,perl)

need-tmux: need-prove
	$(call need,tmux -V && pgrep -V,tmux procps)

need-valgrind:
	$(call need,valgrind --version,valgrind)

need-poolboy:
	$(call need,tests/bench/poolboy.escript --list,erlang-base erlang-poolboy)

need-apr: need-glib
	$(call need,pkg-config --exists apr-util-1,libaprutil1-dev)

need-gnuplot:
	$(call need,gnuplot --version,gnuplot-nox)

need-node:
	$(call need,node --version && npm --version,nodejs npm)

need-slides: need-pandoc need-graphviz need-chromium need-poppler need-node

need-pandoc:
	$(call need,pandoc --version,pandoc)

need-poppler:
	$(call need,pdfinfo -v,poppler-utils)

need-patch:
	$(call need,patch --version,patch)

need-graphviz:
	$(call need,dot -V,graphviz)

need-entr:
	$(call need,type entr,entr)

need-gdb:
	$(call need,gdb --version,gdb)

need-clang-format:
	$(call need,clang-format --version,clang-format)

.PHONY: need-glib need-sqlite need-libedit need-libsoup need-prove need-curl \
        need-chromium need-tmux need-valgrind need-node need-patch \
        need-graphviz need-entr need-gdb need-clang-format need-poolboy \
        need-apr need-gnuplot

# $(call need,TEST,PACKAGES): the lock is for targets that are made at once.
sudo = $(if $(filter-out 0,$(shell id -u)),sudo)
apt  = $(strip $(sudo) apt-get install -y --no-install-recommends)
define need
@{ $1; } >/dev/null 2>&1 || { \
  type apt-get $(sudo) >/dev/null 2>&1 || \
  { echo "Please install $2 (as Debian calls them)." >&2; exit 1; }; \
  flock Makefile sh -c '{ $1; } >/dev/null 2>&1 || { \
    echo "installing $2: $(apt) $2"; \
    apt-cache show $2 >/dev/null 2>&1 && $(apt) $2 || \
    { $(sudo) apt-get update && $(apt) $2; }; }' && \
  { $1; } || { echo "$2: still missing, or too old." >&2; exit 1; }; }
endef
