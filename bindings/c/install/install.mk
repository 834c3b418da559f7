# make c-library  the C library, target/release/libslaclock.so and .a
# make install    installs it with its headers, for bare compilers, pkg-config and CMake: PREFIX, LIBDIR, INCLUDEDIR,
#                 DOCDIR and DESTDIR say where. As a user who has no Rust: make c-library first, then
#                 sudo make install CARGO=true
#                 SEARCH=1 builds slaclock_search_json in, HTML=1 slaclock_report_html; each makes the library larger
# make uninstall  takes the same files away again
#
# CMakeLists.txt beside this folder installs the very same files; scripts/test-c-install compares the two.

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DOCDIR     ?= $(PREFIX)/share/doc/slaclock
DESTDIR    ?=
INSTALL    ?= install
SEARCH     ?= 0
HTML       ?= 0

slaclock_c       := bindings/c/install
slaclock_built   := $(or $(CARGO_TARGET_DIR),target)/release
slaclock_version := $(shell sed -n 's/^.define SLACLOCK_VERSION "\(.*\)"/\1/p' include/slaclock.h)
slaclock_abi     := $(shell sed -n 's/^.define SLACLOCK_ABI_VERSION //p' include/slaclock.h)
slaclock_private := $(shell cat $(slaclock_c)/private-libs.txt)
slaclock_headers := include/slaclock.h include/slaclock.hpp include/slaclock_ffi.h
slaclock_docs    := LICENSE-APACHE LICENSE-MIT docs/capi.md docs/import.md docs/languages.md docs/policy.md

space := $() $()

.PHONY: c-library install uninstall

c-library:
	$(CARGO) build --release --locked -p slaclock-capi $(if $(filter-out 0,$(SEARCH)),--features search) \
	    $(if $(filter-out 0,$(HTML)),--features html)

# install(1) puts a new file in the place of the old one, so that programs which run on it are not disturbed.
install: c-library
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(LIBDIR)/cmake/slaclock"
	$(INSTALL) -d "$(DESTDIR)$(INCLUDEDIR)/slaclock" "$(DESTDIR)$(DOCDIR)"
	$(INSTALL) -m 755 $(slaclock_built)/libslaclock.so "$(DESTDIR)$(LIBDIR)/libslaclock.so.$(slaclock_version)"
	ln -sf libslaclock.so.$(slaclock_version) "$(DESTDIR)$(LIBDIR)/libslaclock.so.$(slaclock_abi)"
	ln -sf libslaclock.so.$(slaclock_abi) "$(DESTDIR)$(LIBDIR)/libslaclock.so"
	$(INSTALL) -m 644 $(slaclock_built)/libslaclock.a "$(DESTDIR)$(LIBDIR)/libslaclock.a"
	$(INSTALL) -m 644 $(slaclock_headers) "$(DESTDIR)$(INCLUDEDIR)"
	$(INSTALL) -m 644 include/slaclock/*.hpp "$(DESTDIR)$(INCLUDEDIR)/slaclock"
	$(INSTALL) -m 644 $(slaclock_docs) "$(DESTDIR)$(DOCDIR)"
	$(call slaclock_fill,slaclock.pc,pkgconfig/slaclock.pc)
	$(call slaclock_fill,slaclock-config.cmake,cmake/slaclock/slaclock-config.cmake)
	$(call slaclock_fill,slaclock-config-version.cmake,cmake/slaclock/slaclock-config-version.cmake)
	@test -n "$(DESTDIR)" || echo "installed in $(PREFIX); ldconfig tells the dynamic linker"

# Fills in a template: its name without .in, and its place in the library folder. The size of a pointer is that of the
# shared library: byte 5 of an ELF file is 1 for 32 bits, 2 for 64.
slaclock_fill = sed \
	-e 's|@SLACLOCK_PREFIX@|$(PREFIX)|' \
	-e 's|@SLACLOCK_LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
	-e 's|@SLACLOCK_INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' \
	-e "s|@SLACLOCK_LIB_TO_INCLUDE@|$$(realpath -m --relative-to='$(LIBDIR)' '$(INCLUDEDIR)')|" \
	-e 's|@SLACLOCK_VERSION@|$(slaclock_version)|' \
	-e 's|@SLACLOCK_VERSION_MAJOR@|$(word 1,$(subst ., ,$(slaclock_version)))|' \
	-e 's|@SLACLOCK_VERSION_MINOR@|$(word 2,$(subst ., ,$(slaclock_version)))|' \
	-e 's|@SLACLOCK_ABI@|$(slaclock_abi)|' \
	-e "s|@SLACLOCK_POINTER_SIZE@|$$(($$(od -An -tu1 -j4 -N1 $(slaclock_built)/libslaclock.so) * 4))|" \
	-e 's|@SLACLOCK_PRIVATE_LIBS@|$(slaclock_private)|' \
	-e 's|@SLACLOCK_PRIVATE_LIBS_CMAKE@|$(subst $(space),;,$(slaclock_private))|' \
	$(slaclock_c)/$(1).in > "$(DESTDIR)$(LIBDIR)/$(2)" && chmod 644 "$(DESTDIR)$(LIBDIR)/$(2)"

# Folders are taken away only where they are slaclock's own, and empty.
uninstall:
	rm -f "$(DESTDIR)$(LIBDIR)/libslaclock.so" "$(DESTDIR)$(LIBDIR)/libslaclock.so.$(slaclock_abi)" \
		"$(DESTDIR)$(LIBDIR)/libslaclock.so.$(slaclock_version)" "$(DESTDIR)$(LIBDIR)/libslaclock.a" \
		"$(DESTDIR)$(LIBDIR)/pkgconfig/slaclock.pc" \
		"$(DESTDIR)$(LIBDIR)/cmake/slaclock/slaclock-config.cmake" \
		"$(DESTDIR)$(LIBDIR)/cmake/slaclock/slaclock-config-version.cmake" \
		$(foreach file,$(slaclock_headers),"$(DESTDIR)$(INCLUDEDIR)/$(notdir $(file))") \
		$(foreach file,$(wildcard include/slaclock/*.hpp),"$(DESTDIR)$(INCLUDEDIR)/slaclock/$(notdir $(file))") \
		$(foreach file,$(slaclock_docs),"$(DESTDIR)$(DOCDIR)/$(notdir $(file))")
	for folder in "$(DESTDIR)$(LIBDIR)/cmake/slaclock" "$(DESTDIR)$(INCLUDEDIR)/slaclock" "$(DESTDIR)$(DOCDIR)"; do \
		test ! -d "$$folder" || rmdir --ignore-fail-on-non-empty "$$folder"; \
	done
