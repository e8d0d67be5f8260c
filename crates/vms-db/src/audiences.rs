//! Who may use which profile or image, and whose default it is: one row for each role, group or person that is named.

use std::collections::BTreeMap;

use diesel::prelude::*;
use vms_authz::action::{ManageAudience, ManageProfiles};
use vms_authz::{Allowed, Catalog};
use vms_types::{Audience, CatalogKind, DefaultFor};

use crate::connection::AnyConnection;
use crate::convert::{corrupt, role};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::schema::audiences;

/// The row that says that not everybody may.
const EVERYONE: &str = "everyone";
const ROLE: &str = "role";
const GROUP: &str = "group";
const USER: &str = "user";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audiences)]
struct AudienceRecord {
    kind: String,
    name: String,
    scope: String,
    subject: String,
    may: bool,
    is_default: bool,
}

impl Datastore {
    /// What was stated about profiles or images, by name; what is missing may be used by everybody. What a person may
    /// choose is found out with this, so it takes no proof; what is shown of it to others does.
    ///
    /// # Errors
    /// The database failed.
    pub async fn audiences(&self, kind: CatalogKind) -> Result<BTreeMap<String, Audience>, DbError> {
        self.read(move |conn| {
            let of_kind = audiences::table.filter(audiences::kind.eq(kind.as_str()));
            let sorted = of_kind.order((audiences::name, audiences::scope, audiences::subject));
            let mut found = BTreeMap::new();
            for record in sorted.select(AudienceRecord::as_select()).load(conn)? {
                add(found.entry(record.name.clone()).or_default(), record)?;
            }
            Ok(found)
        })
        .await
    }

    /// States who may use a profile or an image, instead of what was stated before. Whose default it becomes has no other
    /// of this kind any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_audience(
        &self,
        _proof: &Allowed<Catalog, ManageAudience>,
        kind: CatalogKind,
        name: &str,
        audience: Audience,
    ) -> Result<(), DbError> {
        let name = name.to_owned();
        self.write(move |conn| {
            forget(conn, kind, &name)?;
            for record in records(kind, &name, &audience) {
                if record.is_default {
                    take_default(conn, &record)?;
                }
                diesel::insert_into(audiences::table).values(&record).execute(conn)?;
            }
            Ok(())
        })
        .await
    }

    /// Forgets who could use a profile that is gone: another of its name begins anew.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_profile_audience(
        &self,
        _proof: &Allowed<Catalog, ManageProfiles>,
        name: &str,
    ) -> Result<(), DbError> {
        let name = name.to_owned();
        self.write(move |conn| forget(conn, CatalogKind::Profile, &name)).await
    }
}

fn forget(conn: &mut AnyConnection, kind: CatalogKind, name: &str) -> Result<(), DbError> {
    let of_name = audiences::table.filter(audiences::kind.eq(kind.as_str())).filter(audiences::name.eq(name));
    diesel::delete(of_name).execute(conn)?;
    Ok(())
}

/// Nothing else of the kind is this subject's default afterwards.
fn take_default(conn: &mut AnyConnection, record: &AudienceRecord) -> Result<(), DbError> {
    let of_subject = audiences::table
        .filter(audiences::kind.eq(&record.kind))
        .filter(audiences::scope.eq(&record.scope))
        .filter(audiences::subject.eq(&record.subject));
    diesel::update(of_subject).set(audiences::is_default.eq(false)).execute(conn)?;
    // A row that says nothing any more.
    diesel::delete(of_subject.filter(audiences::may.eq(false))).execute(conn)?;
    Ok(())
}

/// Puts what a row says into the audience.
fn add(audience: &mut Audience, record: AudienceRecord) -> Result<(), DbError> {
    let AudienceRecord { scope, subject, may, is_default, .. } = record;
    let defaults = &mut audience.default_for;
    match scope.as_str() {
        EVERYONE => audience.everyone = may,
        ROLE => {
            let role = role("audiences.subject", &subject)?;
            audience.roles.extend(may.then_some(role));
            defaults.roles.extend(is_default.then_some(role));
        }
        GROUP => {
            audience.groups.extend(may.then(|| subject.clone()));
            defaults.groups.extend(is_default.then_some(subject));
        }
        USER => {
            audience.users.extend(may.then(|| subject.clone()));
            defaults.users.extend(is_default.then_some(subject));
        }
        other => return Err(corrupt("audiences.scope", other)),
    }
    Ok(())
}

/// The rows of an audience.
fn records(kind: CatalogKind, name: &str, audience: &Audience) -> Vec<AudienceRecord> {
    let Audience { everyone, roles, groups, users, default_for } = audience;
    let DefaultFor { roles: default_roles, groups: default_groups, users: default_users } = default_for;
    let role_words =
        |roles: &[vms_types::Role]| roles.iter().map(|role| role.as_str().to_owned()).collect::<Vec<_>>();
    // Scope and subject, then whether they may, and whether it is their default.
    let mut said: BTreeMap<(&str, String), (bool, bool)> = BTreeMap::new();
    if !everyone {
        said.insert((EVERYONE, String::new()), (false, false));
    }
    for (scope, may, default) in [
        (ROLE, role_words(roles), role_words(default_roles)),
        (GROUP, groups.clone(), default_groups.clone()),
        (USER, users.clone(), default_users.clone()),
    ] {
        for subject in may {
            said.entry((scope, subject)).or_default().0 = true;
        }
        for subject in default {
            said.entry((scope, subject)).or_default().1 = true;
        }
    }
    let record = |((scope, subject), (may, is_default)): ((&str, String), (bool, bool))| AudienceRecord {
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
        scope: scope.to_owned(),
        subject,
        may,
        is_default,
    };
    said.into_iter().map(record).collect()
}
