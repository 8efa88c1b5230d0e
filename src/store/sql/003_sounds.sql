-- SPDX-License-Identifier: EUPL-1.2
-- Version 3: names are found by how they sound (src/model/sounds.h). Search and resident rows are made again from the
-- records after this.

DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (title, body, sound, tokenize = 'unicode61 remove_diacritics 2');
INSERT INTO search (search, rank) VALUES ('pgsz', 4000);
ALTER TABLE resident ADD COLUMN sound TEXT NOT NULL DEFAULT ''; -- keys of the nickname, with a blank around each
