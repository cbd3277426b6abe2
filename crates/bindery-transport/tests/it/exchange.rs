//! The driver of exchanges.

use std::time::{Duration, Instant};

use bindery_core::{Body, Delivery, Exchange};
use bindery_transport::{ErrorKind, Limits};
use http::{Request, Response};

use crate::{
    client::{client, message},
    support::{Running, SHORT},
};

/// Asks for numbers until one is refused, and waits in between.
struct Counting {
    next: u32,
    answers: Vec<u16>,
    due: Option<Instant>,
    outcome: Option<Vec<u16>>,
    waits: u32,
}

impl Exchange for Counting {
    type Outcome = Vec<u16>;

    fn poll_transmit(&mut self, _: Instant) -> Option<Request<Body>> {
        if self.due.is_some() {
            return None;
        }
        self.next += 1;
        let mut request = message(&self.next.to_string());
        if self.next == 3 {
            request.headers_mut().remove("content-type");
        }
        Some(request)
    }

    fn handle_response(&mut self, now: Instant, response: Response<Body>) {
        self.answers.push(response.status().as_u16());
        if self.next == 3 {
            self.outcome = Some(self.answers.clone());
        } else {
            self.due = Some(now + Duration::from_millis(10));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        assert!(self.due.is_some_and(|due| now >= due), "not before its time");
        self.due = None;
        self.waits += 1;
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn poll_outcome(&mut self) -> Option<Vec<u16>> {
        self.outcome.take()
    }
}

#[tokio::test]
async fn an_exchange() {
    let server = Running::start(Limits::default()).await;
    let mut connection = client().connection(server.url().parse().unwrap());
    let exchange = Counting { next: 0, answers: Vec::new(), due: None, outcome: None, waits: 0 };
    assert_eq!(connection.run(exchange).await.unwrap(), [200, 200, 415]);
}

/// Gives up a request by its own clock.
struct Impatient(Option<Instant>, bool, bool);

impl Exchange for Impatient {
    type Outcome = &'static str;

    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>> {
        if self.0.is_some() {
            return None;
        }
        self.0 = Some(now + SHORT);
        self.1.then(|| message("stuck"))
    }

    fn handle_response(&mut self, _: Instant, _: Response<Body>) {}

    fn handle_timeout(&mut self, _: Instant) {
        self.2 = true;
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.filter(|_| self.1)
    }

    fn poll_outcome(&mut self) -> Option<&'static str> {
        self.2.then_some("given up")
    }
}

#[tokio::test]
async fn an_exchange_that_gives_up() {
    let server = Running::start(Limits::default()).await;
    let mut connection = client().connection(server.url().parse().unwrap());
    let outcome = connection.run(Impatient(None, true, false)).await.unwrap();
    assert_eq!(outcome, "given up");
    assert!(!connection.is_open(), "its answer would come to the next request");
    let error = connection.run(Impatient(None, false, false)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exchange, "nothing to do and no outcome");
}

/// Sends its request again after a time-out or a failure, as OMA DM's resend rule has it.
#[derive(Default)]
struct Resending {
    sent: u32,
    due: Option<Instant>,
    again: bool,
    failures: Vec<Delivery>,
    answer: Option<u16>,
}

impl Exchange for Resending {
    type Outcome = (u16, u32);

    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>> {
        if self.sent > 0 && !std::mem::take(&mut self.again) {
            return None;
        }
        self.sent += 1;
        self.due = Some(now + SHORT);
        Some(message(if self.sent == 1 { "stuck" } else { "hello" }))
    }

    fn handle_response(&mut self, _: Instant, response: Response<Body>) {
        self.answer = Some(response.status().as_u16());
    }

    fn handle_failure(&mut self, _: Instant, delivery: Delivery) {
        self.failures.push(delivery);
        self.again = self.failures.len() < 2;
        // Who waits for nothing and sends nothing has given up.
        self.due = None;
    }

    fn handle_timeout(&mut self, _: Instant) {
        self.due = None;
        self.again = true;
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn poll_outcome(&mut self) -> Option<(u16, u32)> {
        self.answer.take().map(|status| (status, self.sent))
    }
}

#[tokio::test]
async fn a_request_given_after_a_time_out_takes_the_place_of_the_one_under_way() {
    let server = Running::start(Limits::default()).await;
    let mut connection = client().connection(server.url().parse().unwrap());
    let outcome = connection.run(Resending::default()).await.unwrap();
    assert_eq!(outcome, (200, 2));
}

#[tokio::test]
async fn an_exchange_hears_of_failures_and_the_driver_ends_when_it_gives_up() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/echo", nobody.local_addr().unwrap());
    drop(nobody);
    let mut connection = client().connection(url.parse().unwrap());
    let mut exchange = Resending::default();
    let error = connection.run(Borrowed(&mut exchange)).await.unwrap_err();
    assert!(error.is_connect(), "{error}");
    assert_eq!(exchange.failures, [Delivery::Not, Delivery::Not]);
    assert_eq!(exchange.sent, 2);
}

/// An exchange that can be looked at afterwards.
struct Borrowed<'a>(&'a mut Resending);

impl Exchange for Borrowed<'_> {
    type Outcome = (u16, u32);

    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>> {
        self.0.poll_transmit(now)
    }

    fn handle_response(&mut self, now: Instant, response: Response<Body>) {
        self.0.handle_response(now, response);
    }

    fn handle_failure(&mut self, now: Instant, delivery: Delivery) {
        self.0.handle_failure(now, delivery);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.0.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn poll_outcome(&mut self) -> Option<(u16, u32)> {
        self.0.poll_outcome()
    }
}
