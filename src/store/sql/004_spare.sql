-- SPDX-License-Identifier: EUPL-1.2
-- Version 4: what is nowhere else stands twice. Keys, spaces, devices, epochs, undos and letters that were not sent yet
-- cannot be fetched or worked out again, so each of these rows has a spare in another table, kept in step by triggers:
-- one bad page never costs both. What is deleted is deleted in both (secure_delete wipes the bytes).
--
-- Spare rows are numbered on for ever, and spare_mark has how many there are and the sum of their numbers: where the
-- two differ, it tells which of them is an older page that was put back. what is the table, k1 and k2 the key, the
-- other columns follow in their order; a row can be told by its page alone (src/store/carve.h).

CREATE TABLE spare (n INTEGER PRIMARY KEY, what TEXT NOT NULL, k1, k2, c1, c2, c3, c4, c5, c6, c7, c8, c9);
CREATE INDEX spare_key ON spare (what, k1, k2);
CREATE TABLE spare_mark (n INTEGER PRIMARY KEY, rows INTEGER NOT NULL, sum INTEGER NOT NULL, last INTEGER NOT NULL);
INSERT INTO spare_mark VALUES (1, 0, 0, 0);

CREATE TRIGGER spare_added AFTER INSERT ON spare BEGIN
	UPDATE spare_mark SET rows = rows + 1, sum = sum + new.n, last = new.n;
END;
CREATE TRIGGER spare_gone AFTER DELETE ON spare BEGIN
	UPDATE spare_mark SET rows = rows - 1, sum = sum - old.n;
END;

CREATE TRIGGER kept_added AFTER INSERT ON kept BEGIN
	DELETE FROM spare WHERE what = 'kept' AND k1 = new.space AND k2 = new.name;
	INSERT INTO spare (n, what, k1, k2, c1) SELECT last + 1, 'kept', new.space, new.name, new.bytes FROM spare_mark;
END;
CREATE TRIGGER kept_changed AFTER UPDATE ON kept BEGIN
	DELETE FROM spare WHERE what = 'kept' AND k1 = old.space AND k2 = old.name;
	INSERT INTO spare (n, what, k1, k2, c1) SELECT last + 1, 'kept', new.space, new.name, new.bytes FROM spare_mark;
END;
CREATE TRIGGER kept_gone AFTER DELETE ON kept BEGIN
	DELETE FROM spare WHERE what = 'kept' AND k1 = old.space AND k2 = old.name;
END;

CREATE TRIGGER space_added AFTER INSERT ON space BEGIN
	DELETE FROM spare WHERE what = 'space' AND k1 = new.n;
	INSERT INTO spare (n, what, k1, c1, c2, c3, c4, c5, c6, c7, c8, c9)
		SELECT last + 1, 'space', new.n, new.id, new.kind, new.name, new.tag, new.neighbourhood, new.me, new.my_tag,
		       new.state, new.remote FROM spare_mark;
END;
CREATE TRIGGER space_changed AFTER UPDATE ON space BEGIN
	DELETE FROM spare WHERE what = 'space' AND k1 = old.n;
	INSERT INTO spare (n, what, k1, c1, c2, c3, c4, c5, c6, c7, c8, c9)
		SELECT last + 1, 'space', new.n, new.id, new.kind, new.name, new.tag, new.neighbourhood, new.me, new.my_tag,
		       new.state, new.remote FROM spare_mark;
END;
CREATE TRIGGER space_gone AFTER DELETE ON space BEGIN
	DELETE FROM spare WHERE what = 'space' AND k1 = old.n;
END;

CREATE TRIGGER device_added AFTER INSERT ON device BEGIN
	DELETE FROM spare WHERE what = 'device' AND k1 = new.n;
	INSERT INTO spare (n, what, k1, c1, c2, c3, c4, c5, c6, c7)
		SELECT last + 1, 'device', new.n, new.space, new.id, new.tag, new.sign, new.box, new.member, new.state
		FROM spare_mark;
END;
CREATE TRIGGER device_changed AFTER UPDATE ON device BEGIN
	DELETE FROM spare WHERE what = 'device' AND k1 = old.n;
	INSERT INTO spare (n, what, k1, c1, c2, c3, c4, c5, c6, c7)
		SELECT last + 1, 'device', new.n, new.space, new.id, new.tag, new.sign, new.box, new.member, new.state
		FROM spare_mark;
END;
CREATE TRIGGER device_gone AFTER DELETE ON device BEGIN
	DELETE FROM spare WHERE what = 'device' AND k1 = old.n;
END;

CREATE TRIGGER epoch_added AFTER INSERT ON epoch BEGIN
	DELETE FROM spare WHERE what = 'epoch' AND k1 = new.id;
	INSERT INTO spare (n, what, k1, c1, c2, c3, c4, c5)
		SELECT last + 1, 'epoch', new.id, new.space, new.creator, new.seen, new.state, new.at FROM spare_mark;
END;
CREATE TRIGGER epoch_changed AFTER UPDATE ON epoch BEGIN
	DELETE FROM spare WHERE what = 'epoch' AND k1 = old.id;
	INSERT INTO spare (n, what, k1, c1, c2, c3, c4, c5)
		SELECT last + 1, 'epoch', new.id, new.space, new.creator, new.seen, new.state, new.at FROM spare_mark;
END;
CREATE TRIGGER epoch_gone AFTER DELETE ON epoch BEGIN
	DELETE FROM spare WHERE what = 'epoch' AND k1 = old.id;
END;

CREATE TRIGGER undo_added AFTER INSERT ON undo BEGIN
	DELETE FROM spare WHERE what = 'undo' AND k1 = new.edit;
	INSERT INTO spare (n, what, k1, c1) SELECT last + 1, 'undo', new.edit, new.undone FROM spare_mark;
END;
CREATE TRIGGER undo_changed AFTER UPDATE ON undo BEGIN
	DELETE FROM spare WHERE what = 'undo' AND k1 = old.edit;
	INSERT INTO spare (n, what, k1, c1) SELECT last + 1, 'undo', new.edit, new.undone FROM spare_mark;
END;
CREATE TRIGGER undo_gone AFTER DELETE ON undo BEGIN
	DELETE FROM spare WHERE what = 'undo' AND k1 = old.edit;
END;

-- Letters and boxes: files that carry no edits. A batch can be sealed again from its signed part.
CREATE TRIGGER letter_added AFTER INSERT ON outgoing WHEN new.edits = 0 AND new.state = 0 BEGIN
	INSERT INTO spare (n, what, k1, k2, c1, c2) SELECT last + 1, 'letter', new.ref, new.name, new.space, new.file
		FROM spare_mark;
END;
CREATE TRIGGER letter_sent AFTER UPDATE OF state ON outgoing WHEN old.edits = 0 AND new.state <> 0 BEGIN
	DELETE FROM spare WHERE what = 'letter' AND k1 = old.ref AND k2 = old.name;
END;
CREATE TRIGGER letter_gone AFTER DELETE ON outgoing WHEN old.edits = 0 BEGIN
	DELETE FROM spare WHERE what = 'letter' AND k1 = old.ref AND k2 = old.name;
END;

-- What is there already.
UPDATE kept SET bytes = bytes;
UPDATE space SET kind = kind;
UPDATE device SET state = state;
UPDATE epoch SET state = state;
UPDATE undo SET undone = undone;
INSERT INTO spare (n, what, k1, k2, c1, c2)
	SELECT (SELECT last FROM spare_mark) + row_number() OVER (), 'letter', ref, name, space, file FROM outgoing
	WHERE edits = 0 AND state = 0;
