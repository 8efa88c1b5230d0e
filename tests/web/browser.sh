#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the daily work in a browser, in Debian's Chromium against the real program: see the stories in tests/web/*.mjs.
# Screenshots are left in BUILD/screenshots, to be looked at.
set -u
. tests/support/check.sh

if [ ! -e "$BUILD/web/node_modules/playwright-core" ]; then
	echo 'ok the browser tests # SKIP playwright-core is not there (scripts/install-node)'
	finish
fi
if ! command -v chromium >/dev/null; then
	echo 'ok the browser tests # SKIP there is no chromium'
	finish
fi
# a sanitizer's leak check cannot work in what is killed on purpose
ASAN_OPTIONS=detect_leaks=0 node tests/web/run.mjs
