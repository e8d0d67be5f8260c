//! The facade, its parts, and whether they are well.

use std::sync::Arc;

use tokio::sync::broadcast;
use vms_auth::{AccessTokens, AttemptLimiter, Authenticator};
use vms_authz::SessionKind;
use vms_db::Datastore;
use vms_fleet::{Fleet, Server, ServerSummary};

use crate::error::CoreError;
use crate::events::{Hub, News, Tickets};
use crate::jobs::Jobs;
use crate::overview::KnownHealth;
use crate::reconcile::LeftAlone;
use crate::settings::Settings;

/// All use cases. Cheap to clone.
#[derive(Clone)]
pub struct Vms {
    pub(crate) parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub settings: Settings,
    pub db: Datastore,
    pub fleet: Fleet,
    pub directory: Arc<dyn Authenticator>,
    pub tokens: AccessTokens,
    pub limiter: AttemptLimiter,
    pub jobs: Jobs,
    /// What may look different by now.
    pub news: Arc<News>,
    pub events: Arc<Hub>,
    pub tickets: Tickets,
    pub left_alone: LeftAlone,
    pub sessions_ended: broadcast::Sender<SessionKind>,
    /// Whether database and directory answered, a moment ago.
    pub health: KnownHealth,
}

impl std::fmt::Debug for Vms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vms").field("settings", &self.parts.settings).finish_non_exhaustive()
    }
}

/// Whether each part answers now.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// The database, or why not.
    pub database: Result<(), String>,
    /// The directory, or why not.
    pub directory: Result<(), String>,
    /// Every LXD server.
    pub servers: Vec<ServerSummary>,
}

impl Readiness {
    /// Whether the system can do its work: the database and at least one server answer. Without the directory those
    /// who are logged in can go on.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.database.is_ok() && self.servers.iter().any(|s| s.connected)
    }
}

impl Vms {
    /// Puts the parts together. Nothing is done until [`Vms::begin`], so that a command line tool can look without
    /// taking up the work of the portal that runs beside it.
    #[must_use]
    pub fn new(
        settings: Settings,
        db: Datastore,
        fleet: Fleet,
        directory: Arc<dyn Authenticator>,
        tokens: AccessTokens,
    ) -> Self {
        let (limiter, tickets, left_alone) = Default::default();
        let news: Arc<News> = Arc::default();
        let jobs = Jobs::new(settings.operations, Arc::clone(&news));
        let events = Hub::new();
        let sessions_ended = broadcast::channel(64).0;
        let parts = Parts {
            settings,
            db,
            fleet,
            directory,
            tokens,
            limiter,
            jobs,
            news,
            events,
            tickets,
            left_alone,
            sessions_ended,
            health: KnownHealth::default(),
        };
        Self { parts: Arc::new(parts) }
    }

    /// Takes up every operation that an earlier run left unfinished, and begins what goes on in the background. One
    /// process at a time may do this with a database.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn begin(&self) -> Result<(), CoreError> {
        self.publish_events()?;
        self.resume_unfinished().await?;
        self.keep_reconciled();
        self.forget_what_is_old();
        self.keep_directory_checked();
        if let Some(interval) = self.parts.settings.sample_every {
            self.parts.fleet.sample(interval);
        }
        Ok(())
    }

    /// Asks every part how it is.
    pub async fn ready(&self) -> Readiness {
        let (database, directory) = tokio::join!(self.parts.db.health(), self.parts.directory.health());
        Readiness {
            database: database.map_err(|e| e.to_string()),
            directory: directory.map_err(|e| e.to_string()),
            servers: self.parts.fleet.servers().map(|s| s.summary()).collect(),
        }
    }

    /// Whether [`Vms::shutdown`] has begun.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.parts.jobs.stopping().is_cancelled()
    }

    /// Waits until [`Vms::shutdown`] begins.
    pub async fn stopping(&self) {
        self.parts.jobs.stopping().cancelled().await;
    }

    /// Stops taking up work and waits for the jobs to write down where they are. LXD goes on with its part; the next
    /// start takes the operations up again.
    pub async fn shutdown(&self) {
        self.parts.jobs.shutdown().await;
    }

    pub(crate) fn server(&self, name: &str) -> Result<&Arc<Server>, CoreError> {
        self.parts.fleet.server(name).ok_or_else(|| CoreError::ServerUnavailable(name.to_owned()))
    }

    /// The server, if it can take a command now.
    pub(crate) fn answering_server(&self, name: &str) -> Result<&Arc<Server>, CoreError> {
        let server = self.server(name)?;
        if server.is_connected() {
            Ok(server)
        } else if server.summary().refused {
            Err(CoreError::ServerRefused(name.to_owned()))
        } else {
            Err(CoreError::ServerUnavailable(name.to_owned()))
        }
    }
}
