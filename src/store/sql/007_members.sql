-- SPDX-License-Identifier: EUPL-1.2
-- Version 7: who belongs to a space is worked out from what batches say about it (src/model/members.h).

-- Of each batch that admits, removes, grants or takes, begins an epoch or names a box key: what it says, and what its
-- author had seen. All of it can be read again from the batches.
CREATE TABLE act (
	b INTEGER PRIMARY KEY,        -- device * 2^40 + sequence
	space INTEGER NOT NULL,
	acts BLOB NOT NULL,
	context BLOB NOT NULL
);
CREATE INDEX act_space ON act (space);

-- Edits that stand in the log and do not count: beyond a removal, or beyond the role of their author. Worked out again
-- whenever that changes.
CREATE TABLE void (edit INTEGER PRIMARY KEY);

-- What changed in the contexts of each device from batch to batch: the context of any batch is, of each other device, the
-- last row up to it. All of it can be read again from the batches.
CREATE TABLE seen (
	author INTEGER NOT NULL,      -- device
	device INTEGER NOT NULL,      -- of which
	at INTEGER NOT NULL,          -- from this batch of the author on
	seq INTEGER NOT NULL,         -- up to which of its batches
	PRIMARY KEY (author, device, at)
) WITHOUT ROWID;
