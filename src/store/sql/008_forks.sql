-- SPDX-License-Identifier: EUPL-1.2
-- Version 8: a device that signs two batches with one number goes two ways; what is known of ways other than the one that
-- is applied here (src/sync/forks.h).

-- Signed batches on other ways: never applied, kept because others build on them, and as evidence.
CREATE TABLE fork (
	device INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	hash BLOB NOT NULL,
	prev BLOB NOT NULL,           -- hash of the batch before it
	common INTEGER NOT NULL,      -- the last batch before it that is applied here
	counter INTEGER NOT NULL,     -- its last edit, or the one before it
	context BLOB NOT NULL,        -- what it says to have seen beyond the one before it
	signed BLOB NOT NULL,
	PRIMARY KEY (device, seq, hash)
) WITHOUT ROWID;

-- Up to where on another way the last applied batch of an author says to have seen a device.
CREATE TABLE claim (
	author INTEGER NOT NULL,      -- device
	device INTEGER NOT NULL,      -- of which
	seq INTEGER NOT NULL,
	hash BLOB NOT NULL,           -- the first 8 bytes
	PRIMARY KEY (author, device)
) WITHOUT ROWID;

-- What this device told the others of a device that forked, or may have. 0: nothing yet.
CREATE TABLE telling (
	device INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	proven INTEGER NOT NULL,      -- the number of which a proof was sealed
	first INTEGER NOT NULL,       -- batches from this one on are to be handed out
	handed INTEGER NOT NULL       -- those from this one on were
);
