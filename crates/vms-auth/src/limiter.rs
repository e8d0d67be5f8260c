//! How often somebody may get a password wrong.
//!
//! Counted in windows of time, per person *and* address (guessing one account), per address (trying many accounts),
//! and per person from anywhere (many addresses guessing one account). An attempt is counted *before* the directory is
//! asked and taken back when it turns out not to be a failure: so a thousand guesses at once are no way around it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// Counters kept at most; each takes some 200 bytes. Beyond that the longest unused are forgotten.
const MAX_COUNTERS: u64 = 100_000;
/// Characters of a user name that count, so that long names cost no memory.
const NAME_CHARS: usize = 64;

/// How many failures in which time.
#[derive(Debug, Clone)]
pub struct AttemptLimits {
    /// Counters start anew after this time.
    pub window: Duration,
    /// Failures of one user from one address.
    pub per_user_and_address: u32,
    /// Failures from one address, whoever it is. A school may be behind a single one.
    pub per_address: u32,
    /// Failures of one user from anywhere. Higher than the first, so that nobody locks others out by himself.
    pub per_user: u32,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self { window: Duration::from_secs(300), per_user_and_address: 10, per_address: 60, per_user: 50 }
    }
}

/// There were too many failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; wait {retry_after_seconds} seconds")]
pub struct TooManyAttempts {
    /// For the `Retry-After` header: at least 1.
    pub retry_after_seconds: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    UserAndAddress(String, IpAddr),
    Address(IpAddr),
    User(String),
}

#[derive(Debug)]
struct Window {
    started: Instant,
    count: u32,
}

type Counter = Arc<Mutex<Window>>;

/// Stands before the directory. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct AttemptLimiter {
    limits: AttemptLimits,
    counters: Cache<Key, Counter>,
}

/// One attempt that was let through. **Dropped, it counts as a failure.**
#[derive(Debug)]
#[must_use = "an attempt that is dropped at once counts as a failed login"]
pub struct Attempt {
    counters: Vec<Counter>,
    own: Counter,
}

impl AttemptLimiter {
    /// A limiter with nothing counted yet.
    #[must_use]
    pub fn new(limits: AttemptLimits) -> Self {
        let counters = Cache::builder()
            .max_capacity(MAX_COUNTERS)
            // The default policy may refuse to remember new keys when full, which would let new guessers through.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(limits.window)
            .build();
        Self { limits, counters }
    }

    /// Asks to try a password. Whoever gets an [`Attempt`] tells it afterwards how it went.
    ///
    /// # Errors
    /// [`TooManyAttempts`] when one of the counters is full.
    pub fn begin(&self, username: &str, address: IpAddr) -> Result<Attempt, TooManyAttempts> {
        self.begin_at(username, address, Instant::now())
    }

    fn begin_at(&self, username: &str, address: IpAddr, now: Instant) -> Result<Attempt, TooManyAttempts> {
        let user: String = username.trim().to_lowercase().chars().take(NAME_CHARS).collect();
        let address = network(address);
        let own = self.counter(Key::UserAndAddress(user.clone(), address), now);
        let all = [
            (Arc::clone(&own), self.limits.per_user_and_address),
            (self.counter(Key::Address(address), now), self.limits.per_address),
            (self.counter(Key::User(user), now), self.limits.per_user),
        ];
        let mut counters = Vec::with_capacity(all.len());
        for (counter, limit) in all {
            if let Err(wait) = take(&counter, limit, self.limits.window, now) {
                counters.iter().for_each(give_back);
                return Err(TooManyAttempts { retry_after_seconds: wait.as_secs().saturating_add(1) });
            }
            counters.push(counter);
        }
        Ok(Attempt { counters, own })
    }

    fn counter(&self, key: Key, now: Instant) -> Counter {
        self.counters.get_with(key, || Arc::new(Mutex::new(Window { started: now, count: 0 })))
    }
}

impl Default for AttemptLimiter {
    fn default() -> Self {
        Self::new(AttemptLimits::default())
    }
}

impl Attempt {
    /// The password was right: it does not count, and this person's earlier slips from this address are forgotten.
    pub fn succeeded(self) {
        self.counters.iter().for_each(give_back);
        lock(&self.own).count = 0;
    }

    /// Nobody could say whether it was right (the directory is down): it does not count.
    pub fn undecided(self) {
        self.counters.iter().for_each(give_back);
    }

    /// The password was wrong: it counts.
    pub fn failed(self) {
        drop(self);
    }
}

/// Counts one more, or says how long until there is room.
fn take(counter: &Counter, limit: u32, window: Duration, now: Instant) -> Result<(), Duration> {
    let mut state = lock(counter);
    let age = now.saturating_duration_since(state.started);
    if age >= window {
        *state = Window { started: now, count: 0 };
    }
    if state.count >= limit {
        return Err(window.saturating_sub(age));
    }
    // A window begins with its first failure.
    if state.count == 0 {
        state.started = now;
    }
    state.count += 1;
    Ok(())
}

fn give_back(counter: &Counter) {
    let mut state = lock(counter);
    state.count = state.count.saturating_sub(1);
}

fn lock(counter: &Counter) -> std::sync::MutexGuard<'_, Window> {
    // A count is right whatever another thread was doing when it panicked.
    counter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who has one IPv6 address has all of its /64; IPv4 written as IPv6 is IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_eleventh_failure_is_not_tried_and_waiting_helps() {
        let limiter = AttemptLimiter::default();
        let start = Instant::now();
        for _ in 0..10 {
            limiter.begin_at("bruno", ip("10.0.0.1"), start).unwrap().failed();
        }
        let later = start + Duration::from_secs(100);
        let refused = limiter.begin_at(" BRUNO", ip("10.0.0.1"), later).unwrap_err();
        assert_eq!(refused.retry_after_seconds, 201);
        // Others, and bruno from elsewhere, are not concerned.
        limiter.begin_at("ana", ip("10.0.0.1"), later).unwrap().failed();
        limiter.begin_at("bruno", ip("10.0.0.2"), later).unwrap().failed();
        limiter.begin_at("bruno", ip("10.0.0.1"), start + Duration::from_secs(301)).unwrap().failed();
    }

    #[test]
    fn only_failures_count() {
        let limiter = AttemptLimiter::default();
        let now = Instant::now();
        for _ in 0..100 {
            limiter.begin_at("bruno", ip("10.0.0.1"), now).unwrap().succeeded();
            limiter.begin_at("bruno", ip("10.0.0.1"), now).unwrap().undecided();
        }
        for _ in 0..9 {
            limiter.begin_at("bruno", ip("10.0.0.1"), now).unwrap().failed();
        }
        limiter.begin_at("bruno", ip("10.0.0.1"), now).unwrap().succeeded();
        for _ in 0..10 {
            limiter.begin_at("bruno", ip("10.0.0.1"), now).unwrap().failed();
        }
        assert!(limiter.begin_at("bruno", ip("10.0.0.1"), now).is_err());
    }

    #[test]
    fn one_success_does_not_wash_an_address_clean() {
        let limiter = AttemptLimiter::default();
        let now = Instant::now();
        for n in 0..60 {
            limiter.begin_at(&format!("user{n}"), ip("10.0.0.1"), now).unwrap().failed();
            if n < 59 {
                limiter.begin_at("own-account", ip("10.0.0.1"), now).unwrap().succeeded();
            }
        }
        assert!(limiter.begin_at("own-account", ip("10.0.0.1"), now).is_err());
        assert!(limiter.begin_at("own-account", ip("10.0.0.2"), now).is_ok());
    }

    #[test]
    fn many_addresses_do_not_get_around_it() {
        let limiter = AttemptLimiter::default();
        let now = Instant::now();
        for n in 0..50_u8 {
            limiter.begin_at("bruno", IpAddr::from([10, 0, 1, n]), now).unwrap().failed();
        }
        assert!(limiter.begin_at("bruno", ip("10.0.2.1"), now).is_err());
        // Nor does the size of an IPv6 network.
        for n in 0..10 {
            limiter.begin_at("ana", ip(&format!("2001:db8::{n}")), now).unwrap().failed();
        }
        assert!(limiter.begin_at("ana", ip("2001:db8::ffff"), now).is_err());
        assert!(limiter.begin_at("ana", ip("2001:db8:0:1::1"), now).is_ok());
    }

    #[test]
    fn guesses_at_the_same_time_are_counted_before_they_are_answered() {
        let limiter = AttemptLimiter::default();
        let now = Instant::now();
        let under_way: Vec<_> =
            (0..100).filter_map(|_| limiter.begin_at("bruno", ip("10.0.0.1"), now).ok()).collect();
        assert_eq!(under_way.len(), 10);
        // A refusal took nothing from the other counters.
        drop(under_way);
        limiter.begin_at("ana", ip("10.0.0.1"), now).unwrap().failed();
    }
}
