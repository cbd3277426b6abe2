//! Raw requests and what they come to: `tests/vectors/http.toml`.

use bindery_transport::Limits;
use serde::Deserialize;

use crate::support::Running;

#[derive(Deserialize)]
struct File {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    /// What it is.
    name: String,
    /// The octets that are sent, in one piece.
    request: String,
    /// A piece of the request and how often it stands there.
    repeat: Option<(String, usize)>,
    /// The statuses of the answers, in their order.
    statuses: Vec<u16>,
    /// Whether the server then closes the connection; if not, it has to answer another request.
    closed: bool,
    /// The last answer's body.
    body: Option<String>,
}

/// proves: KMIP-S-4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_vector_has_its_answers() {
    let file: File = toml::from_str(include_str!("../vectors/http.toml")).unwrap();
    let server = Running::start(Limits::default()).await;
    let mut wrong = Vec::new();
    for vector in &file.vector {
        let request = match &vector.repeat {
            Some((piece, times)) => vector.request.replace("(repeat)", &piece.repeat(*times)),
            None => vector.request.clone(),
        };
        let mut raw = server.connect().await;
        raw.send(request).await;
        let mut statuses = Vec::new();
        let mut body = Vec::new();
        while statuses.len() < vector.statuses.len() {
            let Some(answer) = raw.maybe_answer().await else { break };
            statuses.push(answer.status);
            body = answer.body;
        }
        let as_expected = statuses == vector.statuses
            && vector.body.as_ref().is_none_or(|expected| expected.as_bytes() == body);
        let closed = if vector.closed { raw.is_ended().await } else { !raw.is_alive().await };
        if !as_expected || closed != vector.closed {
            let body = body.escape_ascii().to_string();
            wrong.push(format!("{}: {statuses:?}, closed: {closed}, {body}", vector.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(file.vector.len() >= 50, "the file is read whole");
}
