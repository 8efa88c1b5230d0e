-- SPDX-License-Identifier: EUPL-1.2
-- Version 9: erasing, and compacting the log (docs/SYNC.md, "Erasure and compaction").

-- Edits that erase a record, contest that, or agree with it; and when each came here, by this home's own clock. An
-- erase whose edit is not in the log any more is final.
CREATE TABLE erasure (
	edit INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	record INTEGER NOT NULL,
	what INTEGER NOT NULL,        -- 1 erases, 2 contests, 3 agrees
	at INTEGER NOT NULL           -- ms since 1970
);
CREATE INDEX erasure_space ON erasure (space);

-- What the records of a space came to where its log was cut off: edits go on from there.
CREATE TABLE base (
	r INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	state BLOB NOT NULL
);
CREATE INDEX base_space ON base (space);
