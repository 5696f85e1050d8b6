//! TLS handshakes, the good ones and the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::http::stream::{Socket, Wire};
use crate::log::{At, ClosedBy, Handshake, Log, Place};
use crate::settings::TlsMode;
use crate::tls::tls11_server_hello;

/// No client takes longer; a connection that never speaks is let go.
const LIMIT: Duration = Duration::from_secs(600);
const ALERT: u8 = 21;
/// Protocols of one ClientHello that are recorded; it has room for thousands.
const MOST_ALPN: usize = 8;

/// Makes the handshake, or what the mode does instead; an error says who ended the connection.
pub(crate) async fn run(
    socket: Socket,
    wire: &Wire,
    mode: TlsMode,
    config: Option<&Arc<ServerConfig>>,
    log: &Log,
    place: Place,
) -> Result<TlsStream<Socket>, ClosedBy> {
    log.connection(place, |entry| entry.handshake = Handshake::Pending);
    let failed = |why: String| {
        log.connection(place, |entry| {
            entry.handshake = Handshake::Failed;
            entry.handshake_at = Some(At(Instant::now()));
            entry.handshake_error = Some(why);
        });
    };
    let Some(config) = config else {
        let (why, by) = match mode {
            TlsMode::Tls11 => old_version(socket).await,
            TlsMode::HandshakeReset => reset_it(socket, wire).await,
            _ => ("the server never answered".to_owned(), hang(socket).await),
        };
        failed(why);
        return Err(by);
    };
    let handshake = accept(socket, Arc::clone(config), log, place);
    let stream = match tokio::time::timeout(LIMIT, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            failed(error.to_string());
            let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
            return Err(if reset { ClosedBy::ClientReset } else { ClosedBy::Client });
        }
        Err(_) => {
            failed("timed out".to_owned());
            return Err(ClosedBy::Server);
        }
    };
    let (_, tls) = stream.get_ref();
    log.connection(place, |entry| {
        let resumed = tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        entry.handshake = if resumed { Handshake::Resumed } else { Handshake::Full };
        entry.handshake_at = Some(At(Instant::now()));
        entry.tls_version = tls.protocol_version().map(|version| format!("{version:?}"));
    });
    Ok(stream)
}

async fn accept(
    socket: Socket,
    config: Arc<ServerConfig>,
    log: &Log,
    place: Place,
) -> std::io::Result<TlsStream<Socket>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    log.connection(place, |entry| {
        let hello = start.client_hello();
        entry.server_name = hello.server_name().map(str::to_owned);
        let offered = hello.alpn().into_iter().flatten().take(MOST_ALPN);
        entry.alpn = offered.map(|protocol| String::from_utf8_lossy(protocol).into_owned()).collect();
    });
    start.into_stream(config).await
}

/// Reads and never answers, until the client has enough of it.
pub(crate) async fn hang(mut socket: Socket) -> ClosedBy {
    let mut ignored = [0; 4096];
    let reading = async {
        loop {
            match socket.read(&mut ignored).await {
                Ok(0) => return ClosedBy::Client,
                Ok(_) => {}
                Err(_) => return ClosedBy::ClientReset,
            }
        }
    };
    tokio::time::timeout(LIMIT, reading).await.unwrap_or(ClosedBy::Server)
}

async fn reset_it(mut socket: Socket, wire: &Wire) -> (String, ClosedBy) {
    let mut hello = [0; 4096];
    let _ = tokio::time::timeout(LIMIT, socket.read(&mut hello)).await;
    wire.reset_at_end();
    ("the server reset the connection".to_owned(), ClosedBy::ServerReset)
}

/// Chooses TLS 1.1 and looks how the client takes it.
async fn old_version(mut socket: Socket) -> (String, ClosedBy) {
    let mut bytes = [0; 4096];
    let talk = async {
        if socket.read(&mut bytes).await? == 0 {
            return Ok(("the client sent nothing".to_owned(), ClosedBy::Client));
        }
        socket.write_all(&tls11_server_hello()).await?;
        let read = socket.read(&mut bytes).await?;
        Ok(match bytes.get(..read) {
            Some([ALERT, _, _, _, _, level, code, ..]) => {
                (format!("the client refused TLS 1.1 (alert {code}, level {level})"), ClosedBy::Client)
            }
            Some([]) => ("the client refused TLS 1.1 without an alert".to_owned(), ClosedBy::Client),
            _ => ("the client went on with TLS 1.1".to_owned(), ClosedBy::Server),
        })
    };
    match tokio::time::timeout(LIMIT, talk).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            let error: std::io::Error = error;
            (error.to_string(), ClosedBy::ClientReset)
        }
        Err(_) => ("the client waited for the rest of a TLS 1.1 handshake".to_owned(), ClosedBy::Server),
    }
}
