//! A map that forgets what has expired. A full one forgets what expires first.

use std::collections::HashMap;
use std::time::Instant;

/// A value that is needed for a limited time.
pub(crate) trait Expires {
    fn expires(&self) -> Instant;
}

/// Values by their names. There are never more than `most`.
#[derive(Debug)]
pub(crate) struct Kept<V> {
    values: HashMap<String, V>,
    most: usize,
    /// The size of the next sweep. It is twice what the last one left, so that an insertion costs little on average.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 64;

impl<V: Expires> Kept<V> {
    pub(crate) fn new(most: usize) -> Kept<V> {
        Kept { values: HashMap::new(), most, sweep_at: FIRST_SWEEP.min(most) }
    }

    pub(crate) fn insert(&mut self, name: String, value: V, now: Instant) {
        if self.values.len() >= self.sweep_at {
            self.sweep(now);
        }
        self.values.insert(name, value);
    }

    /// Forgets what has expired, and the quarter that expires first if the map is still full.
    fn sweep(&mut self, now: Instant) {
        self.values.retain(|_, value| value.expires() > now);
        if self.values.len() >= self.most {
            let mut ends: Vec<Instant> = self.values.values().map(V::expires).collect();
            let surplus = (self.most / 4).max(1).min(ends.len());
            let last = *ends.select_nth_unstable(surplus - 1).1;
            self.values.retain(|_, value| value.expires() > last);
        }
        self.values.shrink_to(2 * self.values.len());
        self.sweep_at = (2 * self.values.len()).clamp(FIRST_SWEEP.min(self.most), self.most);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.values.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.values.get_mut(name)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<V> {
        self.values.remove(name)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    impl Expires for Instant {
        fn expires(&self) -> Instant {
            *self
        }
    }

    #[test]
    fn what_has_expired_is_forgotten_and_what_has_not_is_kept() {
        let (mut kept, start) = (Kept::new(1000), Instant::now());
        let second = |number: u64| start + Duration::from_secs(number);
        kept.insert("lasting".to_owned(), second(1_000_000), start);
        for number in 0..100_000 {
            kept.insert(number.to_string(), second(number + 10), second(number));
            assert!(kept.values().count() <= FIRST_SWEEP);
        }
        assert!(kept.get("lasting").is_some() && kept.get("99995").is_some() && kept.get("9").is_none());
    }

    #[test]
    fn a_full_map_forgets_what_expires_first() {
        let (mut kept, start) = (Kept::new(100), Instant::now());
        for number in 0..1000 {
            kept.insert(number.to_string(), start + Duration::from_secs(1000 + number), start);
            assert!(kept.values().count() <= 100);
        }
        let names =
            |from: u64, to: u64| (from..to).filter(|name| kept.get(&name.to_string()).is_some()).count();
        assert_eq!((names(0, 900), names(926, 1000)), (0, 74));
    }
}
