//! The ports of one server: listening, being down, accepting, and the life of each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::app::App;
use crate::control;
use crate::handshake;
use crate::http::connection::NoRequest;
use crate::http::delivery::{Cut, Sent, deliver};
use crate::http::stream::{Socket, Stream, Wire};
use crate::http::{Connection, Response};
use crate::log::{ClosedBy, End, Origin, Place};
use crate::script::ConnectionStep;
use crate::server::{Origins, Server};
use crate::settings::TlsMode;

/// Whether the ports are open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Gate {
    Open,
    /// Nobody listens, but the port stays ours.
    Down,
    /// For good.
    Shut,
}

/// One port of a server.
pub(crate) struct Port {
    pub(crate) app: Arc<App>,
    pub(crate) server: Arc<Server>,
    pub(crate) origin: Origin,
    pub(crate) origins: Origins,
    pub(crate) tls: TlsMode,
    pub(crate) config: Option<Arc<ServerConfig>>,
    /// Answers `/control/...` as well.
    pub(crate) control: bool,
    pub(crate) gate: watch::Sender<Gate>,
}

/// A peer needs a moment to read an answer before its connection is reset.
const BEFORE_RESET: Duration = Duration::from_millis(50);

impl Port {
    /// Accepts connections until the gate is shut; `listening` follows what is the case.
    pub(crate) async fn run(self: Arc<Port>, listener: TcpListener, listening: watch::Sender<bool>) {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let mut gate = self.gate.subscribe();
        let mut listener = Some(listener);
        loop {
            let now = *gate.borrow_and_update();
            match (now, listener.take()) {
                (Gate::Shut, _) => return,
                (Gate::Down, open) => {
                    drop(open);
                    // Bound but not listening: connections are refused and nobody else gets the port.
                    let held = bound(address);
                    listening.send_replace(false);
                    if gate.changed().await.is_err() {
                        return;
                    }
                    drop(held);
                }
                (Gate::Open, None) => match listen(address) {
                    Ok(open) => listener = Some(open),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
                (Gate::Open, Some(open)) => {
                    listening.send_replace(true);
                    tokio::select! {
                        accepted = self.accept(&open) => match accepted {
                            Ok((tcp, permit)) => self.spawn(tcp, permit),
                            // Out of descriptors, most likely: some will be free again.
                            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                        },
                        changed = gate.changed() => if changed.is_err() {
                            return;
                        },
                    }
                    listener = Some(open);
                }
            }
        }
    }

    /// The next connection, as soon as the server may have one more.
    async fn accept(&self, listener: &TcpListener) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.server.open).acquire_owned().await.map_err(std::io::Error::other)?;
        Ok((listener.accept().await?.0, permit))
    }

    fn spawn(self: &Arc<Port>, tcp: TcpStream, permit: OwnedSemaphorePermit) {
        let port = Arc::clone(self);
        let wire = Arc::new(Wire::default());
        // Here and not in the task: connections are numbered in the order they come.
        let place = port.server.log.opened(port.origin, &wire);
        tokio::spawn(async move {
            let mut gate = port.gate.subscribe();
            let socket = Socket::new(tcp, Arc::clone(&wire));
            let closing = async {
                let _ = gate.wait_for(|gate| *gate != Gate::Open).await;
                // Before the socket is dropped, which is when this future ends.
                wire.reset_at_end();
            };
            let by = tokio::select! {
                by = port.serve(socket, &wire, place) => by,
                () = closing => ClosedBy::ServerReset,
            };
            port.server.log.connection(place, |entry| {
                entry.closed = Some((crate::log::At(std::time::Instant::now()), by));
            });
            drop(permit);
        });
    }

    /// The whole life of a connection. Dropping the socket closes it.
    async fn serve(&self, socket: Socket, wire: &Wire, place: Place) -> ClosedBy {
        match self.server.script().next_connection() {
            ConnectionStep::Real => {}
            ConnectionStep::Close => return ClosedBy::Server,
            ConnectionStep::Reset => {
                wire.reset_at_end();
                return ClosedBy::ServerReset;
            }
            ConnectionStep::Hang => return handshake::hang(socket).await,
        }
        let stream = match (&self.config, self.tls) {
            (None, TlsMode::None) => Stream::Plain(socket),
            (config, mode) => {
                match handshake::run(socket, wire, mode, config.as_ref(), &self.server.log, place).await {
                    Ok(tls) => Stream::Tls(Box::new(tls)),
                    Err(by) => return by,
                }
            }
        };
        let mut connection = Connection::new(stream);
        let by = self.exchange(&mut connection, wire, place).await;
        if by == ClosedBy::Server {
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.stream.shutdown()).await;
        }
        by
    }

    /// Requests and answers until one side ends it.
    async fn exchange(&self, connection: &mut Connection, wire: &Wire, place: Place) -> ClosedBy {
        loop {
            let request = match connection.request().await {
                Ok(request) => request,
                Err(reason @ (NoRequest::Malformed | NoRequest::TooLarge)) => {
                    let status = if reason == NoRequest::TooLarge { 413 } else { 400 };
                    let how = crate::http::delivery::Delivery { says_close: true, ..Default::default() };
                    deliver(connection, Response::empty(status), &how).await;
                    return ClosedBy::Server;
                }
                Err(reason) => return ended_by(reason),
            };
            if self.control && (request.path == "/control" || request.path.starts_with("/control/")) {
                let response = control::answer(&self.app, &request).await;
                let how =
                    crate::http::delivery::Delivery { says_close: request.closes(), ..Default::default() };
                match deliver(connection, response, &how).await {
                    Sent::Whole => continue,
                    Sent::Gone(reason) => return ended_by(reason),
                    _ => return ClosedBy::Server,
                }
            }
            let (answer, entry, in_flight) = self.server.answer(place, &self.origins, &request);
            let status = Some(answer.response.status).filter(|_| answer.delivery.raw.is_none());
            let sent = deliver(connection, answer.response, &answer.delivery).await;
            drop(in_flight);
            let (end, status) = match sent {
                Sent::Whole | Sent::WholeAndClose => (End::Replied, status),
                Sent::Cut { status: told, .. } => (End::Cut, status.filter(|_| told)),
                // The server gave up, not the client.
                Sent::Gone(NoRequest::Idle) => (End::Cut, None),
                Sent::Gone(_) => (End::Gone, None),
            };
            self.server.log.ended(entry, end, status, connection.last_write);
            if let Some(duration) = answer.down_for {
                self.go_down(duration);
            }
            match sent {
                Sent::Whole => {}
                Sent::WholeAndClose => return ClosedBy::Server,
                Sent::Cut { how: Cut::Reset, .. } => {
                    wire.reset_at_end();
                    return ClosedBy::ServerReset;
                }
                Sent::Cut { .. } => return ClosedBy::Server,
                Sent::Gone(reason) => return ended_by(reason),
            }
        }
    }

    /// Nobody listens for a while. A server that is shut meanwhile stays shut.
    fn go_down(&self, duration: Duration) {
        let gate = self.gate.clone();
        tokio::spawn(async move {
            tokio::time::sleep(BEFORE_RESET).await;
            change(&gate, Gate::Down);
            // Sooner if the server is deleted: nothing of it stays.
            let mut shut = gate.subscribe();
            let _ = tokio::time::timeout(duration, shut.wait_for(|now| *now == Gate::Shut)).await;
            change(&gate, Gate::Open);
        });
    }
}

/// Moves a gate unless it is shut.
pub(crate) fn change(gate: &watch::Sender<Gate>, to: Gate) {
    gate.send_if_modified(|now| {
        let moves = *now != Gate::Shut && *now != to;
        if moves {
            *now = to;
        }
        moves
    });
}

fn ended_by(reason: NoRequest) -> ClosedBy {
    match reason {
        NoRequest::Closed => ClosedBy::Client,
        NoRequest::Reset => ClosedBy::ClientReset,
        NoRequest::Idle | NoRequest::Malformed | NoRequest::TooLarge => ClosedBy::Server,
    }
}

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // Connections that are still closing must not keep the port from being bound again.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens there, with a queue for many clients at once.
pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    bound(address)?.listen(4096)
}
