//! The LXD behind the portal: simulated in this process, or real. What the benches need of both: a small change now
//! and then, made by somebody else than the portal, and how many requests came from the portal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use lxd_api::{InstanceAction, InstanceStatePut};
use lxd_client::{Client, ClientConfig};
use lxd_sim::{InstanceSpec, SimHandle, Timing, scenario};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};
use xtask::lab::reaper::Reaper;
use xtask::lab::{Lxd, LxdOptions, open_dir};
use xtask::ui;

/// Longest that LXD may take for a change of ours.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which LXD, and how to change something on it.
pub struct Target {
    kind: Kind,
    client: Client,
    dir: PathBuf,
    _reaper: Reaper,
}

enum Kind {
    Simulated(SimHandle),
    Real { lxd: Box<Lxd>, counter: Counter },
}

impl Target {
    /// The simulated LXD; whatever it is told is done at once.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn simulated() -> Result<Self> {
        let dir = open_dir("vms-bench-sim-")?;
        let reaper = Reaper::arm(&dir, "")?;
        let sim = scenario::empty().timing(Timing::instant()).socket(dir.join("lxd.socket")).start().await?;
        let client = client(&dir.join("lxd.socket"))?;
        Ok(Self { kind: Kind::Simulated(sim), client, dir, _reaper: reaper })
    }

    /// Real LXD, with the tiny image, on plain directories. Between it and the portal stands a counter.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn real() -> Result<Self> {
        let step = ui::Step::begin("starting real LXD", "5 s");
        let lxd = Box::new(Lxd::start(LxdOptions::default())?);
        let dir = open_dir("vms-bench-lxd-")?;
        let reaper = Reaper::arm(&dir, "")?;
        let counter = Counter::start(&dir.join("counted.socket"), lxd.socket())?;
        let client = client(&lxd.socket())?;
        step.done();
        Ok(Self { kind: Kind::Real { lxd, counter }, client, dir, _reaper: reaper })
    }

    /// The endpoint for the portal, whose requests are counted.
    pub fn endpoint(&self) -> String {
        match &self.kind {
            Kind::Simulated(sim) => sim.endpoint(),
            Kind::Real { .. } => format!("unix://{}", self.dir.join("counted.socket").display()),
        }
    }

    /// Image and profile that new machines get.
    pub fn defaults(&self) -> (&'static str, &'static str) {
        match &self.kind {
            Kind::Simulated(_) => ("debian-12", "alunos"),
            Kind::Real { lxd, .. } => (lxd.image_alias(), "default"),
        }
    }

    /// A client of its own, whose requests are not counted.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The real one, if it is.
    pub fn lxd(&self) -> Option<&Lxd> {
        match &self.kind {
            Kind::Simulated(_) => None,
            Kind::Real { lxd, .. } => Some(lxd),
        }
    }

    /// How many requests the portal made so far.
    pub fn requests(&self) -> u64 {
        match &self.kind {
            Kind::Simulated(sim) => sim.request_count(),
            Kind::Real { counter, .. } => counter.connections.load(Ordering::Relaxed),
        }
    }

    /// Somebody turns an instance off or on, past the portal.
    ///
    /// # Errors
    /// When LXD does not do it.
    pub async fn turn(&self, instance: &str, on: bool) -> Result<()> {
        match &self.kind {
            Kind::Simulated(sim) if on => Ok(sim.start_instance(instance)?),
            Kind::Simulated(sim) => Ok(sim.stop_instance(instance)?),
            Kind::Real { .. } => {
                let action = if on { InstanceAction::Start } else { InstanceAction::Stop };
                let mut state = InstanceStatePut::new(action);
                state.force = !on;
                let operation = self.client.set_instance_state(instance, &state).await?;
                operation.wait(PATIENCE).await.with_context(|| format!("{instance} was not turned"))?;
                Ok(())
            }
        }
    }

    /// Instances on the simulated LXD that nobody owns.
    ///
    /// # Errors
    /// When there is no simulated one, or it refuses.
    pub fn litter(&self, count: usize) -> Result<()> {
        let Kind::Simulated(sim) = &self.kind else { bail!("only the simulator is littered") };
        for number in 1..=count {
            sim.create_instance(InstanceSpec::new(format!("avulsa{number:03}")))?;
        }
        Ok(())
    }

    /// Deletes whatever is on a real LXD, many at a time: the way it is taken down otherwise is slower.
    ///
    /// # Errors
    /// When one cannot be deleted.
    pub async fn clear(&self) -> Result<()> {
        if self.lxd().is_none() {
            return Ok(());
        }
        let step = ui::Step::begin("deleting the machines", "");
        futures::stream::iter(self.client.instances().await?)
            .map(|instance| async move {
                if instance.status_code == lxd_api::StatusCode::RUNNING {
                    self.turn(&instance.name, false).await?;
                }
                self.client.delete_instance(&instance.name).await?.wait(PATIENCE).await?;
                anyhow::Ok(())
            })
            .buffer_unordered(8)
            .try_collect::<()>()
            .await?;
        step.done();
        Ok(())
    }
}

fn client(socket: &Path) -> Result<Client> {
    Ok(Client::new(ClientConfig::new(format!("unix://{}", socket.display()).parse()?))?)
}

/// Passes connections on to LXD and counts them. The portal opens one for each request (see the transport of
/// `lxd-client`), so these are its requests.
struct Counter {
    connections: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Counter {
    fn start(listen: &Path, lxd: PathBuf) -> Result<Self> {
        let listener =
            UnixListener::bind(listen).with_context(|| format!("cannot listen on {}", listen.display()))?;
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((mut near, _)) = listener.accept() => {
                        count.fetch_add(1, Ordering::Relaxed);
                        let lxd = lxd.clone();
                        open.spawn(async move {
                            let mut far = UnixStream::connect(lxd).await?;
                            tokio::io::copy_bidirectional(&mut near, &mut far).await
                        });
                    }
                    // That a side is gone is for the other side to notice.
                    Some(_) = open.join_next() => {}
                }
            }
        });
        Ok(Self { connections, task })
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.task.abort();
    }
}
