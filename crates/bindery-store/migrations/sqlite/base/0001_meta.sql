-- What is true of the whole file: the key's check value ("kek") and each part's schema version
-- ("schema.base", "schema.kmip", ..).
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY  NOT NULL
) STRICT, WITHOUT ROWID;
