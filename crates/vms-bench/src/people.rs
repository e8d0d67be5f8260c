//! The people of the school, as clients of the API: logged in, with machines of their own.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use uuid::Uuid;
use vms_client::native::NativeTransport;
use vms_client::{ApiClient, ClientError};
use vms_types::{CreateMachine, Operation, OperationStatus};
use xtask::ui;

use crate::portal::Portal;

/// Logins, and commands, that are under way at once while a bench is being set up.
const AT_ONCE: usize = 16;
/// Longest that an operation may take, in requests of 30 s.
const WAITS: usize = 10;

/// How often an order is given again, a second later.
const RETRIES: usize = 10;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Person {
    /// User name.
    pub name: String,
    /// The API, with this person's token.
    pub api: ApiClient<NativeTransport>,
}

impl Person {
    /// The access token.
    ///
    /// # Errors
    /// When there is none.
    pub fn token(&self) -> Result<String> {
        self.api.token().with_context(|| format!("{} is not logged in", self.name))
    }

    /// Orders a machine that is started as soon as it is made.
    ///
    /// # Errors
    /// When the portal refuses.
    pub async fn order(&self, name: &str) -> Result<Operation> {
        let machine = CreateMachine {
            name: name.to_owned(),
            image: None,
            profile: None,
            description: None,
            start: true,
            owner: None,
            server: None,
        };
        Ok(self.api.create_machine(&machine, &Uuid::new_v4().to_string()).await?)
    }

    /// Waits until an operation has succeeded.
    ///
    /// # Errors
    /// When it ends otherwise, or takes five minutes.
    pub async fn finish(&self, operation: Operation) -> Result<Operation> {
        let mut seen = operation;
        for _ in 0..WAITS {
            match seen.status {
                OperationStatus::Succeeded => return Ok(seen),
                OperationStatus::Pending | OperationStatus::Running => {}
                _ => bail!(
                    "{} of {} ended as {:?}: {:?}",
                    seen.kind.as_str(),
                    self.name,
                    seen.status,
                    seen.error
                ),
            }
            seen = self.api.wait_operation(seen.id, 30).await?;
        }
        bail!("{} of {} did not end", seen.kind.as_str(), self.name)
    }
}

/// `aluno0001` and so on: the names of [`xtask::directory::Directory::with_people`].
pub fn student(number: usize) -> String {
    format!("aluno{number:04}")
}

/// Logs in everybody of that list. The password is the user name.
///
/// # Errors
/// When somebody is refused.
pub async fn log_in(portal: &Portal, names: Vec<String>) -> Result<Vec<Person>> {
    // One pool of connections for all: cookies are not kept, so nobody's session meets another's.
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
    let (count, since, before) = (names.len(), std::time::Instant::now(), portal.binds());
    let people = futures::stream::iter(names)
        .map(|name| {
            let api = ApiClient::new(NativeTransport::with_client(http.clone()), &portal.url());
            async move {
                api.login(&name, &name).await.with_context(|| format!("{name} cannot log in"))?;
                anyhow::Ok(Person { name, api })
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    ui::say(format!(
        "    {count} people logged in within {} ({} binds)",
        ui::seconds(since.elapsed()),
        portal.binds().saturating_sub(before)
    ));
    Ok(people)
}

/// Orders again what was refused for the moment only: so many orders at once may make the portal lose LXD's events for
/// an instant, and nothing is measured yet.
async fn patiently(person: &Person, name: &str) -> Result<Operation> {
    let mut tries = 0;
    loop {
        match person.order(name).await {
            Err(error)
                if tries < RETRIES
                    && error.downcast_ref::<ClientError>().is_some_and(ClientError::is_passing) =>
            {
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            other => return other,
        }
    }
}

/// Each of these people gets `each` machines, running.
///
/// # Errors
/// When one cannot be made.
pub async fn furnish(people: &[Person], each: usize) -> Result<()> {
    let orders = people.iter().flat_map(|person| (1..=each).map(move |number| (person, number)));
    futures::stream::iter(orders)
        .map(|(person, number)| async move {
            let operation = patiently(person, &format!("maquina{number:02}")).await?;
            person.finish(operation).await.map(drop)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
