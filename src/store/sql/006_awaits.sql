-- SPDX-License-Identifier: EUPL-1.2
-- Version 6: what a waiting file waits for, so that what arrives wakes only those that wait for it. One row for each
-- row of `waiting`; all of it can be found out again by trying the file.

CREATE TABLE awaits (
	file INTEGER PRIMARY KEY,     -- waiting.n
	space INTEGER NOT NULL,
	what INTEGER NOT NULL,        -- enum awaited in store.h; 0: not known, it is tried now and then
	id BLOB NOT NULL,             -- name of what is kept, tag of the author, or device of the batch
	seq INTEGER NOT NULL,         -- number of the batch
	author BLOB NOT NULL,         -- the batch that the file says to be: tag of its device, and number
	number INTEGER NOT NULL,
	size INTEGER NOT NULL         -- bytes of the file
);
CREATE INDEX awaits_what ON awaits (what, id, seq);
CREATE INDEX awaits_batch ON awaits (author, number);
INSERT INTO awaits (file, space, what, id, seq, author, number, size)
	SELECT n, space, 0, x'', 0, x'', 0, length(file) FROM waiting;
