//! The keys of a server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{sleep, timeout};
use url::Url;

use super::transport::{Failure, Transport};
use crate::{
    Error, ErrorKind,
    clock::Clock,
    engine::drive_pool,
    process::lock,
    protocol::{keys::KeySet, reply::Reply, request::Request},
};

/// The time after which keys are fetched again.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The minimum time between two renewals, so that not every token with an unknown key costs a request.
const RENEWAL: Duration = Duration::from_secs(30);

/// The time limit for fetching the keys, and the number of tries. The user is waiting.
const LIMIT: Duration = Duration::from_secs(10);
const TRIES: u32 = 3;

/// The pause before the second try. It doubles before each further one.
const PAUSE: Duration = Duration::from_millis(500);

/// The keys that were fetched last.
#[derive(Debug, Default)]
pub(super) struct KeyCache(Mutex<Option<Cached>>);

#[derive(Debug)]
struct Cached {
    url: Url,
    keys: Arc<KeySet>,
    fetched_at: Duration,
    /// Whether a token with an unknown key was the reason.
    is_renewal: bool,
}

impl KeyCache {
    /// Returns the keys if no request is needed for them.
    pub(super) fn known(
        &self,
        url: &Url,
        renew: bool,
        clock: &dyn Clock,
    ) -> Result<Option<Arc<KeySet>>, Error> {
        let now = clock.now().elapsed;
        let is_known = |cached: &&Cached| {
            let age = now.saturating_sub(cached.fetched_at);
            cached.url == *url && if renew { cached.is_renewal && age < RENEWAL } else { age < MAX_AGE }
        };
        Ok(lock(&self.0)?.as_ref().filter(is_known).map(|cached| Arc::clone(&cached.keys)))
    }

    /// Fetches the keys and stores them.
    pub(super) async fn fetch(
        &self,
        url: Url,
        renew: bool,
        transport: &dyn Transport,
        clock: &dyn Clock,
    ) -> Result<Arc<KeySet>, Error> {
        let fetched_at = clock.now().elapsed;
        let keys = match timeout(LIMIT, fetch(&url, transport)).await {
            Ok(keys) => Arc::new(keys?),
            Err(_) => {
                let message = format!("the server's keys did not arrive within {} seconds", LIMIT.as_secs());
                return Err(Error::new(ErrorKind::Network, message));
            }
        };
        let cached = Cached { url, keys: Arc::clone(&keys), fetched_at, is_renewal: renew };
        *lock(&self.0)? = Some(cached);
        Ok(keys)
    }
}

async fn fetch(url: &Url, transport: &dyn Transport) -> Result<KeySet, Error> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match attempt(url, transport).await {
            Err(Failure::Lost(..)) => {}
            Err(Failure::Permanent(error)) => return Err(error),
            Ok(reply) if reply.is_transient() && reply.retry_after.is_none_or(|wait| wait < LIMIT) => {
                pause = pause.max(reply.retry_after.unwrap_or_default());
            }
            Ok(reply) => return KeySet::read(&reply),
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2);
    }
    match attempt(url, transport).await {
        Err(Failure::Lost(_, error, _) | Failure::Permanent(error)) => Err(error),
        Ok(reply) => KeySet::read(&reply),
    }
}

async fn attempt(url: &Url, transport: &dyn Transport) -> Result<Reply, Failure> {
    // A kept connection that the server has closed is noticed before the request.
    drive_pool().await;
    transport.send(Request::document(url.clone())).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::flow::Now;

    #[derive(Debug)]
    struct At(u64);

    impl Clock for At {
        fn now(&self) -> Now {
            Now { elapsed: Duration::from_secs(self.0), awake: Duration::ZERO }
        }

        fn time_of_day(&self) -> std::time::SystemTime {
            std::time::UNIX_EPOCH
        }
    }

    // proves: OIDCC-10.1.1-01, P6-jwks
    #[test]
    fn keys_are_kept_for_an_hour_and_renewed_at_most_every_half_minute() {
        let url = Url::parse("https://h/jwks").unwrap();
        let other = Url::parse("https://h/other").unwrap();
        let cache = KeyCache::default();
        let known = |url: &Url, renew, at| cache.known(url, renew, &At(at)).unwrap().is_some();
        assert!(!known(&url, false, 0));
        for is_renewal in [false, true] {
            let keys = Arc::new(KeySet::default());
            let fetched_at = Duration::from_secs(1_000);
            *cache.0.lock().unwrap() = Some(Cached { url: url.clone(), keys, fetched_at, is_renewal });
            assert!(known(&url, false, 1_000) && known(&url, false, 4_599) && !known(&url, false, 4_600));
            assert!(!known(&other, false, 1_000));
            assert_eq!(known(&url, true, 1_029), is_renewal);
            assert!(!known(&url, true, 1_030));
        }
    }
}
