-- SPDX-License-Identifier: EUPL-1.2
-- Version 1 of the log. Migrations only ever append: this file never changes once released.
--
-- A device gets a small local number; a dot (device, counter) is one integer, number * 2^40 + counter. Records,
-- edits and batches are keyed by it, so that no table needs an index on something random.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE space (
	n INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE,
	kind INTEGER NOT NULL,        -- 1 own, 2 circle, 3 neighbourhood
	name TEXT NOT NULL,
	tag BLOB NOT NULL,
	neighbourhood INTEGER NOT NULL, -- the space that it syncs with; 0: none yet
	me BLOB NOT NULL,             -- own device id
	my_tag BLOB NOT NULL,
	state INTEGER NOT NULL,       -- 0 asked to join, 1 member
	remote TEXT NOT NULL          -- of a neighbourhood: where its repository is
);

-- Things that are kept for other layers and not looked into here.
CREATE TABLE kept (
	space INTEGER NOT NULL,
	name TEXT NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (space, name)
) WITHOUT ROWID;

-- Devices, from the first time one is named. sign is empty until its membership is known.
CREATE TABLE device (
	n INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	id BLOB NOT NULL UNIQUE,
	tag BLOB NOT NULL,
	sign BLOB NOT NULL,
	box BLOB NOT NULL,
	member INTEGER NOT NULL,      -- the record of the person, 0: not known
	state INTEGER NOT NULL        -- 0 named only, 1 active, 2 resting, 3 removed
);
CREATE INDEX device_space ON device (space);

-- How far each device's batches are applied here, and the whole context of the last one.
CREATE TABLE vector (
	device INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	counter INTEGER NOT NULL,
	hash BLOB NOT NULL,
	context BLOB NOT NULL
);

-- Applied batches, own and others', as they were signed.
CREATE TABLE batch (
	b INTEGER PRIMARY KEY,        -- device * 2^40 + sequence
	space INTEGER NOT NULL,
	counter INTEGER NOT NULL,     -- the last edit in it, or before it
	hash BLOB NOT NULL,
	signed BLOB NOT NULL
);

-- The log of edits, in the order in which they came here. chain is keyed: each link covers the one before.
CREATE TABLE edit (
	n INTEGER PRIMARY KEY,
	dot INTEGER NOT NULL,
	record INTEGER NOT NULL,
	space INTEGER NOT NULL,
	past INTEGER NOT NULL,
	seq INTEGER NOT NULL,         -- the batch; 0: not yet sealed
	bytes BLOB NOT NULL,
	chain BLOB NOT NULL
);
CREATE INDEX edit_record ON edit (record);
CREATE INDEX edit_unsealed ON edit (space, dot) WHERE seq = 0;

CREATE TABLE epoch (
	id BLOB PRIMARY KEY,
	space INTEGER NOT NULL,
	creator INTEGER NOT NULL,     -- device
	seen INTEGER NOT NULL,        -- removals that its creator had seen
	state INTEGER NOT NULL,       -- 0 key without its record, 1 in use, 2 finished
	at INTEGER NOT NULL           -- rank: the newest in use has the highest
) WITHOUT ROWID;

-- Sealed files on their way out, in order.
CREATE TABLE outgoing (
	n INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	ref TEXT NOT NULL,
	name TEXT NOT NULL,
	file BLOB NOT NULL,
	edits INTEGER NOT NULL,       -- how many edits it carries
	state INTEGER NOT NULL,       -- 0 waiting, 1 sent
	UNIQUE (ref, name)
);
CREATE INDEX outgoing_waiting ON outgoing (n) WHERE state = 0;

-- Sealed files that came in and cannot be applied yet.
CREATE TABLE waiting (
	n INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	ref TEXT NOT NULL,
	name TEXT NOT NULL,
	file BLOB NOT NULL,
	UNIQUE (ref, name)
);

-- What failed to verify.
CREATE TABLE set_aside (
	n INTEGER PRIMARY KEY,
	what TEXT NOT NULL UNIQUE,
	why TEXT NOT NULL,
	at INTEGER NOT NULL,
	file BLOB NOT NULL
);

-- The last commit of each branch from which everything was taken in.
CREATE TABLE branch (
	neighbourhood INTEGER NOT NULL,
	ref TEXT NOT NULL,
	oid TEXT NOT NULL,
	PRIMARY KEY (neighbourhood, ref)
) WITHOUT ROWID;

-- What the edits to each record come to (src/model/record.h); everything below can be made again from it.
CREATE TABLE record (
	r INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	two INTEGER NOT NULL,         -- fields with two versions
	state BLOB NOT NULL
);
CREATE INDEX record_kind ON record (space, kind);
CREATE INDEX record_two ON record (r) WHERE two > 0;

CREATE TABLE contact (
	r INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	date INTEGER NOT NULL,
	resident INTEGER NOT NULL,
	follow_up INTEGER,            -- the day, while it is open
	follows INTEGER NOT NULL
);
CREATE INDEX contact_date ON contact (date);
CREATE INDEX contact_resident ON contact (resident) WHERE resident <> 0;
CREATE INDEX contact_follow_up ON contact (follow_up) WHERE follow_up IS NOT NULL;

CREATE TABLE referral (
	r INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	contact INTEGER NOT NULL,
	code TEXT NOT NULL,
	status TEXT NOT NULL,
	since INTEGER NOT NULL,       -- the day of the latest event
	sent INTEGER                  -- the first day on which it was sent
);
CREATE INDEX referral_code ON referral (code);
CREATE INDEX referral_open ON referral (status, since);

CREATE TABLE service (
	r INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	name TEXT NOT NULL,
	source TEXT NOT NULL
);
CREATE INDEX service_source ON service (space, source) WHERE source <> '';

CREATE TABLE resident (
	r INTEGER PRIMARY KEY,
	space INTEGER NOT NULL,
	nick TEXT NOT NULL
);
CREATE INDEX resident_nick ON resident (space, nick COLLATE NOCASE);

CREATE VIRTUAL TABLE search USING fts5 (title, body, tokenize = 'unicode61 remove_diacritics 2');
INSERT INTO search (search, rank) VALUES ('pgsz', 4000);
