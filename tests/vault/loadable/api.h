/* SPDX-License-Identifier: EUPL-1.2 */
/* Put before every source of the loadable VFS, so that it calls the SQLite that loads it, not one of its own. */
#ifndef SLB_TESTS_VAULT_LOADABLE_API_H
#define SLB_TESTS_VAULT_LOADABLE_API_H

#include <sqlite3ext.h>

SQLITE_EXTENSION_INIT3

#endif
