# SPDX-License-Identifier: EUPL-1.2
# testfixture sqlite.tcl LIBRARY TEST: one file of SQLite's own TCL tests with the loadable VFS as default ("-": without).
# SQLite's tests shut SQLite down and forget extensions now and then; after each the library is loaded again. Tests of
# several processes are left out, as SQLite itself does for its "unix-excl", which lies beneath. See docs/TESTING.md.

set slb_library [lindex $argv 0]
set slb_down 0

proc slb_load {} {
  set ::slb_down 0
  slb_sqlite3 slb_loader :memory:
  slb_loader enable_load_extension 1
  slb_loader eval {SELECT load_extension($::slb_library, 'sqlite3_extension_init')}
  slb_loader close
}

if {$slb_library ne "-"} {
  rename sqlite3 slb_sqlite3
  proc sqlite3 {args} {
    if {$::slb_down} slb_load
    uplevel 1 slb_sqlite3 $args
  }
  rename sqlite3_shutdown slb_shutdown
  proc sqlite3_shutdown {} {
    set ::slb_down 1
    slb_shutdown
  }
  foreach command {autoinstall_test_functions sqlite3_reset_auto_extension} {
    rename $command slb_$command
    proc $command {args} "set result \[uplevel 1 slb_$command \$args\]; slb_load; set result"
  }
  slb_load
}

set G(perm:name) unix-excl
set argv0 [lindex $argv 1]
set argv [lrange $argv 2 end]
source $argv0
