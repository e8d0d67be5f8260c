//! How long a simulated machine takes for what.

use std::time::Duration;

/// How long each piece of background work takes. [`Timing::demo`] feels like a real server;
/// [`Timing::instant`] is for tests that do not care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Creating an instance from an image, with progress.
    pub create: Duration,
    /// From the start command until it runs.
    pub start: Duration,
    /// From running until it has its address.
    pub address: Duration,
    /// A clean stop. A forced one is at once.
    pub stop: Duration,
    /// Freezing and unfreezing.
    pub freeze: Duration,
    /// Taking a snapshot.
    pub snapshot: Duration,
    /// Going back to a snapshot (a running instance also stops and starts).
    pub restore: Duration,
    /// Deleting an instance or a snapshot.
    pub delete: Duration,
    /// Renaming an instance or a snapshot, changing an instance's configuration.
    pub update: Duration,
    /// Unpacking an uploaded image, deleting one.
    pub image: Duration,
    /// Moving an instance to another cluster member.
    pub migrate: Duration,
    /// How long a finished operation can still be read. LXD: 5 s.
    pub operation_kept: Duration,
}

impl Timing {
    /// As a small real server feels.
    #[must_use]
    pub const fn demo() -> Self {
        Self {
            create: Duration::from_millis(1500),
            start: Duration::from_millis(800),
            address: Duration::from_millis(1200),
            stop: Duration::from_millis(1000),
            freeze: Duration::from_millis(150),
            snapshot: Duration::from_millis(700),
            restore: Duration::from_millis(900),
            delete: Duration::from_millis(600),
            update: Duration::from_millis(150),
            image: Duration::from_millis(800),
            migrate: Duration::from_millis(2500),
            operation_kept: Duration::from_secs(5),
        }
    }

    /// Everything at once (finished operations are still kept for 5 s).
    #[must_use]
    pub const fn instant() -> Self {
        let none = Duration::ZERO;
        Self {
            create: none,
            start: none,
            address: none,
            stop: none,
            freeze: none,
            snapshot: none,
            restore: none,
            delete: none,
            update: none,
            image: none,
            migrate: none,
            operation_kept: Duration::from_secs(5),
        }
    }
}

impl Default for Timing {
    /// [`Timing::instant`]: what tests want.
    fn default() -> Self {
        Self::instant()
    }
}
