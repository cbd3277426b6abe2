-- A collection (before TAXII 1.1: a data feed).
CREATE TABLE feed (
    id          INTEGER NOT NULL PRIMARY KEY,
    name        TEXT    UNIQUE,                      -- NULL: removed, what is left goes by and by
    removed     TEXT,                                -- the name that it had
    version     INTEGER NOT NULL CHECK (version > 0),
    mark        INTEGER NOT NULL,                    -- no later label was given, in microseconds since the Unix epoch
    blocks      INTEGER NOT NULL CHECK (blocks >= 0),-- kept in step by whoever adds and removes
    data_set    INTEGER NOT NULL CHECK (data_set IN (0, 1)),
    description TEXT    NOT NULL,
    enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    volume      INTEGER,
    offers      INTEGER NOT NULL,                    -- bits: 1 poll, 2 subscription, 4 push, 8 inbox
    keep_micros INTEGER,
    keep_blocks INTEGER,
    bindings    BLOB    NOT NULL,                    -- packed (pack.rs)
    grants      BLOB    NOT NULL,
    CHECK ((name IS NULL) <> (removed IS NULL))
) STRICT;

CREATE INDEX feed_removed ON feed (removed) WHERE removed IS NOT NULL;

CREATE INDEX feed_with_retention ON feed (id) WHERE keep_micros IS NOT NULL OR keep_blocks IS NOT NULL;

-- A content binding and subtype that some block has or had.
CREATE TABLE feed_binding (
    id      INTEGER NOT NULL PRIMARY KEY,
    binding TEXT    NOT NULL,
    subtype TEXT
) STRICT;

-- No subtype is one value too, and another one than the empty text.
CREATE UNIQUE INDEX feed_binding_by_id ON feed_binding (binding, ifnull(subtype, x''));

-- A block's content, once for all collections that a message went to. Blocks of one message lie side by side, so that a
-- range of labels is a range of pages.
CREATE TABLE feed_content (
    id   INTEGER NOT NULL PRIMARY KEY,
    uses INTEGER NOT NULL CHECK (uses > 0),          -- how many rows of feed_block (or feed_staged) name it
    rest BLOB,                                       -- packed: namespaces, message, padding, signature
    raw  TEXT    NOT NULL
) STRICT;

-- A block of a collection. Small rows in the order of labels: what a poll looks through.
CREATE TABLE feed_block (
    feed     INTEGER NOT NULL,
    label    INTEGER NOT NULL,
    binding  INTEGER NOT NULL,
    octets   INTEGER NOT NULL,
    content  INTEGER NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (feed, label)
) STRICT, WITHOUT ROWID;

-- For polls that want some bindings only, however rare these are.
CREATE INDEX feed_block_by_binding ON feed_block (feed, binding, label, octets, content, received);

-- A message on its way that is too large to be held in memory, and its blocks: nobody sees them yet.
CREATE TABLE feed_insertion (
    id       INTEGER NOT NULL PRIMARY KEY,
    received INTEGER NOT NULL
) STRICT;

CREATE TABLE feed_staged (
    insertion   INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    binding     INTEGER NOT NULL,
    octets      INTEGER NOT NULL,
    content     INTEGER NOT NULL,
    PRIMARY KEY (insertion, destination, position)
) STRICT, WITHOUT ROWID;

-- Messages that are known again when they are sent again.
CREATE TABLE feed_message (
    digest  BLOB    NOT NULL PRIMARY KEY,            -- SHA-256 of sender, message id, collections and blocks
    until   INTEGER NOT NULL,
    receipt BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_message_by_time ON feed_message (until);

CREATE TABLE feed_subscription (
    id        TEXT    NOT NULL PRIMARY KEY,
    feed      INTEGER NOT NULL,
    owner     TEXT,                                  -- NULL: of peers without an account
    created   INTEGER NOT NULL,
    version   INTEGER NOT NULL CHECK (version > 0),
    status    INTEGER NOT NULL,                      -- 0 active, 1 paused, 2 ended
    counts    INTEGER NOT NULL CHECK (counts IN (0, 1)),
    pushing   INTEGER NOT NULL CHECK (pushing IN (0, 1)),
    delivered INTEGER NOT NULL,                      -- what is pushed lies behind this label
    terms     BLOB    NOT NULL,                      -- SHA-256 of what makes two subscriptions the same
    bindings  BLOB    NOT NULL,
    query     BLOB,
    push      BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_subscription_by_feed ON feed_subscription (feed, id);

CREATE UNIQUE INDEX feed_subscription_by_terms ON feed_subscription (feed, ifnull(owner, x''), terms)
WHERE status <> 2;

CREATE INDEX feed_subscription_pushing ON feed_subscription (feed) WHERE pushing = 1;

CREATE TABLE feed_result (
    id           TEXT    NOT NULL PRIMARY KEY,
    feed         INTEGER NOT NULL,
    owner        TEXT,
    version      INTEGER NOT NULL CHECK (version > 0),
    created      INTEGER NOT NULL,
    expires      INTEGER NOT NULL,
    begin_label  INTEGER,
    end_label    INTEGER NOT NULL,
    state        INTEGER NOT NULL,                   -- 0 ready, 1 pending, 2 failed
    failure      TEXT,
    counts       INTEGER NOT NULL CHECK (counts IN (0, 1)),
    subscription TEXT,
    bindings     BLOB    NOT NULL,
    query        BLOB,
    push         BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_result_by_time ON feed_result (expires);

CREATE INDEX feed_result_by_feed ON feed_result (feed);

CREATE TABLE feed_part (
    result      TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    begin_label INTEGER,
    end_label   INTEGER NOT NULL,
    blocks      INTEGER NOT NULL,
    more        INTEGER NOT NULL CHECK (more IN (0, 1)),
    PRIMARY KEY (result, number)
) STRICT, WITHOUT ROWID;

-- What is to be sent, and what was given up. A lease is a time before which a row is not due, and a number that voids
-- earlier leases.
CREATE TABLE feed_outbox (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind     INTEGER NOT NULL,                       -- 0 push to a subscriber, 1 push a result, 2 work on a poll
    target   TEXT    NOT NULL,                       -- a subscription's or a result's id
    progress INTEGER NOT NULL,                       -- 1: the last part that was delivered; given up: the label
    due      INTEGER NOT NULL,
    lease    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    error    TEXT,
    given_up INTEGER,
    up_to    INTEGER
) STRICT;

CREATE UNIQUE INDEX feed_outbox_open ON feed_outbox (kind, target) WHERE given_up IS NULL;

CREATE INDEX feed_outbox_due ON feed_outbox (due, id) WHERE given_up IS NULL;

CREATE INDEX feed_outbox_given_up ON feed_outbox (id) WHERE given_up IS NOT NULL;
