//! What a teacher sees of the school: the students who are in one of their groups, and what these have.

use diesel::prelude::*;
use vms_authz::action::{ListMachines, ListOperations, WatchEvents};
use vms_authz::{Allowed, Students};
use vms_types::{Page, Role};

use crate::datastore::Datastore;
use crate::error::DbError;
use crate::machines::{self as machine_rows, MachineRow};
use crate::operations::OperationRow;
use crate::people::has_role;
use crate::schema::{machines, operations, user_groups, users};

diesel::alias!(user_groups as own_groups: OwnGroups);

/// The login names of the students who share a group with a teacher, as a subquery. A macro, because the type of such a
/// query takes half a page to say.
macro_rules! students_of {
    ($teacher:expr) => {{
        let own = own_groups
            .filter(own_groups.field(user_groups::username).eq($teacher.clone()))
            .select(own_groups.field(user_groups::name));
        let shared = user_groups::table.filter(user_groups::name.eq_any(own)).select(user_groups::username);
        users::table
            .filter(users::username.eq_any(shared))
            .filter(has_role(Role::Student))
            .select(users::username)
    }};
}

impl Datastore {
    /// The machines of the students, and the teacher's own, by owner and name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machines_of_students(
        &self,
        proof: &Allowed<Students, ListMachines>,
    ) -> Result<Vec<MachineRow>, DbError> {
        let teacher = proof.resource().of.clone();
        self.read(move |conn| {
            let theirs = machines::owner.eq_any(students_of!(teacher)).or(machines::owner.eq(teacher));
            machine_rows::sorted(conn, machines::table.filter(theirs).into_boxed())
        })
        .await
    }

    /// The operations on the students' machines, on the teacher's own, and those that the teacher asked for, newest
    /// first. `limit` is at most 200.
    ///
    /// # Errors
    /// [`DbError::BadCursor`] when `cursor` is not a `next_cursor` of such a list.
    pub async fn operations_of_students(
        &self,
        proof: &Allowed<Students, ListOperations>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<OperationRow>, DbError> {
        let teacher = proof.resource().of.clone();
        let own = operations::owner.eq(teacher.clone()).or(operations::requested_by.eq(teacher.clone()));
        let theirs = operations::owner.eq_any(students_of!(teacher)).or(own);
        self.operations_where(operations::table.filter(theirs).into_boxed(), limit, cursor).await
    }

    /// The login names of the students, and the teacher's own.
    ///
    /// # Errors
    /// The database failed.
    pub async fn students(&self, proof: &Allowed<Students, WatchEvents>) -> Result<Vec<String>, DbError> {
        let teacher = proof.resource().of.clone();
        self.read(move |conn| {
            let mut names: Vec<String> = students_of!(teacher).load(conn)?;
            names.push(teacher);
            Ok(names)
        })
        .await
    }
}
