//! The driver: a session over a connection of bindery-transport.

use bindery_core::ClientBinding as _;
use bindery_transport::{Connection, TransportError};

use super::{Begin, Client, Session, SessionError, Summary};
use crate::DmHttp;

/// Runs a session of a client over a connection.
///
/// The connection may be closed between messages, and is made again as often as the session needs
/// it. Once the session is over, this side closes it (section 5.1.3); where it breaks off it resets it (section 5.1.4).
///
/// # Errors
/// The outer one, where there is no way to the server; the inner one is the session's own.
pub async fn manage(
    client: &mut Client,
    begin: Begin,
    binding: &DmHttp,
    connection: &mut Connection,
) -> Result<Result<Summary, SessionError>, TransportError> {
    connection.resets_where_it_breaks_off(binding.profile().resets);
    let session = Session::new(binding, client.begin(begin));
    let outcome = connection.run(session).await;
    connection.close();
    outcome
}
