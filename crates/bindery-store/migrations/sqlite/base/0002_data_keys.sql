-- The data keys, each wrapped under the key-encryption key (see keys.rs). New secrets are sealed under the current
-- one; the others are there as long as something is sealed under them.
CREATE TABLE data_key (
    id      BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    wrapped BLOB    NOT NULL,
    current INTEGER NOT NULL CHECK (current IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX data_key_current ON data_key (current) WHERE current = 1;
