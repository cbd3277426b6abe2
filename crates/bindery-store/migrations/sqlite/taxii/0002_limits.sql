-- A content binding and subtype that some block has. What no block has any more goes with the upkeep, and its number is
-- never given again: a reader may still have it.
CREATE TABLE feed_binding_counted (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    binding TEXT    NOT NULL,
    subtype TEXT,
    uses    INTEGER NOT NULL CHECK (uses >= 0)       -- how many rows of feed_block and feed_staged name it
) STRICT;

INSERT INTO feed_binding_counted (id, binding, subtype, uses)
SELECT n.id, n.binding, n.subtype, ifnull(u.uses, 0) FROM feed_binding AS n LEFT JOIN
    (SELECT binding, count(*) AS uses
     FROM (SELECT binding FROM feed_block UNION ALL SELECT binding FROM feed_staged) GROUP BY binding) AS u
ON u.binding = n.id;

DROP TABLE feed_binding;

ALTER TABLE feed_binding_counted RENAME TO feed_binding;

-- No subtype is one value too, and another one than the empty text.
CREATE UNIQUE INDEX feed_binding_by_id ON feed_binding (binding, ifnull(subtype, x''));

CREATE INDEX feed_binding_unused ON feed_binding (id) WHERE uses = 0;

-- When a subscription ended: it is remembered for a time, and not more than so many of an owner.
ALTER TABLE feed_subscription ADD COLUMN ended INTEGER;

UPDATE feed_subscription SET ended = created WHERE status = 2;

CREATE INDEX feed_subscription_ended ON feed_subscription (ended) WHERE status = 2;

CREATE INDEX feed_subscription_ended_by_owner ON feed_subscription (feed, ifnull(owner, x''), ended) WHERE status = 2;

-- All parts of a result set are cut when it is made, and its blocks are counted by that. What was made before lasted an
-- hour at most: it is asked for again.
DELETE FROM feed_outbox WHERE kind IN (1, 2) AND given_up IS NULL;

DELETE FROM feed_part;

DELETE FROM feed_result;

ALTER TABLE feed_result ADD COLUMN blocks INTEGER;

ALTER TABLE feed_result ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;

CREATE INDEX feed_result_by_owner ON feed_result (ifnull(owner, x''), created, id);
