use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::control;
use crate::http::{Request, Response};
use crate::server::MOST_OPEN;

const PATIENCE: Duration = Duration::from_secs(60);

fn app(most: usize) -> Arc<App> {
    let mut app = App::new(Pki::new().unwrap(), Keys::new().unwrap(), Alg::Es256, None);
    app.most = most;
    Arc::new(app)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.unwrap() });
}

async fn ask(app: &Arc<App>, method: &str, path: &str) -> Response {
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: None,
        http_1_0: false,
        headers: [("Host", "localhost:1"), ("Content-Type", "application/json")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body: Vec::new(),
        body_announced: true,
        arrived: Instant::now(),
    };
    control::answer(app, &request).await
}

#[test]
fn there_are_only_so_many_servers_at_a_time() {
    run(async {
        let app = app(2);
        for _ in 0..2 {
            assert_eq!(ask(&app, "POST", "/control/servers").await.status, 201);
        }
        let full = ask(&app, "POST", "/control/servers").await;
        let told = full.body.json().unwrap();
        assert_eq!((full.status, &told), (409, &json!({"error": "there are 2 servers: delete some"})));
        assert_eq!(ask(&app, "DELETE", "/control/servers/s1").await.status, 204);
        assert_eq!(ask(&app, "POST", "/control/servers").await.status, 201);
        assert_eq!(app.ids(), ["s2", "s3"]);
    });
}

#[test]
fn a_connection_too_many_waits_until_another_ends() {
    run(async {
        let hosted = app(1).create(Settings::default()).unwrap();
        let open = Arc::clone(&hosted.server.open);
        // Each of the two listeners holds a permit for its next connection.
        while open.available_permits() != MOST_OPEN - 2 {
            tokio::task::yield_now().await;
        }
        let _others = open.clone().try_acquire_many_owned(u32::try_from(MOST_OPEN - 2).unwrap()).unwrap();
        let first = exchange(connect(&hosted.url).await).await;
        let second = tokio::spawn(exchange(connect(&hosted.url).await));
        // The other listener still accepts one. Meanwhile the first one could have accepted the second connection.
        let third = exchange(connect(&hosted.other_url).await).await;
        assert_eq!(hosted.server.log.json("s1")["connections"].as_array().unwrap().len(), 2);
        assert!(!second.is_finished());
        drop(first);
        drop((second.await.unwrap(), third));
        // Listeners that wait for a permit can be shut.
        hosted.set_gate(Gate::Shut).await;
        while open.available_permits() != 2 {
            tokio::task::yield_now().await;
        }
    });
}

async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("http://")).await.unwrap()
}

/// A request and its answer/// A request and its answer; the connection stays open.
async fn exchange(mut connection: TcpStream) -> TcpStream {
    connection.write_all(b"GET /oauth2/jwks HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    connection
}
