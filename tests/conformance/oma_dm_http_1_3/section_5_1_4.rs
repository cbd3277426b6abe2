//! Section 5.1.4: abnormal termination, over real sockets.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bindery_core::{Context as Of, Handler};
use bindery_omadm::{
    DmHttp, Incoming, Outgoing,
    client::{Account, AuthType, Begin, Client, Credential, DevDetail, DevInfo, Tree, manage},
    mount,
};
use bindery_syncml::Form;
use bindery_tests::{pki::Pki, raw::PATIENCE};
use bindery_transport::{Limits, Listener, Router, Server, Target};
use http::HeaderMap;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

use super::desk::{Post, clear, service};

/// How a connection ended for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    InOrder,
    Reset,
}

/// Reads to the end.
async fn end(stream: &mut TcpStream) -> (Vec<u8>, End) {
    let mut read = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut read)).await.unwrap() {
        Ok(_) => (read, End::InOrder),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => (read, End::Reset),
        Err(error) => panic!("{error}"),
    }
}

/// Never answers.
#[derive(Debug)]
struct Silent;

impl Handler<Incoming> for Silent {
    type Response = Outgoing;

    async fn handle(&self, _: &Of, _: Incoming) -> Outgoing {
        std::future::pending().await
    }
}

/// A server that is impatient, and what stops it by force.
async fn serve(router: Router, pki: Option<&Pki>) -> (SocketAddr, oneshot::Sender<()>) {
    let address = "127.0.0.1:0".parse().unwrap();
    let listener = match pki {
        Some(pki) => Listener::tls(address, pki.acceptor()),
        None => Listener::clear(address),
    };
    let mut limits = Limits::default();
    limits.header = Duration::from_millis(300);
    limits.idle = Duration::from_millis(300);
    limits.linger = Duration::from_millis(300);
    limits.drain = Duration::ZERO;
    let builder = Server::builder().listen(listener).router(router).limits(limits);
    let server = builder.bind().await.unwrap();
    let address = server.local_addrs()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(server.serve(async { drop(stopped.await) }));
    (address, stop)
}

async fn services() -> Router {
    mount(Router::new(), DmHttp::new(&clear()), service(HeaderMap::new()).await).unwrap()
}

async fn sent(address: SocketAddr, octets: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(octets).await.unwrap();
    stream
}

/// proves: DM-CONN-4
#[tokio::test]
async fn a_server_that_breaks_off_resets_the_connection() {
    let (address, _stop) = serve(services().await, None).await;
    // A deadline.
    let mut half = sent(address, b"POST /omadm HTTP/1.1\r\nHos").await;
    assert_eq!(end(&mut half).await, (Vec::new(), End::Reset));
    // Framing: what it says of it is sent first.
    let mut other = sent(address, b"\x01\x02\x03 nonsense\r\n\r\n").await;
    let (read, how) = end(&mut other).await;
    assert_eq!((read.starts_with(b"HTTP/1.1 400 "), how), (true, End::Reset));
    // Stopped by force, with a request that is not answered.
    let silent = mount(Router::new(), DmHttp::new(&clear()), Silent).unwrap();
    let (address, stop) = serve(silent, None).await;
    let mut asked = sent(address, &Post::new(1).octets()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    assert_eq!(end(&mut asked).await, (Vec::new(), End::Reset));
}

/// proves: DM-CONN-4
#[tokio::test]
async fn a_server_closes_in_order_what_has_come_to_its_end() {
    let (address, _stop) = serve(services().await, None).await;
    // As it was asked to, and when nothing comes any more.
    for fields in [Some(("Connection", "close")), None] {
        let post = match fields {
            Some((name, value)) => Post::new(1).with(name, value),
            None => Post::new(1),
        };
        let mut stream = sent(address, &post.octets()).await;
        let (read, how) = end(&mut stream).await;
        assert!(read.starts_with(b"HTTP/1.1 200 "), "{}", read.escape_ascii());
        assert_eq!(how, End::InOrder);
    }
}

/// A socket that is looked at below TLS too.
#[derive(Clone)]
struct Below(Arc<TcpStream>);

impl AsyncRead for Below {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buf.initialize_unfilled()) {
                Ok(octets) => {
                    buf.advance(octets);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Below {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match self.0.try_write(octets) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// proves: DM-CONN-4
#[tokio::test]
async fn within_tls_the_closure_alert_comes_before_the_reset() {
    let pki = Pki::new();
    let (address, _stop) = serve(services().await, Some(&pki)).await;
    let below = Below(Arc::new(TcpStream::connect(address).await.unwrap()));
    let name = ServerName::try_from("localhost").unwrap();
    let connector = pki.connector(Some(&pki.client("phone")));
    let secured = connector.connect(name, Box::new(below.clone())).await.unwrap();
    let mut io = secured.io;
    io.write_all(b"POST /omadm HTTP/1.1\r\nHos").await.unwrap();
    let mut read = Vec::new();
    timeout(PATIENCE, io.read_to_end(&mut read)).await.unwrap().expect("the closure alert");
    let error = timeout(PATIENCE, async {
        loop {
            let mut octets = [0; 100];
            below.0.readable().await?;
            match below.0.try_read(&mut octets) {
                Ok(0) => panic!("it was closed in order"),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err::<(), _>(error),
                _ => {}
            }
        }
    });
    assert_eq!(error.await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// A device's session with a server that does this to its first connection.
async fn session(answer: Option<&'static [u8]>, dropped: bool) -> End {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/omadm", listener.local_addr().unwrap());
    let device = tokio::spawn(async move {
        let binding = DmHttp::new(&clear());
        let mut account = Account::new("srv", url.parse().unwrap());
        account.client = Some(Credential::new(AuthType::Basic, "eve", "moth"));
        let mut tree = Tree::new();
        DevInfo::new("phone", "Maker", "Thing").put(&mut tree).unwrap();
        DevDetail::new("thing", "1", "2", "3").put(&mut tree).unwrap();
        account.grant(&mut tree);
        let target = Target::new(account.address.clone()).unwrap();
        let mut client = Client::new(tree, account);
        client.config.form = Form::Xml;
        client.config.timeout = Duration::from_millis(300);
        let transport = bindery_transport::Client::builder().build();
        let mut connection = transport.connection(target);
        let begin = Begin::new("1", [9; 16]);
        drop(manage(&mut client, begin, &binding, &mut connection).await);
    });
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"</SyncML>") {
        assert!(timeout(PATIENCE, stream.read_buf(&mut read)).await.unwrap().unwrap() > 0);
    }
    if let Some(answer) = answer {
        stream.write_all(answer).await.unwrap();
    }
    if dropped {
        device.abort();
    }
    let (_, how) = end(&mut stream).await;
    device.abort();
    how
}

/// proves: DM-CONN-4
#[tokio::test]
async fn a_client_that_breaks_off_resets_the_connection() {
    assert_eq!(session(None, false).await, End::Reset, "a deadline");
    assert_eq!(session(Some(b"nonsense\r\n\r\n"), false).await, End::Reset, "framing");
    let half = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml.dm+xml\r\nContent-Length: 900\r\n\r\n<";
    assert_eq!(session(Some(half), false).await, End::Reset, "a deadline in the body");
    assert_eq!(session(Some(half), true).await, End::Reset, "stopped by force");
}

/// proves: DM-CONN-4
#[tokio::test]
async fn a_client_closes_in_order_when_an_answer_ends_the_session() {
    let refused = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(session(Some(refused), false).await, End::InOrder);
}
