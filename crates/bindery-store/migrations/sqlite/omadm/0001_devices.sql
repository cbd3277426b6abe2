-- Every commit has a number; an entry's version is the number of the commit that wrote it, so that no version comes
-- twice, not even when an entry is deleted and made again.
CREATE TABLE dm_commit (
    number INTEGER NOT NULL
) STRICT;
INSERT INTO dm_commit (number) VALUES (0);

-- A managed device.
CREATE TABLE dm_device (
    id           TEXT    NOT NULL PRIMARY KEY,   -- LocURI of Source
    owner        TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    registered   INTEGER NOT NULL,               -- all times: microseconds since the Unix epoch
    last_seen    INTEGER,
    enabled      INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    client_name  TEXT,                           -- how it proves itself to the server; NULL where it does not
    client_nonce BLOB,
    server_name  TEXT,                           -- how the server proves itself to it
    server_nonce BLOB,
    dev_info     BLOB    NOT NULL,               -- pairs (see pairs.rs)
    digests      BLOB,                           -- sealed (see seal.rs): 16 octets for each name that is there
    CHECK ((client_name IS NULL AND server_name IS NULL) = (digests IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX dm_device_by_owner ON dm_device (owner, id);

-- As for objects: nothing is written under a data key that is no longer the current one.
CREATE TRIGGER dm_device_inserted_under_current_key BEFORE INSERT ON dm_device
WHEN NEW.digests IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'not the current data key')
    WHERE NOT EXISTS (SELECT 1 FROM data_key WHERE id = substr(NEW.digests, 2, 8) AND current = 1);
END;

CREATE TRIGGER dm_device_updated_under_current_key BEFORE UPDATE OF digests ON dm_device
WHEN NEW.digests IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'not the current data key')
    WHERE NOT EXISTS (SELECT 1 FROM data_key WHERE id = substr(NEW.digests, 2, 8) AND current = 1);
END;

-- A session: what the next message of it needs.
CREATE TABLE dm_session (
    number        INTEGER NOT NULL PRIMARY KEY,
    device        TEXT    NOT NULL REFERENCES dm_device (id) ON DELETE CASCADE,
    session_id    TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    authenticated INTEGER NOT NULL CHECK (authenticated IN (0, 1)),
    msg_id        INTEGER NOT NULL,
    started       INTEGER NOT NULL,
    touched       INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    object_len    INTEGER NOT NULL DEFAULT 0,    -- of the pieces in dm_object
    state         BLOB    NOT NULL,
    reply         BLOB    NOT NULL,
    UNIQUE (device, session_id)
) STRICT;

CREATE INDEX dm_session_by_expiry ON dm_session (expires);

-- The large object that a session is receiving, piece by piece.
CREATE TABLE dm_object (
    session INTEGER NOT NULL REFERENCES dm_session (number) ON DELETE CASCADE,
    at      INTEGER NOT NULL,                    -- how many octets stand before the piece
    octets  BLOB    NOT NULL,
    PRIMARY KEY (session, at)
) STRICT;

-- A command: in the queue of its device while it is open, then in its history.
CREATE TABLE dm_command (
    position     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    device       TEXT    NOT NULL REFERENCES dm_device (id) ON DELETE CASCADE,
    key          TEXT,
    version      INTEGER NOT NULL,
    queued       INTEGER NOT NULL,
    state        INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),   -- queued, sent, acknowledged, failed
    changed      INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    sent_session TEXT,
    sent_msg     INTEGER,
    sent_cmd     INTEGER,
    status       INTEGER,
    explanation  TEXT,
    data_len     INTEGER NOT NULL,               -- of the pieces in dm_data
    body         BLOB    NOT NULL
) STRICT;

CREATE INDEX dm_command_by_device ON dm_command (device, position);
CREATE INDEX dm_command_open ON dm_command (device, position) WHERE state < 2;
CREATE UNIQUE INDEX dm_command_open_key ON dm_command (device, key) WHERE state < 2 AND key IS NOT NULL;
CREATE INDEX dm_command_finished ON dm_command (changed) WHERE state >= 2;

-- A command's data beside its body, in pieces of 64 KiB, so that a part of it is found without reading the rest.
CREATE TABLE dm_data (
    command INTEGER NOT NULL REFERENCES dm_command (position) ON DELETE CASCADE,
    piece   INTEGER NOT NULL,
    octets  BLOB    NOT NULL,
    PRIMARY KEY (command, piece)
) STRICT;

-- What came back from a device. Positions have no gaps within a device.
CREATE TABLE dm_result (
    device     TEXT    NOT NULL REFERENCES dm_device (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    session_id TEXT    NOT NULL,
    msg_id     INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    command    TEXT,
    uri        TEXT    NOT NULL,
    status     INTEGER,
    data       BLOB    NOT NULL,
    PRIMARY KEY (device, position)
) STRICT;

CREATE INDEX dm_result_by_command ON dm_result (device, command, position) WHERE command IS NOT NULL;
