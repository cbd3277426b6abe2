-- What was given up goes after a time.
CREATE INDEX feed_outbox_given_up_at ON feed_outbox (given_up) WHERE given_up IS NOT NULL;

-- An owner's subscriptions, without looking at those of others.
CREATE INDEX feed_subscription_by_owner ON feed_subscription (ifnull(owner, x''), id);
