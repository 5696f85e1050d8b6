//! How an answer travels: at once and whole, or in any of the ways that networks and servers find to spoil it.

use std::time::{Duration, Instant, SystemTime};

use tokio::io::AsyncWriteExt;

use super::connection::{NoRequest, Pause};
use super::response::reason;
use super::{Body, Connection, Response, request};

/// Everything about the sending of an answer that is not in the answer. The default is what every server does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    pub(crate) delay: Duration,
    pub(crate) delay_body: Duration,
    pub(crate) interim: Vec<u16>,
    pub(crate) http_1_0: bool,
    pub(crate) framing: Framing,
    pub(crate) drip: Option<Drip>,
    /// Breaks off at this point.
    pub(crate) cut: Option<(Cut, Point)>,
    /// Says `Connection: close`.
    pub(crate) says_close: bool,
    /// Closes the connection this long after the answer.
    pub(crate) close_after: Option<Duration>,
    /// These bytes instead of an HTTP answer.
    pub(crate) raw: Option<Vec<u8>>,
    /// The request was HEAD: headers only.
    pub(crate) no_body: bool,
}

/// How the end of the body is told.
#[derive(Debug, Clone, Default)]
pub(crate) enum Framing {
    #[default]
    Length,
    /// A length that is not the true one.
    WrongLength(u64),
    Chunked(usize),
    UntilClose,
}

/// Slow sending: so many bytes, so often.
#[derive(Debug, Clone)]
pub(crate) struct Drip {
    pub(crate) bytes: usize,
    pub(crate) every: Duration,
    pub(crate) headers_too: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    Reset,
    Close,
    Hang,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Point {
    Before,
    Headers,
    Body,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sent {
    /// Whole; the connection stays.
    Whole,
    /// Whole, and the connection is to be closed.
    WholeAndClose,
    /// Broken off on purpose, after at least the status line if `status` is set.
    Cut { how: Cut, status: bool },
    /// The client left before it had everything.
    Gone(NoRequest),
}

/// A peer needs a moment to read what precedes a reset: the reset would overtake it.
const BEFORE_RESET: Duration = Duration::from_millis(20);
const PIECE: usize = 64 * 1024;

/// An answer that takes longer, whatever a script says, is given up, and its connection is closed.
const LONGEST: Duration = Duration::from_secs(600);

/// Sends an answer.
pub(crate) async fn deliver(connection: &mut Connection, response: Response, how: &Delivery) -> Sent {
    within(LONGEST, connection, response, how).await
}

async fn within(limit: Duration, connection: &mut Connection, response: Response, how: &Delivery) -> Sent {
    let mut sender = Sender { connection, how };
    match tokio::time::timeout(limit, sender.run(response)).await {
        Ok(Ok(sent)) => sent,
        Ok(Err(reason)) => Sent::Gone(reason),
        Err(_) => Sent::Gone(NoRequest::Idle),
    }
}

struct Sender<'a> {
    connection: &'a mut Connection,
    how: &'a Delivery,
}

impl Sender<'_> {
    async fn run(&mut self, response: Response) -> Result<Sent, NoRequest> {
        self.pause(self.how.delay).await?;
        if let Some(cut) = self.cut(Point::Before, false).await? {
            return Ok(cut);
        }
        if let Some(raw) = &self.how.raw {
            self.write(raw).await?;
            return Ok(Sent::WholeAndClose);
        }
        for status in &self.how.interim {
            self.write(format!("HTTP/1.1 {status} {}\r\n\r\n", reason(*status)).as_bytes()).await?;
        }
        let head = self.head(&response);
        if let (true, Body::Bytes(body)) = (self.is_plain(), &response.body) {
            // The usual case is one write.
            let mut whole = head;
            if !self.how.no_body {
                whole.extend_from_slice(body);
            }
            self.write(&whole).await?;
        } else {
            self.part(&head, self.how.drip.as_ref().is_some_and(|drip| drip.headers_too)).await?;
            if let Some(cut) = self.cut(Point::Headers, true).await? {
                return Ok(cut);
            }
            self.pause(self.how.delay_body).await?;
            if !self.how.no_body && self.body(response.body).await? == Progress::CutHere {
                return Ok(self.cut(Point::Body, true).await?.unwrap_or(Sent::WholeAndClose));
            }
        }
        if let Some(after) = self.how.close_after {
            self.pause(after).await?;
            return Ok(Sent::WholeAndClose);
        }
        let framed = matches!(self.how.framing, Framing::Length | Framing::Chunked(_));
        Ok(if self.how.says_close || self.how.http_1_0 || !framed {
            Sent::WholeAndClose
        } else {
            Sent::Whole
        })
    }

    fn is_plain(&self) -> bool {
        let how = self.how;
        how.cut.is_none()
            && how.drip.is_none()
            && how.delay_body.is_zero()
            && !matches!(how.framing, Framing::Chunked(_))
    }

    fn head(&self, response: &Response) -> Vec<u8> {
        let version = if self.how.http_1_0 { "1.0" } else { "1.1" };
        let mut head = format!("HTTP/{version} {} {}\r\n", response.status, reason(response.status));
        if request::header(&response.headers, "date").is_none() {
            head.push_str(&format!("Date: {}\r\n", httpdate::HttpDate::from(SystemTime::now())));
        }
        for (name, value) in &response.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        let bodiless = response.status == 204 || response.status == 304;
        match self.how.framing {
            Framing::Length if bodiless => {}
            Framing::Length => head.push_str(&format!("Content-Length: {}\r\n", response.body.len())),
            Framing::WrongLength(length) => head.push_str(&format!("Content-Length: {length}\r\n")),
            Framing::Chunked(_) => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => {}
        }
        if self.how.says_close {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    async fn body(&mut self, body: Body) -> Result<Progress, NoRequest> {
        let cut_here = matches!(self.how.cut, Some((_, Point::Body)));
        match body {
            Body::Bytes(bytes) => {
                let end = if cut_here { bytes.len() / 2 } else { bytes.len() };
                self.framed(bytes.get(..end).unwrap_or_default()).await?;
            }
            Body::Huge { prefix, fill, bytes, suffix } => {
                self.framed(&prefix).await?;
                let piece: Vec<u8> = fill.iter().copied().cycle().take(PIECE).collect();
                let mut left = if cut_here { bytes / 2 } else { bytes };
                while left > 0 && !piece.is_empty() {
                    let now = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
                    self.framed(piece.get(..now).unwrap_or_default()).await?;
                    left -= u64::try_from(now).unwrap_or(left);
                }
                if !cut_here {
                    self.framed(&suffix).await?;
                }
            }
        }
        if cut_here {
            return Ok(Progress::CutHere);
        }
        if let Framing::Chunked(_) = self.how.framing {
            self.write(b"0\r\n\r\n").await?;
        }
        Ok(Progress::Whole)
    }

    async fn framed(&mut self, bytes: &[u8]) -> Result<(), NoRequest> {
        let Framing::Chunked(size) = self.how.framing else {
            return self.part(bytes, true).await;
        };
        for chunk in bytes.chunks(size.max(1)) {
            let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
            self.part(&framed, true).await?;
        }
        Ok(())
    }

    async fn part(&mut self, bytes: &[u8], may_drip: bool) -> Result<(), NoRequest> {
        let Some(drip) = self.how.drip.as_ref().filter(|_| may_drip) else {
            return self.write(bytes).await;
        };
        for piece in bytes.chunks(drip.bytes.max(1)) {
            self.write(piece).await?;
            self.pause(drip.every).await?;
        }
        Ok(())
    }

    /// Breaks off if this is the point to do it. Silence ends when the client leaves.
    async fn cut(&mut self, here: Point, status: bool) -> Result<Option<Sent>, NoRequest> {
        let Some((how, _)) = self.how.cut.filter(|(_, point)| *point == here) else {
            return Ok(None);
        };
        match how {
            Cut::Hang => match self.connection.pause(None).await {
                Pause::Gone(reason) => return Err(reason),
                Pause::Over => {}
            },
            Cut::Reset if status => self.pause(BEFORE_RESET).await?,
            Cut::Reset | Cut::Close => {}
        }
        Ok(Some(Sent::Cut { how, status }))
    }

    async fn pause(&mut self, duration: Duration) -> Result<(), NoRequest> {
        if duration.is_zero() {
            return Ok(());
        }
        match self.connection.pause(Some(duration)).await {
            Pause::Over => Ok(()),
            Pause::Gone(reason) => Err(reason),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), NoRequest> {
        self.connection.last_write = Instant::now();
        let stream = &mut self.connection.stream;
        let sending = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        match tokio::time::timeout(Duration::from_secs(120), sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(NoRequest::Reset),
            Err(_) => Err(NoRequest::Idle),
        }
    }
}

#[derive(PartialEq)]
enum Progress {
    Whole,
    CutHere,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::http::stream::{Socket, Stream, Wire};

    /// Sends an answer that may take `limit` to a client that sends `noise` bytes, reads nothing and does not leave.
    fn sent(limit: Duration, noise: usize, how: &Delivery) -> Sent {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(&vec![0; noise]).await.unwrap();
            let socket = Socket::new(listener.accept().await.unwrap().0, Arc::new(Wire::default()));
            let mut connection = Connection::new(Stream::Plain(socket));
            let response = Response::empty(200).bytes(b"body".to_vec());
            let sent =
                tokio::time::timeout(Duration::from_secs(60), within(limit, &mut connection, response, how));
            sent.await.expect("the answer is given up")
        })
    }

    #[test]
    fn an_answer_that_never_ends_is_given_up() {
        let drip = Drip { bytes: 1, every: Duration::from_secs(5), headers_too: true };
        let ways = [
            Delivery { cut: Some((Cut::Hang, Point::Before)), ..Delivery::default() },
            Delivery { delay: Duration::MAX / 4, ..Delivery::default() },
            Delivery { close_after: Some(Duration::MAX / 4), ..Delivery::default() },
            Delivery { drip: Some(drip), ..Delivery::default() },
        ];
        for how in ways {
            for noise in [0, 100_000] {
                let outcome = sent(Duration::from_millis(50), noise, &how);
                assert_eq!(outcome, Sent::Gone(NoRequest::Idle), "{how:?}");
            }
        }
        assert_eq!(sent(LONGEST, 0, &Delivery::default()), Sent::Whole);
    }
}
