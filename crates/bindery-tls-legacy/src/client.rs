//! The client's side of handshakes on OpenSSL.

use std::{fmt, net::IpAddr, sync::Arc};

use bindery_tls::{
    BoxIo, ClientConfig, ClientRules, Connector, Plan, Policy, Role, Secured, TlsError,
    TlsErrorKind, TlsFuture, Unchecked,
};
use bytes::Bytes;
use openssl::{
    error::ErrorStack,
    ex_data::Index,
    ssl::{Ssl, SslContext, SslVerifyMode},
    x509::verify::X509CheckFlags,
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_openssl::SslStream;

use crate::{
    failure::{Side, of_handshake},
    psk, revocation,
    server::failed,
    setup,
    stream::{Protected, Watched},
    verdict::{self, Check, Verdict},
};

pub(crate) struct OpensslConnector {
    context: SslContext,
    plan: Plan,
    chain: Arc<[CertificateDer<'static>]>,
    place: Index<Ssl, Verdict>,
    any_server: bool,
    /// What this side takes, for messages.
    takes: String,
}

impl OpensslConnector {
    pub(crate) fn new(policy: &Policy, plan: Plan, config: ClientConfig) -> Result<Self, TlsError> {
        let config = config.with_trust_of(policy)?;
        let mut context = setup::prepare(&plan)?;
        let mut chain = Arc::from([]);
        if let Some(identity) = &config.identity {
            setup::show(&mut context, identity, Role::Client)?;
            chain = Arc::clone(identity.chain());
        }
        config.check(revocation::now().map_err(failed)?)?;
        let check = Arc::new(Check::new("server", ClientRules::default(), &config.crls)?);
        let place = check.place();
        if config.takes_any_server() {
            context.set_verify(SslVerifyMode::NONE);
        } else {
            check.ask(&mut context, SslVerifyMode::PEER, &config.roots)?;
        }
        psk::offer(&mut context, config.psk.clone());
        let protocols = plan.permitted_alpn(&config.alpn)?;
        if !protocols.is_empty() {
            context.set_alpn_protos(&offered(&protocols)?).map_err(failed)?;
        }
        let names: Vec<&str> = plan.versions.iter().filter_map(|v| v.name()).collect();
        let takes = format!("this side takes {}", names.join(", "));
        let any_server = config.takes_any_server();
        Ok(Self { context: context.build(), plan, chain, place, any_server, takes })
    }

    async fn handshake(&self, name: ServerName<'static>, io: BoxIo) -> Result<Secured, TlsError> {
        let verdict = Verdict::default();
        let ssl = self.connection(&name, verdict.clone()).map_err(failed)?;
        let stream = SslStream::new(ssl, Watched::new(io)).map_err(failed)?;
        let mut stream = Box::pin(stream);
        if let Err(error) = stream.as_mut().connect().await {
            let began = stream.get_ref().began;
            let connection = (stream.ssl(), &verdict);
            let error = of_handshake(error, Side::Client, connection, began, &self.takes);
            return Err(named(error, &name));
        }
        let ssl = stream.ssl();
        let mut info = setup::settled(ssl, &self.plan)?;
        // Whether the server asked is not told by the binding: what could be shown is named.
        info.local_certificates = Arc::clone(&self.chain);
        let certificates = verdict::chain(ssl)?;
        let identity = ssl.psk_identity().map(Bytes::copy_from_slice);
        let hint = ssl.psk_identity_hint().filter(|hint| !hint.is_empty());
        let hint = hint.map(Bytes::copy_from_slice);
        let io = Box::new(Protected::new(stream, Side::Client));
        // With a pre-shared key the server has no certificate, and has proved that it holds the key.
        let unchecked =
            (self.any_server && identity.is_none()).then(|| Unchecked::new(&name, &certificates));
        let secured = Secured::new(io, Arc::new(info), certificates);
        Ok(secured.with_psk_identity(identity).with_psk_hint(hint).with_unchecked(unchecked))
    }

    /// The name is asked for and checked as RFC 2818, section 3.1, has it: dNSName or iPAddress, a
    /// wildcard for the left-most label only, never the Common Name.
    fn connection(&self, name: &ServerName<'_>, verdict: Verdict) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_ex_data(self.place, verdict);
        match name {
            ServerName::IpAddress(address) => ssl.param_mut().set_ip(IpAddr::from(*address))?,
            name => {
                let name = name.to_str();
                ssl.set_hostname(&name)?;
                let flags =
                    X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT;
                ssl.param_mut().set_hostflags(flags);
                ssl.param_mut().set_host(&name)?;
            }
        }
        Ok(ssl)
    }
}

fn named(error: TlsError, name: &ServerName<'_>) -> TlsError {
    if error.kind() != TlsErrorKind::NameMismatch {
        return error;
    }
    let message = format!("the server's certificate is not for {}", name.to_str());
    TlsError::new(TlsErrorKind::NameMismatch, message, error.hint().to_owned()).by_peer()
}

/// Protocols as ALPN writes them (RFC 7301, section 3.1): each behind its length.
fn offered(protocols: &[Vec<u8>]) -> Result<Vec<u8>, TlsError> {
    let mut wire = Vec::new();
    for protocol in protocols {
        let length = u8::try_from(protocol.len()).ok().filter(|length| *length > 0);
        let Some(length) = length else {
            let message = "an application protocol's name has from 1 to 255 octets";
            return Err(TlsError::new(
                TlsErrorKind::Configuration,
                message,
                "name one of IANA's, such as http/1.1",
            ));
        };
        wire.push(length);
        wire.extend_from_slice(protocol);
    }
    Ok(wire)
}

impl Connector for OpensslConnector {
    fn connect(&self, name: ServerName<'static>, io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(self.handshake(name, io))
    }
}

impl fmt::Debug for OpensslConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpensslConnector")
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}
