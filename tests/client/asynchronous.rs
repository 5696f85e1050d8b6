//! The async methods: any executor, one worker thread, at most 64 connections.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake},
    thread,
    time::Duration,
};

use cli_auth::{ErrorKind, Step};
use serde_json::json;

use crate::support::{Server, started};

/// A minimal executor, to show that no particular one is needed.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn async_methods_work_on_any_executor() {
    let server =
        Server::new(json!({"tls": "good", "interval": 1, "answer": "approve", "answer_after_polls": 1}));
    let client = server.client();
    let tokens = block_on(async {
        let login = client.login();
        login.start_async().await.unwrap();
        let mut events = 0;
        let tokens = login.poll_async(|_| events += 1).await.unwrap();
        assert_eq!(events, 1);
        let tokens = client.refresh_async(tokens.refresh_token().unwrap()).await.unwrap();
        client.revoke_async(tokens.refresh_token().unwrap()).await.unwrap();
        tokens
    });
    assert_eq!(
        block_on(client.refresh_async(tokens.refresh_token().unwrap())).unwrap_err().kind(),
        ErrorKind::LoginRequired
    );
}

#[test]
fn dropping_a_step_future_does_not_repeat_its_request() {
    let server = Server::approving(json!({"token": [{"grant": true, "delay": 1.0}]}));
    let (login, _) = started(&server.client());
    block_on(async {
        // Each future is polled once and then dropped. The request in flight must not be sent again.
        loop {
            let mut step = Box::pin(login.step_async(Duration::from_millis(50)));
            let first = std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut step).poll(context))).await;
            drop(step);
            if matches!(first, Poll::Ready(Ok(Step::Authorized(_)))) {
                break;
            }
            assert!(!matches!(first, Poll::Ready(Err(_))));
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(server.requests("token", 1).len(), 1);
}

#[test]
fn blocking_calls_inside_an_async_runtime_do_not_panic() {
    let server = Server::approving(json!({}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = server.client();
        let (login, _) = started(&client);
        assert!(login.poll(drop).is_ok());
        let (cancelled, _) = started(&client);
        cancelled.cancel();
        assert_eq!(cancelled.step(Duration::MAX).unwrap_err().kind(), ErrorKind::Cancelled);
        server.wait_until_disconnected();
        drop((login, cancelled, client));
    });
}

#[test]
fn two_hundred_logins_share_a_worker_and_few_connections() {
    let server = Server::new(json!({"interval": 1, "answer": "approve", "answer_after_polls": 2}));
    let client = server.client();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let most_threads = runtime.block_on(async {
        let logins: Vec<_> = (0..200)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    let login = client.login();
                    login.start_async().await?;
                    login.poll_async(drop).await
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let workers = threads_called("cli-auth");
        for login in logins {
            assert!(login.await.unwrap().is_ok());
        }
        workers
    });
    // Other tests of this process may have their own workers, but there is never one per login.
    assert!((1..20).contains(&most_threads), "{most_threads}");
    assert!(server.connections().len() <= 64, "{}", server.connections().len());
}

fn threads_called(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|comm| comm.trim() == name).count()
}

#[test]
fn cancel_ends_the_poll_future() {
    let server = Server::new(json!({"interval": 60}));
    let (login, _) = started(&server.client());
    let canceller = thread::spawn({
        let login = login.clone();
        move || {
            thread::sleep(Duration::from_millis(200));
            login.cancel();
        }
    });
    assert_eq!(block_on(login.poll_async(drop)).unwrap_err().kind(), ErrorKind::Cancelled);
    canceller.join().unwrap();
}
