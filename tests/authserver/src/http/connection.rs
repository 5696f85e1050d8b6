//! Reading requests from a connection, and noticing when the client leaves.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Request;
use super::stream::Stream;

const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 1024 * 1024;
const MAX_HEADERS: usize = 256;
/// The line before a chunk, or a trailer.
const MAX_LINE: usize = 8 * 1024;
/// All lines before chunks together. Chunks of one byte need three times the body.
const MAX_FRAMING: usize = 8 * MAX_BODY;
/// A buffer that has grown beyond this is given back when it is empty.
const KEPT_BUFFER: usize = 128 * 1024;
/// A kept connection without a request is closed after this, a request that does not end too.
const IDLE: Duration = Duration::from_secs(600);

/// A connection with what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    unread: Vec<u8>,
    /// When the first unread byte came.
    first_byte: Option<Instant>,
    /// When the last write began. Before that, the client had not received everything.
    pub(crate) last_write: Instant,
}

/// Why there is no (further) request.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum NoRequest {
    /// The client closed the connection.
    Closed,
    /// The client reset it, or broke off its TLS session.
    Reset,
    /// Nothing came for too long.
    Idle,
    /// What came is not HTTP.
    Malformed,
    /// A head or a body beyond the caps.
    TooLarge,
}

/// How a pause ended.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum Pause {
    Over,
    /// The client went away meanwhile.
    Gone(NoRequest),
}

impl Connection {
    pub(crate) fn new(stream: Stream) -> Connection {
        Connection { stream, unread: Vec::new(), first_byte: None, last_write: Instant::now() }
    }

    /// The next request. Asks for the body of a client that wants to be asked (`Expect: 100-continue`).
    pub(crate) async fn request(&mut self) -> Result<Request, NoRequest> {
        match tokio::time::timeout(IDLE, self.read_request()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(NoRequest::Idle),
        }
    }

    async fn read_request(&mut self) -> Result<Request, NoRequest> {
        let (mut request, head) = loop {
            if let Some(parsed) = parse_head(&self.unread)? {
                break parsed;
            }
            if self.unread.len() > MAX_HEAD {
                return Err(NoRequest::TooLarge);
            }
            self.fill().await?;
        };
        request.arrived = self.first_byte.unwrap_or_else(Instant::now);
        self.take(head);
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            let asked = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            asked.map_err(|_| NoRequest::Reset)?;
        }
        let chunked =
            request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        if chunked {
            request.body_announced = true;
            request.body = self.chunked_body().await?;
        } else if let Some(length) = request.header("content-length") {
            let length: usize = length.trim().parse().map_err(|_| NoRequest::Malformed)?;
            request.body_announced = true;
            request.body = self.exactly(length).await?;
        }
        self.first_byte = if self.unread.is_empty() { None } else { Some(Instant::now()) };
        Ok(request)
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, NoRequest> {
        if length > MAX_BODY {
            return Err(NoRequest::TooLarge);
        }
        while self.unread.len() < length {
            self.fill().await?;
        }
        Ok(self.take(length))
    }

    async fn chunked_body(&mut self) -> Result<Vec<u8>, NoRequest> {
        let (mut body, mut framing) = (Vec::new(), 0);
        loop {
            let size = loop {
                match httparse::parse_chunk_size(&self.unread) {
                    Ok(httparse::Status::Complete((used, size))) => {
                        framing += self.take(used).len();
                        break usize::try_from(size).map_err(|_| NoRequest::TooLarge)?;
                    }
                    // An extension has no end of its own.
                    Ok(httparse::Status::Partial) if self.unread.len() > MAX_LINE => {
                        return Err(NoRequest::TooLarge);
                    }
                    Ok(httparse::Status::Partial) => self.fill().await?,
                    Err(_) => return Err(NoRequest::Malformed),
                }
            };
            if size > MAX_BODY - body.len() || framing > MAX_FRAMING {
                return Err(NoRequest::TooLarge);
            }
            if size == 0 {
                // Trailers are read and dropped.
                let mut trailers = 0;
                loop {
                    let line = self.line().await?;
                    trailers += line.len();
                    match line.is_empty() {
                        true => return Ok(body),
                        false if trailers > MAX_HEAD => return Err(NoRequest::TooLarge),
                        false => {}
                    }
                }
            }
            body.extend(self.exactly(size).await?);
            if !self.line().await?.is_empty() {
                return Err(NoRequest::Malformed);
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, NoRequest> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let mut line = self.take(end + 2);
                line.truncate(end);
                return Ok(line);
            }
            if self.unread.len() > MAX_LINE {
                return Err(NoRequest::TooLarge);
            }
            self.fill().await?;
        }
    }

    /// Takes so many bytes that were read.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let taken = self.unread.drain(..length).collect();
        if self.unread.is_empty() && self.unread.capacity() > KEPT_BUFFER {
            self.unread = Vec::new();
        }
        taken
    }

    /// Reads whatever is there, at least one byte.
    async fn fill(&mut self) -> Result<(), NoRequest> {
        match self.stream.read_buf(&mut self.unread).await {
            Ok(0) => Err(NoRequest::Closed),
            Ok(_) => {
                self.first_byte.get_or_insert_with(Instant::now);
                Ok(())
            }
            // rustls says UnexpectedEof where a client closes without close_notify: for HTTP that is a close.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(NoRequest::Closed),
            Err(_) => Err(NoRequest::Reset),
        }
    }

    /// Waits, for ever if there is no duration, unless the client leaves first.
    pub(crate) async fn pause(&mut self, duration: Option<Duration>) -> Pause {
        let wait = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(wait);
        loop {
            // A client that sends without end while it should listen is not read any further.
            let listening = self.unread.len() <= MAX_HEAD;
            tokio::select! {
                () = &mut wait => return Pause::Over,
                read = self.fill(), if listening => if let Err(reason) = read {
                    return Pause::Gone(reason);
                },
            }
        }
    }
}

/// The request and the length of its head, or None while the head is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, NoRequest> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(NoRequest::TooLarge),
        Err(_) => return Err(NoRequest::Malformed),
    };
    let target = parsed.path.unwrap_or("/");
    // A proxy's form of the target (`http://host/path`) is answered like the plain one.
    let local = match target.split_once("://").filter(|_| !target.starts_with('/')) {
        Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
        None => target,
    };
    let (path, query) = match local.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (local, None),
    };
    let headers = parsed.headers.iter();
    let headers =
        headers.map(|have| (have.name.to_owned(), String::from_utf8_lossy(have.value).into_owned()));
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query,
        http_1_0: parsed.version == Some(0),
        headers: headers.collect(),
        body: Vec::new(),
        body_announced: false,
        arrived: Instant::now(),
    };
    Ok(Some((request, length)))
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
