use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rustls_pki_types::UnixTime;

use super::*;

#[derive(Debug, Default)]
struct Hand(AtomicU64);

impl TimeProvider for Hand {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Relaxed))))
    }
}

#[test]
fn a_ticket_opens_for_one_change_of_keys_and_no_longer() {
    let hand = Arc::new(Hand::default());
    let time: Arc<dyn TimeProvider> = hand.clone();
    let resumption = Resumption::rotating(Duration::from_secs(60));
    let tickets = RotatingTickets::new(&Provider::aws_lc_rs(), &time, resumption).unwrap();
    assert_eq!(tickets.lifetime(), 60);
    let ticket = tickets.encrypt(b"state").unwrap();
    for (now, opens) in [(59, true), (60, true), (119, true), (120, false)] {
        hand.0.store(now, Relaxed);
        assert_eq!(tickets.decrypt(&ticket).is_some(), opens, "{now}");
    }
    let ticket = tickets.encrypt(b"state").unwrap();
    // Nobody came for longer than two keys live.
    hand.0.store(1000, Relaxed);
    assert_eq!(tickets.decrypt(&ticket), None);
    // The clock was set back.
    let ticket = tickets.encrypt(b"state").unwrap();
    hand.0.store(10, Relaxed);
    assert_eq!(tickets.decrypt(&ticket), None);
    assert_eq!(tickets.encrypt(&[0; TICKET_LIMIT + 1]), None);
}
