-- SPDX-License-Identifier: EUPL-1.2
-- Version 2: which edits of this device are undos, and of what. Local knowledge: the edits themselves travel like any
-- other, and only their own device ever undoes them.

CREATE TABLE undo (
	edit INTEGER PRIMARY KEY,     -- the undo
	undone INTEGER NOT NULL       -- what it takes back
);
CREATE INDEX undo_undone ON undo (undone);
