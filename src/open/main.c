// SPDX-License-Identifier: EUPL-1.2
// The program: starts the libraries, then runs what was typed.
#include <stdio.h>

#include "cli/program.h"
#include "open/open.h"

int main(int argc, char **argv)
{
	static const struct program_doors doors = { .open = open_run };
	enum err e = app_start();

	if (e != ERR_OK) {
		fputs("sleutelbos: libsodium or SQLite did not start.\n", stderr);
		return err_exit_status(e);
	}
	return program_main(argc, argv, &doors);
}
