-- A managed object. Unique Identifiers are time-ordered, so that new rows go to the end of the
-- tree; material stands last, so that listings do not read through it.
CREATE TABLE object (
    uid        TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    created    INTEGER NOT NULL,               -- microseconds since the Unix epoch
    version    INTEGER NOT NULL CHECK (version > 0),
    attributes BLOB    NOT NULL,
    entries    BLOB    NOT NULL,               -- the record's index, in its own order
    material   BLOB                            -- sealed (see seal.rs); NULL once destroyed
) STRICT, WITHOUT ROWID;

CREATE INDEX object_by_owner ON object (owner, uid);

-- A row per distinct entry of a record: what `find` scans. Kept in step with object.entries by
-- the program, which also uses those to know the rows of a record; `check` compares the two.
CREATE TABLE object_index (
    name  TEXT NOT NULL,
    value BLOB NOT NULL,
    owner TEXT NOT NULL,
    uid   TEXT NOT NULL,
    PRIMARY KEY (name, value, owner, uid)
) STRICT, WITHOUT ROWID;

-- For listings over all owners in the order of the Unique Identifiers.
CREATE INDEX object_index_by_uid ON object_index (name, value, uid);

-- Unique Identifiers of deleted objects: never to be used again.
CREATE TABLE object_retired (
    uid TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
