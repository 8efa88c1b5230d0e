#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: no module includes what src/LAYERS does not give it, and the check that says so can fail.
set -u
. tests/support/check.sh

check 'src/ keeps to src/LAYERS' scripts/check-layers

# A breach of every kind, planted in a small tree with the real table.
plant()
{
	rm -rf "$TMPDIR/src"
	mkdir -p "$TMPDIR/src/base" "$TMPDIR/src/model" "$TMPDIR/src/disclose"
	cp src/LAYERS "$TMPDIR/src"
	printf '#include <string.h>\n' >"$TMPDIR/src/base/a.c"
	printf '#include <cbor.h>\n#include "base/err.h"\n#include "schema/records.def"\n' >"$TMPDIR/src/model/a.c"
	printf '#include "crypto/share.h"\n' >"$TMPDIR/src/disclose/a.c"
}

plant
check 'a tree without a breach passes' scripts/check-layers "$TMPDIR/src"

breach()
{
	plant
	mkdir -p "$(dirname "$TMPDIR/src/$2")"
	printf '\n%s\n' "$3" >"$TMPDIR/src/$2"
	check_status 1 "$1" scripts/check-layers "$TMPDIR/src"
	check_says "src/$2:${5:-2}: " "$1, with file and line"
	check_says "$4" "$1, with the rule"
}

breach 'a module that stands higher' base/b.c '#include "model/edit.h"' 'base may not include'
breach 'a neighbour' model/b.h '#include "crypto/aead.h"' 'model may not include'
breach 'a single header is not its module' disclose/b.c '#include "crypto/aead.h"' 'disclose may not include'
breach 'a system header that another owns' model/b.c '# include <sodium.h>' 'only crypto'
breach 'one that two own' base/b.h '#include <sqlite3.h>' 'only vault store'
breach 'a quoted name without module' base/b.c '#include "err.h"' 'carries its module'
breach 'a path out of the tree' base/b.c '#include "../model/edit.h"' 'carries its module'
breach 'a macro' base/b.c '#include HEADER' 'not a macro'
breach 'a folder without a line' odd/b.c '#include <string.h>' 'has no line' 1

plant
printf '0        low       base high                                        -\n' >>"$TMPDIR/src/LAYERS"
check_status 1 'a table with a circle' scripts/check-layers "$TMPDIR/src"
check_says 'higher up' 'a table with a circle, with the rule'

finish
