//! How many deliveries go to an inbox at a time, so that a slow one holds up itself and nobody else.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The pause of a delivery that finds its inbox busy, for each that waits already.
const STEP: Duration = Duration::from_millis(100);

/// The longest such pause.
const LONGEST: Duration = Duration::from_secs(10);

/// Who is being sent to.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    inboxes: Arc<Mutex<BTreeMap<String, Inbox>>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Inbox {
    active: usize,
    /// How many came in vain since the last one that did not.
    waiting: u32,
}

impl Turns {
    /// So many at a time; 0 counts as 1.
    pub(super) fn new(most: usize) -> Self {
        Self { inboxes: Arc::default(), most: most.max(1) }
    }

    /// A turn at an inbox, or how long to wait before asking again.
    pub(super) fn take(&self, inbox: String) -> Result<Turn, Duration> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let one = inboxes.entry(inbox.clone()).or_default();
        if one.active >= self.most {
            one.waiting = one.waiting.saturating_add(1);
            return Err(STEP.saturating_mul(one.waiting).min(LONGEST));
        }
        one.active += 1;
        one.waiting = 0;
        drop(inboxes);
        Ok(Turn { turns: self.clone(), inbox })
    }
}

/// The right to send to an inbox, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    inbox: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut inboxes = self.turns.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = inboxes.get_mut(&self.inbox) {
            one.active = one.active.saturating_sub(1);
            if one.active == 0 {
                inboxes.remove(&self.inbox);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_inbox_has_its_own_turns_and_gets_them_back() {
        let turns = Turns::new(2);
        let take = |inbox: &str| turns.take(inbox.to_owned());
        let (first, second) = (take("a").unwrap(), take("a").unwrap());
        assert_eq!(take("a").unwrap_err(), STEP);
        assert_eq!(take("a").unwrap_err(), STEP * 2, "they do not all come back at once");
        take("b").unwrap();
        drop(first);
        let third = take("a").unwrap();
        assert_eq!(take("a").unwrap_err(), STEP);
        for _ in 0..1_000 {
            assert!(take("a").unwrap_err() <= LONGEST);
        }
        drop((second, third));
        assert!(turns.inboxes.lock().unwrap().is_empty(), "nothing is kept of those that are done");
    }
}
