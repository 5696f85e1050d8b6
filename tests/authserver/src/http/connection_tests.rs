use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::http::stream::{Socket, Wire};

/// What is read from a client that sends this, and then neither sends nor leaves.
fn read(sent: Vec<u8>) -> Result<Vec<u8>, NoRequest> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = Socket::new(listener.accept().await.unwrap().0, Arc::new(Wire::default()));
        let mut connection = Connection::new(Stream::Plain(socket));
        let sending = tokio::spawn(async move {
            // An error means that the reader has seen enough.
            let _ = client.write_all(&sent).await;
            std::future::pending::<()>().await;
        });
        let reading = tokio::time::timeout(Duration::from_secs(60), connection.request());
        let request = reading.await.expect("the reader waits for more");
        sending.abort();
        request.map(|request| request.body)
    })
}

fn chunked(chunks: &[u8]) -> Result<Vec<u8>, NoRequest> {
    read([b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunks].concat())
}

#[test]
fn a_chunked_body_is_read_with_its_extensions_and_trailers() {
    assert_eq!(chunked(b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n"), Ok(b"abcde".to_vec()));
}

#[test]
fn a_body_may_come_in_chunks_of_one_byte() {
    let half = vec![b'a'; MAX_BODY / 2];
    let mut chunks = [format!("{:x}\r\n", half.len()).as_bytes(), &half, b"\r\n"].concat();
    chunks.extend(b"1\r\na\r\n".repeat(MAX_BODY / 2));
    chunks.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(chunked(&chunks).map(|body| body.len()), Ok(MAX_BODY));
}

#[test]
fn nothing_of_the_chunked_coding_is_endless() {
    let endless = vec![b'a'; 200_000];
    let size = [b"1;", endless.as_slice()].concat();
    let trailer = [b"0\r\nX: ", endless.as_slice()].concat();
    let trailers = [b"0\r\n".as_slice(), &b"X: y\r\n".repeat(100_000)].concat();
    let extension = format!("1;{}\r\na\r\n", "e".repeat(8000));
    let extensions = extension.repeat(2000).into_bytes();
    for chunks in [size, trailer, trailers, extensions] {
        assert_eq!(chunked(&chunks), Err(NoRequest::TooLarge));
    }
    for size in [MAX_BODY + 1, usize::MAX] {
        assert_eq!(chunked(format!("1\r\na\r\n{size:x}\r\n").as_bytes()), Err(NoRequest::TooLarge));
    }
}

#[test]
fn a_head_and_a_body_have_their_caps() {
    let head = format!("GET /x HTTP/1.1\r\nX: {}", "a".repeat(2 * MAX_HEAD));
    assert_eq!(read(head.into_bytes()), Err(NoRequest::TooLarge));
    let body = format!("POST /x HTTP/1.1\r\nContent-Length: {}\r\n\r\n", MAX_BODY + 1);
    assert_eq!(read(body.into_bytes()), Err(NoRequest::TooLarge));
}
