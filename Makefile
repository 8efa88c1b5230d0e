# SPDX-License-Identifier: EUPL-1.2
#
#   make demo        installs what is missing, builds, shows the main job on generated conversations
#   make test        installs what is missing, builds, runs every test; the last line counts them
#   make             only builds: build/sleutelbos and build/sleutelbos-courier
#   make bench       the yardsticks of docs/BENCHMARKS.md
#   make soak        the seeded tests with SLB_SOAK (20) times as many seeds
#   make check-full  every test with gcc and clang, plain and with sanitizers
#   make fuzz        FUZZ_TIME seconds (60), at most FUZZ_RUNS executions, of libFuzzer on each parser of foreign bytes
#   make coverage    every test once more, counting which lines and branches run (COVER: only some tests)
#   make format      puts every source file into the shape of .clang-format
#   make clean
#
# Switches: CC=clang, SAN=address,undefined, BUILD=dir, JOBS=n, V=1 (show commands). Each
# pair of compiler and sanitizer has its own folder, so that switching rebuilds nothing. docs/TESTING.md tells how
# tests are found and counted.

ifeq ($(origin CC),default)
CC = gcc
endif
SAN   ?=
comma := ,
BUILD ?= build$(if $(filter-out gcc,$(CC))$(SAN),/$(CC)$(if $(SAN),-$(subst $(comma),+,$(SAN))))
JOBS  ?= $(shell nproc)
Q      = $(if $(V),,@)

# ---- Flags ----

PKGS        = sqlite3 libsodium zlib libcbor jansson libqrencode libpng libmicrohttpd libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) clp 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
GIT_CFLAGS := $(shell pkg-config --cflags libgit2 2>/dev/null)
GIT_LIBS   := $(shell pkg-config --libs libgit2 zlib libseccomp 2>/dev/null)

CSTD     = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
WARN     = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
           -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough -Wno-unused-parameter
OPT     ?= -O2 -g
HARD     = -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
INCLUDE  = -Isrc -I. -I$(BUILD) -I$(BUILD)/gen
CFLAGS   = $(CSTD) $(WARN) $(OPT) $(HARD) $(SANFLAGS) $(INCLUDE) $(PKG_CFLAGS) -MMD -MP
LDFLAGS  = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS)
LDLIBS   = $(PKG_LIBS) -lcsv -lClp -lCoinUtils -lm -lpthread

# ---- What is built from what ----

MODULES = base confine crypto model vault batch disclose store sync tally app render cli web open
# The job text is the one part of the courier that both programs hold.
LIBSRC  = $(filter-out src/open/main.c,$(wildcard $(MODULES:%=src/%/*.c))) \
          $(wildcard src/courier/job.c)
# Generated sources, included as "gen/store_sql.h", "gen/lang_tables.h", "gen/dictionary.h".
SQL     = $(sort $(wildcard src/store/sql/*.sql))
DICT    = $(wildcard schema/dictionary.bin)
PO      = $(sort $(wildcard schema/lang/*.po))
# The pages of the web interface, embedded, with their words in each language.
WEBUI   = $(sort $(wildcard src/web/ui/*))
WEBLANG = $(patsubst schema/lang/%.po,$(BUILD)/gen/web/lang-%.json,$(PO))
GENSRC  = $(BUILD)/gen/lang_tables.c $(BUILD)/gen/web_assets.c $(if $(SQL),$(BUILD)/gen/store_sql.c) $(if $(DICT),$(BUILD)/gen/dictionary.c)
GENHDR  = $(GENSRC:.c=.h)
LIBOBJ  = $(LIBSRC:src/%.c=$(BUILD)/obj/%.o) $(GENSRC:.c=.o)
LIB     = $(BUILD)/libsleutelbos.a

# The courier is a program of its own: it sees base/, confine/, libgit2 and nothing else (src/LAYERS).
COURSRC = $(filter-out src/courier/main.c,$(wildcard src/courier/*.c))
COUROBJ = $(COURSRC:src/%.c=$(BUILD)/obj/%.o)
COURLIB = $(if $(COURSRC),$(BUILD)/libcourier.a)

SUPSRC  = $(wildcard tests/support/*.c)
SUPLIB  = $(if $(SUPSRC),$(BUILD)/libsupport.a)
# The simulator: devices on disks in memory (docs/TESTING.md).
SIMSRC  = $(filter-out tests/sim/test_%,$(wildcard tests/sim/*.c))
SIMLIB  = $(BUILD)/libsim.a
SIMWRAP = open64 close read __read_chk pread64 __pread64_chk write fsync flock fchmod rename unlink unlinkat mkdir \
          rmdir stat64 fstat64 opendir readdir64 closedir dirfd sqlite3_vfs_find vault_open store_commit courier_run \
          compaction_tend
SIMBUGS = $(patsubst tests/sim/bugs/%.patch,$(BUILD)/sim-bugs/%,$(wildcard tests/sim/bugs/*.patch))
TESTSRC = $(wildcard tests/*/test_*.c)
TESTBIN = $(TESTSRC:%.c=$(BUILD)/%)
# Programs that tests start and stop.
DRIVERS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/driver.c))
BENCHBIN = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))

PROGRAMS = $(if $(wildcard src/open/main.c),$(BUILD)/sleutelbos) \
           $(if $(wildcard src/courier/main.c),$(BUILD)/sleutelbos-courier)

.PHONY: all tests demo test bench soak check-full coverage cover-tests fuzz format clean FORCE
.DELETE_ON_ERROR:
.SECONDARY: $(GENHDR)
all: $(PROGRAMS) $(BUILD)/layers.ok
tests: $(TESTBIN) $(SIMBUGS) $(DRIVERS) $(BENCHBIN) $(BUILD)/libsleutelbos-vfs.so $(BUILD)/tests/faults/nomem.so \
       $(BUILD)/tests/cli/tries.so

$(BUILD)/sleutelbos: $(BUILD)/obj/open/main.o $(LIB)
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) $< -o $@ $(LDFLAGS) $(LIB) $(LDLIBS)

$(BUILD)/sleutelbos-courier: $(BUILD)/obj/courier/main.o $(COURLIB) $(BUILD)/libbase.a
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) $< -o $@ $(LDFLAGS) $(COURLIB) $(BUILD)/libbase.a $(GIT_LIBS)

$(BUILD)/obj/courier/%.o: CFLAGS += $(GIT_CFLAGS)
$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags | $(GENHDR)
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags | $(GENHDR)
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) -Itests -c $< -o $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

$(LIB): $(LIBOBJ)
$(BUILD)/libcourier.a: $(COUROBJ)
$(BUILD)/libbase.a: $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard src/base/*.c src/confine/*.c))
$(BUILD)/libsupport.a: $(SUPSRC:%.c=$(BUILD)/obj/%.o)
$(SIMLIB): $(SIMSRC:%.c=$(BUILD)/obj/%.o)
$(LIB) $(BUILD)/libcourier.a $(BUILD)/libbase.a $(BUILD)/libsupport.a $(SIMLIB):
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/tests/%: tests/%.c $(SUPLIB) $(LIB)
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) -Itests $< -o $@ $(LDFLAGS) $(SUPLIB) $(LIB) -lcmocka $(LDLIBS)

# Benches that run the program over a plain database as well, and take down what it asks of SQLite (tests/bench/).
WRAP_OPEN = -Wl,--wrap=vault_open
WRAP_SQL  = $(patsubst %,-Wl$(comma)--wrap=sqlite3_%,bind_int64 bind_int bind_text64 bind_text bind_blob64 step reset finalize \
            clear_bindings exec)
$(BUILD)/tests/bench/bench_vault $(BUILD)/tests/bench/bench_large: private LDFLAGS += $(WRAP_OPEN) $(WRAP_SQL)
$(BUILD)/tests/bench/bench_join: private LDFLAGS += $(WRAP_OPEN)
# Where memory runs out: our own allocations go through the test.
FAILING = malloc calloc realloc reallocarray strdup strndup asprintf __asprintf_chk realpath opendir fdopen fopen \
          fopencookie sodium_malloc crypto_pwhash deflateInit2_ inflateInit2_
$(BUILD)/tests/faults/test_nomem: LDFLAGS += $(FAILING:%=-Wl,--wrap=%)

# The attacker on published tables has a solver that the program has not.
$(BUILD)/tests/disclose/% $(BUILD)/tests/bench/bench_disclose: private LDLIBS += -lglpk

# Where any call of the vault is refused: memory, files, locked memory, SQLite's own doors.
REFUSED = malloc calloc realloc strdup strndup asprintf __asprintf_chk sodium_malloc crypto_pwhash sqlite3_malloc64 mmap64 \
          madvise mlock open64 read __read_chk pread64 __pread64_chk write fsync fstat64 stat64 unlink rename rmdir mkdir \
          flock sqlite3_vfs_find sqlite3_db_config sqlite3_set_authorizer sqlite3_file_control sqlite3_vfs_register \
          sqlite3_initialize sqlite3_config getrlimit64 setrlimit64 prctl sodium_init sqlite3_shutdown sqlite3_column_text
$(BUILD)/tests/vault/test_refused: LDFLAGS += $(REFUSED:%=-Wl,--wrap=%)

# The same for the courier, whole: loaded into it by a test.
$(BUILD)/tests/faults/nomem.so: tests/faults/preload/nomem.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(filter-out -fPIE -MMD -MP,$(CFLAGS)) -fno-builtin -fPIC -shared $< -o $@

# What a process would do that somebody took over: loaded into it by a test.
$(BUILD)/tests/cli/tries.so: tests/cli/preload/tries.c tests/support/tries.c tests/support/tries.h $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(filter-out -fPIE -MMD -MP $(SANFLAGS),$(CFLAGS)) -Itests -fPIC -shared $(filter %.c,$^) -o $@

# Programs of the simulator: calls that reach a disk, the courier or a clock go to its own.
$(BUILD)/tests/sim/%: tests/sim/%.c $(SIMLIB) $(LIB)
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) -Itests $< -o $@ $(LDFLAGS) $(SIMWRAP:%=-Wl,--wrap=%) $(SIMLIB) $(LIB) -lcmocka $(LDLIBS)

# The same with one mistake in one source file: each must be found. A patch that no longer fits is told by
# tests/sim/bugs.sh, and does not stop the build.
$(BUILD)/sim-bugs/%: tests/sim/bugs/%.patch tests/sim/test_seeds_1.c $(SIMLIB) $(LIB)
	@rm -rf $@ $@.src && mkdir -p $@.src
	@echo "cc $@"
	$(Q)f=$$(sed -n 's|^+++ b/||p' $<) && patch -s -o $@.src/bug.c $$f $< >$@.log && $(CC) $(CFLAGS) -Itests \
		$@.src/bug.c tests/sim/test_seeds_1.c -o $@ $(LDFLAGS) $(SIMWRAP:%=-Wl,--wrap=%) $(SIMLIB) $(LIB) \
		-lcmocka $(LDLIBS) 2>>$@.log || echo "$<: cannot be built, see $@.log"

# The vault's VFS for any SQLite to load, so that its own tests can be run over it: a tool for tests, nothing else.
VFSSRC = tests/vault/loadable/loadable.c $(wildcard src/vault/vfs*.c) src/vault/ledger.c src/vault/page.c \
         src/vault/keyring.c src/crypto/aead.c src/crypto/hash.c src/crypto/secret.c src/base/buf.c src/base/codec.c
$(BUILD)/libsleutelbos-vfs.so: $(VFSSRC) tests/vault/loadable/api.h $(wildcard src/vault/*.h src/crypto/*.h) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(filter-out -fPIE -MMD -MP,$(CFLAGS)) -fPIC -shared -include tests/vault/loadable/api.h $(VFSSRC) \
		-o $@ $(SANFLAGS) -lsodium

# Tests of the courier link what the courier links, and the library for the other end of its spool.
$(BUILD)/tests/courier/%: tests/courier/%.c $(SUPLIB) $(COURLIB) $(LIB) | $(BUILD)/sleutelbos-courier
	@mkdir -p $(@D)
	@echo "cc $@"
	$(Q)$(CC) $(CFLAGS) $(GIT_CFLAGS) -Itests $< -o $@ $(LDFLAGS) $(SUPLIB) $(COURLIB) $(LIB) -lcmocka $(GIT_LIBS) $(LDLIBS)

# Everything is rebuilt when the compiler or a flag changes, and only then.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(LDFLAGS)' >$@

# Who may include whom: src/LAYERS.
$(BUILD)/layers.ok: scripts/check-layers src/LAYERS $(wildcard src/*/*.[ch])
	@mkdir -p $(@D)
	@scripts/check-layers && touch $@

$(BUILD)/gen/store_sql.c: scripts/gen-text $(SQL)
	@mkdir -p $(@D)
	$(Q)scripts/gen-text sql store_sql $(@D) $(SQL)

$(BUILD)/gen/dictionary.c: scripts/gen-bytes $(DICT)
	@mkdir -p $(@D)
	$(Q)scripts/gen-bytes dictionary $(@D) $(DICT)

$(BUILD)/gen/lang_tables.c: scripts/gen-lang scripts/po.awk $(PO)
	@mkdir -p $(@D)
	$(Q)scripts/gen-lang $(@D) $(PO)

$(BUILD)/gen/web/lang-%.json: schema/lang/%.po scripts/gen-web-lang scripts/po.awk scripts/js-strings.awk $(WEBUI)
	@mkdir -p $(@D)
	$(Q)scripts/gen-web-lang $< $(filter %.js,$(WEBUI)) >$@

$(BUILD)/gen/web_assets.c: scripts/gen-assets $(WEBUI) $(WEBLANG)
	@mkdir -p $(@D)
	$(Q)scripts/gen-assets $(@D) $(WEBUI) $(WEBLANG)

# A header is written together with its source.
$(BUILD)/gen/%.h: $(BUILD)/gen/%.c ;

# ---- What people type ----

# A make below this one, so that what install-missing brought is seen; it uses every core unless -j was given.
SUBMAKE = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

demo:
	@scripts/install-missing scripts/packages-build
	@$(SUBMAKE) all
	@BUILD=$(BUILD) scripts/demo

test:
	@scripts/install-missing scripts/packages-build scripts/packages-test
	@BUILD=$(BUILD) scripts/install-node
	@$(SUBMAKE) all tests
	@BUILD=$(BUILD) CC=$(CC) JOBS=$(JOBS) scripts/run-tests

bench:
	@scripts/install-missing scripts/packages-build scripts/packages-test
	@scripts/install-missing scripts/packages-bench || true
	@BUILD=$(BUILD) CC=$(CC) scripts/bench-peers
	@$(SUBMAKE) all $(BENCHBIN)
	@set -e; for b in $(BENCHBIN) $(wildcard tests/bench/*.sh); do echo "== $$b"; BUILD=$(BUILD) $$b; done

soak:
	@SLB_SOAK=$${SLB_SOAK:-20} SLB_TEST_TIMEOUT=$${SLB_TEST_TIMEOUT:-36000} $(MAKE) --no-print-directory test

check-full:
	@set -e; for cc in gcc clang; do for san in '' address,undefined; do echo "== $$cc $${san:-plain}"; \
		$(MAKE) --no-print-directory test CC=$$cc SAN=$$san BUILD=build/full-$$cc$${san:+-san}; done; done

# New inputs go to BUILD/fuzz/<target>; those worth keeping to tests/data/corpus/<target>, which every test run replays.
FUZZ_TIME   ?= 60
FUZZ_RUNS   ?= -1
FUZZ_TARGETS = body_parse edit_parse record_get file_header_get zip_inflate import_parse batch_parse boxes_get bundle_get letter_get \
               invitation_get invitation_inner merge3
FUZZ_SRC     = $(wildcard $(patsubst %,src/%/*.c,base crypto model batch vault store sync)) src/render/csv.c \
               src/render/import.c $(patsubst %,src/app/%.c,import_log pool dates check bsn labels)
FUZZ_OBJ     = $(FUZZ_SRC:src/%.c=$(BUILD)/fuzz/obj/%.o) $(BUILD)/fuzz/obj/dictionary.o $(BUILD)/fuzz/obj/store_sql.o
FUZZ_CC      = clang $(CSTD) -O1 -g -fsanitize-address-use-after-return=never -fno-sanitize-recover=all \
               -fsanitize=address,undefined,fuzzer$(if $(1),-no-link) -Isrc -I. -Itests -I$(BUILD) -I$(BUILD)/gen $(PKG_CFLAGS)

$(BUILD)/fuzz/obj/%.o: src/%.c | $(GENHDR)
	@mkdir -p $(@D)
	$(Q)$(call FUZZ_CC,1) -MMD -MP -c $< -o $@
$(BUILD)/fuzz/obj/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(Q)$(call FUZZ_CC,1) -c $< -o $@
$(BUILD)/fuzz/lib.a: $(FUZZ_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz.c tests/fuzz/cheap.c $(wildcard tests/fuzz/*.h) $(BUILD)/fuzz/lib.a
	@echo "cc $@"
	$(Q)$(call FUZZ_CC,) -DTARGET=$* tests/fuzz/fuzz.c tests/fuzz/cheap.c -o $@ $(BUILD)/fuzz/lib.a $(PKG_LIBS) -lcsv -lm \
		$(patsubst %,-Wl$(comma)--wrap=%,sign_make sign_check box_seal box_unseal)

fuzz: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/fuzz_%)
	@set -e; for t in $(FUZZ_TARGETS); do mkdir -p $(BUILD)/fuzz/$$t; \
		echo "== $$t"; ASAN_OPTIONS=quarantine_size_mb=8 nice $(BUILD)/fuzz/fuzz_$$t -max_total_time=$(FUZZ_TIME) -runs=$(FUZZ_RUNS) -max_len=4096 \
			-print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/$$t- $(BUILD)/fuzz/$$t tests/data/corpus/$$t \
			2>$(BUILD)/fuzz/$$t.log || { tail -n 40 $(BUILD)/fuzz/$$t.log; exit 1; }; \
		grep number_of_executed_units $(BUILD)/fuzz/$$t.log; done

# COVER='vault/test_ crypto/ ...': only the tests with one of these words in their name, and what they need, and the
# figures of each file in COVER_OF. Without optimisation, which would merge branches.
COVER_OF   ?= src/vault src/crypto
COVERTESTS  = $(foreach t,$(TESTBIN) $(DRIVERS),$(if $(strip $(foreach w,$(COVER),$(findstring $(w),$(t)))),$(t)))
cover-tests: $(COVERTESTS) $(DRIVERS) $(BUILD)/libsleutelbos-vfs.so

COVEROPT    = -O0 -g --coverage -DSLB_COVERAGE=\"$(CURDIR)/build/coverage\"
coverage:
	@rm -rf build/coverage
ifeq ($(COVER),)
	@$(MAKE) --no-print-directory test BUILD=build/coverage OPT='$(COVEROPT)'
	@scripts/coverage build/coverage
else
	@scripts/install-missing scripts/packages-build scripts/packages-test
	@BUILD=$(BUILD) scripts/install-node
	@$(SUBMAKE) all cover-tests BUILD=build/coverage OPT='$(COVEROPT)'
	@bad=0; for w in $(COVER); do BUILD=build/coverage CC=$(CC) JOBS=$(JOBS) scripts/run-tests $$w || bad=1; done; \
		scripts/coverage build/coverage $(COVER_OF); exit $$bad
endif

format:
	clang-format -i $$(find src tests -name '*.[ch]')

clean:
	rm -rf build

-include $(patsubst %.o,%.d,$(LIBOBJ) $(COUROBJ) $(SUPSRC:%.c=$(BUILD)/obj/%.o) $(SIMSRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/open/main.o $(BUILD)/obj/courier/main.o)
-include $(FUZZ_OBJ:.o=.d)
-include $(TESTBIN:%=%.d) $(DRIVERS:%=%.d) $(BENCHBIN:%=%.d)
