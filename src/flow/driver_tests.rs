//! Tests for the driver, with flows that are defined only here.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use url::Url;

use super::*;
use crate::{
    RetryReason,
    clock::{Clock, SystemClock},
    engine::Engine,
    flow::{Extent, Failure, Server, Source, Transport},
    process::Local,
    protocol::{flow::Now, metadata::Metadata, reply::Reply, uri::Loopback},
};

/// Sends two requests and returns the sum of their statuses.
struct TwoRequests {
    statuses: Vec<u16>,
    not_after: Option<Duration>,
}

impl TwoRequests {
    fn send(&self, path: &str) -> Effect<u16> {
        let url = Url::parse(&format!("https://h/{path}")).unwrap();
        Effect::Send { request: Request::document(url), not_after: self.not_after }
    }
}

impl Flow for TwoRequests {
    type Output = u16;

    fn advance(&mut self, input: Input, _: Now) -> Effect<u16> {
        match input {
            Input::Tick if self.statuses.is_empty() => {
                self.statuses.push(0);
                Effect::Discover
            }
            Input::Discovered(_) => self.send("first"),
            Input::Reply(reply) => {
                self.statuses.push(reply.status);
                match self.statuses.len() {
                    2 => self.send("second"),
                    _ => Effect::Finish(Ok(self.statuses.iter().sum())),
                }
            }
            Input::Tick => Effect::Wait { until: None },
            Input::Lost(_, error) | Input::Failed(error) => Effect::Finish(Err(error)),
            Input::NotSent | Input::Keys(_) => Effect::Finish(Err(Error::internal("not sent"))),
        }
    }
}

/// Responds by path and records the requests.
#[derive(Debug, Default)]
struct Scripted(Mutex<Vec<String>>);

impl Transport for Scripted {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>> {
        let path = request.url.path().to_owned();
        self.0.lock().unwrap().push(path.clone());
        Box::pin(async move {
            match path.as_str() {
                "/first" => Ok(Reply::json(200, "{}")),
                "/second" => Ok(Reply::json(201, "{}")),
                _ => pending().await,
            }
        })
    }

    fn close_idle(&self) {}
}

fn environment(transport: Arc<Scripted>) -> Arc<Environment> {
    Arc::new(Environment {
        engine: Engine::new().unwrap(),
        transport: Local::new(transport),
        server: Arc::new(Server::new(Source::Known(Arc::new(Metadata::example())), Loopback::Refused)),
        clock: Arc::new(SystemClock),
        patience: Duration::from_secs(10),
        open_ended: Mutex::default(),
        leases: Mutex::default(),
    })
}

fn drive(not_after: Option<Duration>) -> (Result<u16, Error>, Vec<String>) {
    let transport = Arc::new(Scripted::default());
    let environment = environment(Arc::clone(&transport));
    let flow = TwoRequests { statuses: Vec::new(), not_after };
    let outcome = environment.engine.block_on(false, run(flow, &environment)).unwrap();
    let sent = transport.0.lock().unwrap().clone();
    (outcome, sent)
}

#[test]
fn the_driver_runs_a_flow_to_its_outcome() {
    let (outcome, sent) = drive(None);
    assert_eq!(outcome.unwrap(), 401);
    assert_eq!(sent, ["/first", "/second"]);
}

#[test]
fn a_request_is_not_sent_after_its_deadline() {
    let (outcome, sent) = drive(Some(SystemClock.now().elapsed));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Internal);
    assert!(sent.is_empty());
}

#[test]
fn a_cancelled_flow_sends_nothing() {
    let transport = Arc::new(Scripted::default());
    let environment = environment(Arc::clone(&transport));
    let mut driver = Driver::new(TwoRequests { statuses: Vec::new(), not_after: None }, "test");
    let cancel = Cancel::default();
    cancel.set();
    let step = driver.step(&environment, &cancel, Duration::MAX);
    match environment.engine.block_on(false, step).unwrap() {
        Progress::Outcome(outcome) => {
            assert_eq!(outcome.unwrap_err().to_string(), "the test was cancelled");
        }
        other => panic!("{other:?}"),
    }
    assert!(transport.0.lock().unwrap().is_empty());
}

#[test]
fn a_flow_that_waits_for_nothing_fails_instead_of_hanging() {
    struct Waits;
    impl Flow for Waits {
        type Output = ();

        fn advance(&mut self, _: Input, _: Now) -> Effect<()> {
            Effect::Wait { until: None }
        }
    }
    let environment = environment(Arc::default());
    let outcome = environment.engine.block_on(false, run(Waits, &environment)).unwrap();
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn transport_failures_map_to_the_matching_input() {
    let lost = Failure::Lost(RetryReason::Timeout, Error::internal("lost"), Extent::MaybeSent);
    assert!(matches!(Input::from(lost), Input::Lost(RetryReason::Timeout, _)));
    assert!(matches!(Input::from(Failure::Permanent(Error::internal("no"))), Input::Failed(_)));
}
