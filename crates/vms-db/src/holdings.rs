//! What counts against a person's quota: read in the transaction that takes more of it, with the person's row locked,
//! so that two requests at once cannot both take the last of something.
//!
//! What a machine uses on its server is the fleet's knowledge and not the table's. So the caller judges
//! ([`Admit`]), in the middle of the transaction: first what the database says is read, then the caller looks at the
//! fleet. An operation's end is written after the fleet shows what it did; so nothing is missed in between.

use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;
use vms_authz::{Action, Allowed, Permits, PersonTarget};
use vms_types::{OperationKind, QuotaRule, QuotaShortage};

use crate::connection::AnyConnection;
use crate::convert::{json, kind, uuid};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::machines::{self, MachineRow};
use crate::quotas;
use crate::schema::operations;
use crate::users::{self, User};

/// Says whether a person may use more, given what they hold. Runs within a transaction: no waiting in it.
pub type Admit = Box<dyn FnOnce(&Holdings) -> Result<(), QuotaShortage> + Send>;

/// What a person holds, and what the levels above them allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Holdings {
    /// The person; `None` who never logged in.
    pub user: Option<User>,
    /// What roles and groups may use.
    pub rules: Vec<QuotaRule>,
    /// Their machines.
    pub machines: Vec<MachineRow>,
    /// What is under way on these.
    pub under_way: Vec<UnderWay>,
}

/// An operation that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct UnderWay {
    /// The machine it is about.
    pub machine: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// What was asked for, in detail.
    pub params: Value,
}

impl Datastore {
    /// What a person holds now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn holdings<A>(&self, proof: &Allowed<PersonTarget, A>) -> Result<Holdings, DbError>
    where
        A: Action + Permits<PersonTarget>,
    {
        let username = proof.resource().username.clone();
        self.read(move |conn| of(conn, &username)).await
    }
}

/// Reads it.
pub(crate) fn of(conn: &mut AnyConnection, username: &str) -> Result<Holdings, DbError> {
    let unfinished = operations::table
        .filter(operations::finished_at.is_null())
        .filter(operations::owner.eq(username))
        .filter(operations::machine_id.is_not_null());
    let columns = (operations::machine_id.assume_not_null(), operations::kind, operations::params);
    let under_way: Vec<(String, String, String)> = unfinished.select(columns).load(conn)?;
    let under_way = under_way.into_iter().map(|(machine, word, params)| {
        Ok(UnderWay {
            machine: uuid("operations.machine_id", &machine)?,
            kind: kind(&word)?,
            params: json("operations.params", &params)?,
        })
    });
    Ok(Holdings {
        under_way: under_way.collect::<Result<_, DbError>>()?,
        user: users::find(conn, username)?,
        rules: quotas::all(conn)?,
        machines: machines::of_owner(conn, username)?,
    })
}
