//! Who owns which machine.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;
use vms_authz::action::{EditMachine, HandOverMachine, ListMachines, Reconcile};
use vms_authz::{Action, Allowed, Fleet, MachineTarget, Permits, PersonTarget};
use vms_types::Limits;

use crate::connection::AnyConnection;
use crate::convert::{limit, number, stored, stored_limit, utc, uuid};
use crate::datastore::Datastore;
use crate::error::{DbError, HandOverError};
use crate::holdings::{self, Admit};
use crate::schema::{machines, operations};
use crate::users;

/// A machine that VMS manages, as it was asked for. What it is doing now is the fleet's knowledge, not the table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRow {
    /// Identity.
    pub id: Uuid,
    /// The login name of its owner.
    pub owner: String,
    /// The name its owner gave it; unique among the owner's.
    pub name: String,
    /// LXD's name for it; unique in the whole fleet.
    pub instance: String,
    /// The server it is on.
    pub server: String,
    /// The alias of the image it was made from.
    pub image_alias: String,
    /// The first of its LXD profiles, for as long as no server shows it.
    pub profile: String,
    /// The owner's own note.
    pub description: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// What it holds while no server shows it.
    pub limits: Limits,
}

/// A machine to be made. Its owner comes from the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMachine {
    /// Identity.
    pub id: Uuid,
    /// The name its owner gave it.
    pub name: String,
    /// LXD's name for it.
    pub instance: String,
    /// The server it shall be on.
    pub server: String,
    /// The alias of the image to make it from.
    pub image_alias: String,
    /// The LXD profile.
    pub profile: String,
    /// The owner's own note.
    pub description: String,
    /// What its profile will let it use.
    pub limits: Limits,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = machines)]
struct MachineRecord {
    id: String,
    owner: String,
    name: String,
    instance: String,
    server: String,
    image_alias: String,
    profile: String,
    description: String,
    created_at: NaiveDateTime,
    memory_bytes: Option<i64>,
    cpus: Option<i64>,
    disk_bytes: Option<i64>,
}

impl TryFrom<MachineRecord> for MachineRow {
    type Error = DbError;

    fn try_from(row: MachineRecord) -> Result<Self, DbError> {
        Ok(Self {
            id: uuid("machines.id", &row.id)?,
            owner: row.owner,
            name: row.name,
            instance: row.instance,
            server: row.server,
            image_alias: row.image_alias,
            profile: row.profile,
            description: row.description,
            created_at: utc(row.created_at),
            limits: Limits {
                memory_bytes: limit("machines.memory_bytes", row.memory_bytes)?,
                cpus: limit("machines.cpus", row.cpus)?,
                disk_bytes: limit("machines.disk_bytes", row.disk_bytes)?,
            },
        })
    }
}

impl Datastore {
    /// The machine with this UUID or instance name, as a question to the policy: it says nothing that may be shown
    /// before [`Actor::authorize`](vms_authz::Actor::authorize) has answered.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machine_target(&self, key: &str) -> Result<Option<MachineTarget>, DbError> {
        let key = key.to_owned();
        self.read(move |conn| {
            let Some(row) = by_key(conn, &key)? else { return Ok(None) };
            Ok(Some(MachineTarget {
                student_groups: users::student_groups(conn, &row.owner)?,
                id: row.id,
                instance: row.instance,
                server: row.server,
                owner: row.owner,
                name: row.name,
            }))
        })
        .await
    }

    /// One machine, by UUID or instance name, for the portal's own work.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machine_for_system(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
        key: &str,
    ) -> Result<Option<MachineRow>, DbError> {
        let key = key.to_owned();
        self.read(move |conn| by_key(conn, &key)).await
    }

    /// One machine.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it was deleted since the proof was made.
    pub async fn machine<A>(&self, proof: &Allowed<MachineTarget, A>) -> Result<MachineRow, DbError>
    where
        A: Action + Permits<MachineTarget>,
    {
        let id = proof.resource().id;
        self.read(move |conn| first(conn, id)?.ok_or(DbError::NotFound)).await
    }

    /// A person's machines, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machines_of(
        &self,
        proof: &Allowed<PersonTarget, ListMachines>,
    ) -> Result<Vec<MachineRow>, DbError> {
        let owner = proof.resource().username.clone();
        self.read(move |conn| of_owner(conn, &owner)).await
    }

    /// Everyone's machines, by owner and name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn all_machines(
        &self,
        _proof: &Allowed<Fleet, ListMachines>,
    ) -> Result<Vec<MachineRow>, DbError> {
        self.read(all).await
    }

    /// Everyone's machines, for the portal's own work.
    ///
    /// # Errors
    /// The database failed.
    pub async fn all_machines_for_system(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
    ) -> Result<Vec<MachineRow>, DbError> {
        self.read(all).await
    }

    /// Changes a machine's description.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it was deleted since the proof was made.
    pub async fn set_description(
        &self,
        proof: &Allowed<MachineTarget, EditMachine>,
        description: &str,
    ) -> Result<(), DbError> {
        let (id, description) = (proof.resource().id.to_string(), description.to_owned());
        self.write(move |conn| {
            let row = machines::table.find(id);
            match diesel::update(row).set(machines::description.eq(description)).execute(conn)? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Notes which profile a machine carries since an operation gave it another one.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it was deleted meanwhile.
    pub async fn set_profile(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
        id: Uuid,
        profile: &str,
    ) -> Result<(), DbError> {
        let profile = profile.to_owned();
        self.write(move |conn| {
            let row = machines::table.find(id.to_string());
            match diesel::update(row).set(machines::profile.eq(profile)).execute(conn)? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Gives a machine to another person, if `admit` finds room for it in their quota. Nothing may be under way on it:
    /// operations know whose machine they work on.
    ///
    /// # Errors
    /// [`HandOverError`]; nothing was changed then.
    pub async fn hand_over(
        &self,
        proof: &Allowed<MachineTarget, HandOverMachine>,
        to: &str,
        admit: Admit,
    ) -> Result<(), HandOverError> {
        let (id, from, to) = (proof.resource().id, proof.resource().owner.clone(), to.to_owned());
        self.write(move |conn| {
            match users::lock(conn, &to) {
                Err(DbError::NotFound) => return Err(HandOverError::UnknownPerson),
                other => other?,
            }
            lock(conn, id, &from)?;
            if let Some(operation) = crate::operations::unfinished_of(conn, id)? {
                return Err(HandOverError::Busy(operation));
            }
            admit(&holdings::of(conn, &to)?).map_err(HandOverError::QuotaExceeded)?;
            let row = machines::table.find(id.to_string());
            diesel::update(row).set(machines::owner.eq(to)).execute(conn)?;
            Ok(())
        })
        .await
    }

    /// Takes a machine that was found on a server into the table. Quotas are not asked: it is there already.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when its id, its instance name or its name with this owner is known already.
    pub async fn adopt_machine(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
        machine: MachineRow,
    ) -> Result<(), DbError> {
        self.write(move |conn| insert(conn, &machine)).await
    }

    /// Notes that a machine's instance was given another name on its server.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when another machine of the table has that instance name; [`DbError::NotFound`] when the
    /// machine is gone.
    pub async fn rename_instance(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
        id: Uuid,
        instance: &str,
    ) -> Result<(), DbError> {
        let instance = instance.to_owned();
        self.write(move |conn| {
            let row = machines::table.find(id.to_string());
            match diesel::update(row).set(machines::instance.eq(instance)).execute(conn)? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Whether a machine that is not in the table was in it once: operations speak of it. What was deleted (or never
    /// came to be) does not come back because an instance still carries its id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn was_removed(&self, _proof: &Allowed<Fleet, Reconcile>, id: Uuid) -> Result<bool, DbError> {
        self.read(move |conn| {
            let of_machine = operations::table.filter(operations::machine_id.eq(id.to_string()));
            let spoken_of: i64 = of_machine.count().get_result(conn)?;
            Ok(spoken_of > 0 && first(conn, id)?.is_none())
        })
        .await
    }

    /// How many machines a person has, those being created included.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machine_count(&self, owner: &str) -> Result<u32, DbError> {
        let owner = owner.to_owned();
        self.read(move |conn| count(conn, &owner)).await
    }
}

fn by_key(conn: &mut AnyConnection, key: &str) -> Result<Option<MachineRow>, DbError> {
    // Only the canonical spelling with dashes is an id; an instance name could look like other spellings.
    if let (36, Ok(id)) = (key.len(), Uuid::try_parse(key))
        && let Some(found) = first(conn, id)?
    {
        return Ok(Some(found));
    }
    let by_name = machines::table.filter(machines::instance.eq(key));
    let record = by_name.select(MachineRecord::as_select()).first(conn).optional()?;
    record.map(MachineRow::try_from).transpose()
}

fn first(conn: &mut AnyConnection, id: Uuid) -> Result<Option<MachineRow>, DbError> {
    let row = machines::table.find(id.to_string());
    row.select(MachineRecord::as_select()).first(conn).optional()?.map(MachineRow::try_from).transpose()
}

fn all(conn: &mut AnyConnection) -> Result<Vec<MachineRow>, DbError> {
    sorted(conn, machines::table.into_boxed())
}

/// Those that a query finds, by owner and name.
pub(crate) fn sorted(
    conn: &mut AnyConnection,
    some: machines::BoxedQuery<'_, <AnyConnection as Connection>::Backend>,
) -> Result<Vec<MachineRow>, DbError> {
    let some = some.order((machines::owner, machines::name));
    rows(some.select(MachineRecord::as_select()).load(conn)?)
}

fn rows(records: Vec<MachineRecord>) -> Result<Vec<MachineRow>, DbError> {
    records.into_iter().map(MachineRow::try_from).collect()
}

/// A person's machines.
pub(crate) fn of_owner(conn: &mut AnyConnection, owner: &str) -> Result<Vec<MachineRow>, DbError> {
    let of_owner = machines::table.filter(machines::owner.eq(owner)).order(machines::name);
    rows(of_owner.select(MachineRecord::as_select()).load(conn)?)
}

/// Counts a person's machines.
pub(crate) fn count(conn: &mut AnyConnection, owner: &str) -> Result<u32, DbError> {
    let counted: i64 = machines::table.filter(machines::owner.eq(owner)).count().get_result(conn)?;
    number("count of machines", counted)
}

/// Whether the owner has a machine of this name, and whether anyone has one of this instance name.
pub(crate) fn taken(
    conn: &mut AnyConnection,
    owner: &str,
    name: &str,
    instance: &str,
) -> Result<(bool, bool), DbError> {
    let of_name = machines::table.filter(machines::owner.eq(owner)).filter(machines::name.eq(name));
    let of_instance = machines::table.filter(machines::instance.eq(instance));
    let names: i64 = of_name.count().get_result(conn)?;
    let instances: i64 = of_instance.count().get_result(conn)?;
    Ok((names > 0, instances > 0))
}

/// Writes a machine down.
pub(crate) fn insert(conn: &mut AnyConnection, machine: &MachineRow) -> Result<(), DbError> {
    let record = MachineRecord {
        id: machine.id.to_string(),
        owner: machine.owner.clone(),
        name: machine.name.clone(),
        instance: machine.instance.clone(),
        server: machine.server.clone(),
        image_alias: machine.image_alias.clone(),
        profile: machine.profile.clone(),
        description: machine.description.clone(),
        created_at: stored(machine.created_at),
        memory_bytes: stored_limit("machines.memory_bytes", machine.limits.memory_bytes)?,
        cpus: stored_limit("machines.cpus", machine.limits.cpus)?,
        disk_bytes: stored_limit("machines.disk_bytes", machine.limits.disk_bytes)?,
    };
    diesel::insert_into(machines::table).values(&record).execute(conn)?;
    Ok(())
}

/// Locks a machine's row until the transaction ends; [`DbError::NotFound`] when it is gone or somebody else's by now.
pub(crate) fn lock(conn: &mut AnyConnection, id: Uuid, owner: &str) -> Result<(), DbError> {
    let row = machines::table.find(id.to_string()).filter(machines::owner.eq(owner));
    match diesel::update(row).set(machines::instance.eq(machines::instance)).execute(conn)? {
        0 => Err(DbError::NotFound),
        _ => Ok(()),
    }
}

/// Removes a machine; its place in the quota is free then.
pub(crate) fn remove(conn: &mut AnyConnection, id: &str) -> Result<(), DbError> {
    diesel::delete(machines::table.find(id)).execute(conn)?;
    Ok(())
}
