//! What a datastore must do, whichever database is under it. `tests/sqlite.rs` beside this runs it on SQLite files,
//! the workspace's `tests/tests/database.rs` on a real PostgreSQL: the same checks, included by path.

mod audiences;
mod people;
mod sessions;

use std::fmt::Write as _;

pub use audiences::who_may_use_what_is_kept;
use chrono::{TimeDelta, Utc};
pub use people::{
    a_machine_is_handed_over_whole, a_teacher_sees_their_students, administrators_list_and_change_people,
    roles_and_groups_have_quotas, what_is_held_counts_within_the_transaction,
    who_left_the_directory_is_known,
};
use serde_json::json;
pub use sessions::{
    a_reused_refresh_token_ends_its_session, audit_log, personal_tokens, sessions_end,
    two_refreshes_at_once_are_a_reuse,
};
use sessions::{refresh, token};
use uuid::Uuid;
use vms_authz::{Actor, Allowed, Fleet, MachineTarget, OperationTarget, PersonTarget, SessionKind, action};
use vms_db::{
    Admit, BeginError, Datastore, DbError, Finish, IdempotencyKey, LoginRecord, MachineRow, NewMachine,
    NewOperation, RefreshError, ReserveError, Reserved,
};
use vms_types::{
    Limits, OperationError, OperationKind, OperationStatus, Quota, QuotaShortage, Role, TokenScope,
};

/// An empty database of its own for one check, and a way to do to it what no method of the datastore would.
pub struct Fixture {
    /// The datastore, opened.
    pub db: Datastore,
    /// Its URL.
    pub url: String,
    /// Runs SQL behind the datastore's back.
    pub sql: Box<dyn Fn(&str)>,
}

fn actor(username: &str) -> Actor {
    let session = SessionKind::Browser { session: Uuid::nil() };
    Actor::new(username, Role::Student, Vec::new(), TokenScope::Write, session)
}

fn may_create(username: &str) -> Allowed<PersonTarget, action::CreateMachine> {
    actor(username).authorize(PersonTarget::new(username), action::CreateMachine).unwrap()
}

fn may_list(username: &str) -> Allowed<PersonTarget, action::ListMachines> {
    actor(username).authorize(PersonTarget::new(username), action::ListMachines).unwrap()
}

fn may_tokens(username: &str) -> Allowed<PersonTarget, action::ManageTokens> {
    actor(username).authorize(PersonTarget::new(username), action::ManageTokens).unwrap()
}

fn login_of(username: &str) -> LoginRecord {
    LoginRecord {
        username: username.into(),
        display_name: format!("{username} of the school"),
        email: Some(format!("{username}@example.org")),
        groups: vec!["turma-a".into()],
        directory_role: Role::Student,
    }
}

fn machine(name: &str, instance: &str) -> NewMachine {
    NewMachine {
        id: Uuid::new_v4(),
        name: name.into(),
        instance: instance.into(),
        server: "lxd1".into(),
        image_alias: "busybox".into(),
        profile: "default".into(),
        description: "of mine".into(),
        limits: Limits { memory_bytes: Some(1 << 30), ..Limits::default() },
    }
}

fn operation(kind: OperationKind) -> NewOperation {
    NewOperation {
        id: Uuid::new_v4(),
        kind,
        machine_id: None,
        machine_name: "a".into(),
        instance: "vma".into(),
        owner: "not the owner".into(),
        requested_by: "not who asks".into(),
        server: "lxd1".into(),
        params: json!({ "start": true }),
    }
}

const SUCCEEDED: Finish = Finish { status: OperationStatus::Succeeded, error: None, remove_machine: false };

async fn reserve(db: &Datastore, owner: &str, name: &str, limit: u64) -> Result<Reserved, ReserveError> {
    let new = machine(name, &format!("vm{owner}{name}"));
    db.reserve_machine(&may_create(owner), new, room(limit), operation(OperationKind::MachineCreate), None)
        .await
}

/// Room for so many machines.
fn room(allowed: u64) -> Admit {
    Box::new(move |held| {
        let used = u64::try_from(held.machines.len()).unwrap();
        let shortage = QuotaShortage { resource: "machines".into(), asked: 1, used, allowed };
        if used < allowed { Ok(()) } else { Err(shortage) }
    })
}

/// A machine of `owner` that was made.
async fn made(db: &Datastore, owner: &str, name: &str) -> MachineTarget {
    db.record_login(login_of(owner)).await.unwrap();
    let reserved = reserve(db, owner, name, 10).await.unwrap();
    assert!(db.finish_operation(reserved.operation.id, SUCCEEDED).await.unwrap());
    db.machine_target(&reserved.machine.instance).await.unwrap().unwrap()
}

fn may_power(target: &MachineTarget) -> Allowed<MachineTarget, action::ChangePower> {
    actor(&target.owner).authorize(target.clone(), action::ChangePower).unwrap()
}

/// Opening once more finds nothing to do, and what was there is there.
pub async fn migrations_are_idempotent(f: Fixture) {
    f.db.record_login(login_of("bruno")).await.unwrap();
    assert_eq!(f.db.migrate().await, Ok(Vec::new()));
    let again = Datastore::open(&f.url).await.unwrap();
    assert!(again.user("bruno").await.unwrap().is_some());
    again.health().await.unwrap();
}

/// Servers that start together on an empty database do not trip over each other.
pub async fn migrations_run_once_when_many_start(f: Fixture, tables_gone: &str) {
    (f.sql)(tables_gone);
    let opened = (0..4).map(|_| {
        let url = f.url.clone();
        tokio::spawn(async move {
            let db = Datastore::connect(&url).await.unwrap();
            db.migrate().await.unwrap().len()
        })
    });
    let mut ran = Vec::new();
    for task in opened.collect::<Vec<_>>() {
        ran.push(task.await.unwrap());
    }
    ran.sort_unstable();
    assert_eq!(ran.first_chunk(), Some(&[0, 0, 0]), "{ran:?}");
    assert!(ran[3] > 0, "one of them ran them all");
}

/// A login refreshes what the directory says and keeps what an administrator said.
pub async fn a_login_keeps_what_an_administrator_decided(f: Fixture) {
    let first = f.db.record_login(login_of("bruno")).await.unwrap();
    assert_eq!((first.role(), first.disabled, first.quota), (Role::Student, false, Quota::default()));
    assert_eq!(first.groups, ["turma-a"]);
    (f.sql)("UPDATE users SET role_override = 'teacher', quota_machines = 25 WHERE username = 'bruno'");
    let changed = LoginRecord {
        display_name: "Bruno Novo".into(),
        email: None,
        groups: vec![],
        directory_role: Role::Admin,
        ..login_of("bruno")
    };
    let second = f.db.record_login(changed).await.unwrap();
    assert_eq!(second.display_name, "Bruno Novo");
    assert_eq!((second.email.clone(), second.groups.len()), (None, 0));
    assert_eq!((second.directory_role, second.role()), (Role::Admin, Role::Teacher));
    assert_eq!(second.quota, Quota { machines: Some(25), ..Quota::default() });
    assert_eq!(second.created_at, first.created_at);
    assert!(second.last_login_at >= first.last_login_at);
    assert_eq!(f.db.user("bruno").await.unwrap(), Some(second));
    assert_eq!(f.db.user("ana").await.unwrap(), None);
}

/// First logins of one person at the same moment.
pub async fn two_first_logins_at_once_are_one_person(f: Fixture) {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let db = f.db.clone();
            tokio::spawn(async move { db.record_login(login_of("bruno")).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().username, "bruno");
    }
}

/// A reserved machine can be found, is its owner's by proof, and its operation is pending.
pub async fn a_reservation_is_machine_and_operation(f: Fixture) {
    f.db.record_login(login_of("bruno")).await.unwrap();
    let Reserved { machine, operation } = reserve(&f.db, "bruno", "a", 10).await.unwrap();
    assert_eq!((machine.owner.as_str(), machine.instance.as_str()), ("bruno", "vmbrunoa"));
    // Owner, requester and machine come from the proof, whatever the request said.
    assert_eq!((operation.owner.as_str(), operation.requested_by.as_str()), ("bruno", "bruno"));
    assert_eq!(operation.machine_id, Some(machine.id));
    assert_eq!((operation.status, operation.finished_at), (OperationStatus::Pending, None));
    assert_eq!(operation.params, json!({ "start": true }));
    assert_eq!(f.db.operation_by_id(operation.id).await.unwrap(), Some(operation.clone()));

    let by_name = f.db.machine_target("vmbrunoa").await.unwrap().unwrap();
    let by_id = f.db.machine_target(&machine.id.to_string()).await.unwrap().unwrap();
    assert_eq!(by_name, by_id);
    assert_eq!(f.db.machine_target("vmanaa").await.unwrap(), None);
    let proof = actor("bruno").authorize(by_id, action::ViewMachine).unwrap();
    assert_eq!(f.db.machine(&proof).await.unwrap(), machine);
    assert_eq!(f.db.machines_of(&may_list("bruno")).await.unwrap(), std::slice::from_ref(&machine));
    assert!(f.db.machines_of(&may_list("ana")).await.unwrap().is_empty());
    let all = Actor::system().authorize(Fleet, action::ListMachines).unwrap();
    assert_eq!(f.db.all_machines(&all).await.unwrap(), [machine]);
}

/// Who never logged in has no row to count under.
pub async fn nobody_reserves_for_a_stranger(f: Fixture) {
    assert_eq!(reserve(&f.db, "ghost", "a", 10).await.err(), Some(ReserveError::Db(DbError::NotFound)));
    assert!(f.db.unfinished_operations().await.unwrap().is_empty());
}

/// Two at once for the last place, twenty times: each time exactly one gets it.
pub async fn the_last_place_is_given_once(f: Fixture) {
    for round in 0..20 {
        let owner = format!("u{round}");
        f.db.record_login(login_of(&owner)).await.unwrap();
        for name in ["x", "y"] {
            reserve(&f.db, &owner, name, 3).await.unwrap();
        }
        let tasks: Vec<_> = ["a", "b"]
            .into_iter()
            .map(|name| {
                let (db, owner) = (f.db.clone(), owner.clone());
                tokio::spawn(async move { reserve(&db, &owner, name, 3).await })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(ReserveError::QuotaExceeded(short)) => assert_eq!((short.used, short.allowed), (3, 3)),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
        assert_eq!(f.db.machine_count(&owner).await.unwrap(), 3, "round {round}");
    }
    // Who was refused left nothing behind.
    assert_eq!(f.db.unfinished_operations().await.unwrap().len(), 20 * 3);
}

/// Names are unique for an owner, instance names in the whole fleet; also when the requests cross.
pub async fn names_and_instances_are_unique(f: Fixture) {
    for owner in ["bruno", "brunom"] {
        f.db.record_login(login_of(owner)).await.unwrap();
    }
    let new = || operation(OperationKind::MachineCreate);
    let first = machine("maquinaa", "vmbrunomaquinaa");
    f.db.reserve_machine(&may_create("bruno"), first, room(10), new(), None).await.unwrap();
    let same_name = machine("maquinaa", "vmother");
    let refused = f.db.reserve_machine(&may_create("bruno"), same_name, room(10), new(), None).await;
    assert_eq!(refused.err(), Some(ReserveError::NameTaken));
    // Another person whose name and machine run together to the same instance name.
    let same_instance = machine("aquinaa", "vmbrunomaquinaa");
    let refused = f.db.reserve_machine(&may_create("brunom"), same_instance, room(10), new(), None).await;
    assert_eq!(refused.err(), Some(ReserveError::InstanceTaken));
    assert_eq!(f.db.machine_count("brunom").await.unwrap(), 0);

    for round in 0..10 {
        let tasks: Vec<_> = ["bruno", "brunom"]
            .into_iter()
            .map(|owner| {
                let db = f.db.clone();
                tokio::spawn(async move {
                    let new = machine(&format!("m{round}"), &format!("vmcrossing{round}"));
                    let create = operation(OperationKind::MachineCreate);
                    db.reserve_machine(&may_create(owner), new, room(100), create, None).await
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error, ReserveError::InstanceTaken),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
}

/// The same request twice is one machine; the same key for another request is refused.
pub async fn an_idempotency_key_stands_for_one_request(f: Fixture) {
    for owner in ["bruno", "ana"] {
        f.db.record_login(login_of(owner)).await.unwrap();
    }
    let key = |fingerprint: &str| Some(IdempotencyKey { key: "k1".into(), fingerprint: fingerprint.into() });
    let new = || operation(OperationKind::MachineCreate);
    // The limit is 1: a replay is answered although the quota is full.
    let first =
        f.db.reserve_machine(&may_create("bruno"), machine("a", "vma"), room(1), new(), key("x"))
            .await
            .unwrap();
    let again =
        f.db.reserve_machine(&may_create("bruno"), machine("a", "vma"), room(1), new(), key("x")).await;
    assert_eq!(again.err(), Some(ReserveError::Replay(first.operation.id)));
    let other =
        f.db.reserve_machine(&may_create("bruno"), machine("b", "vmb"), room(9), new(), key("y")).await;
    assert_eq!(other.err(), Some(ReserveError::KeyReused));
    // Another person's same word is another key.
    f.db.reserve_machine(&may_create("ana"), machine("a", "vmanaa"), room(1), new(), key("z")).await.unwrap();

    let same = key("x").unwrap();
    assert_eq!(f.db.replayed_operation("bruno", &same).await.unwrap(), Some(Ok(first.operation.id)));
    assert_eq!(f.db.replayed_operation("bruno", &key("y").unwrap()).await.unwrap(), Some(Err(())));
    assert_eq!(f.db.replayed_operation("prof", &same).await.unwrap(), None);

    // The same holds for commands to a machine.
    f.db.finish_operation(first.operation.id, SUCCEEDED).await.unwrap();
    let target = f.db.machine_target("vma").await.unwrap().unwrap();
    let key = Some(IdempotencyKey { key: "k2".into(), fingerprint: "start".into() });
    let new = operation(OperationKind::MachineStart);
    let begun = f.db.begin_operation(&may_power(&target), new.clone(), key.clone(), None).await.unwrap();
    let new = operation(OperationKind::MachineStart);
    let again = f.db.begin_operation(&may_power(&target), new, key, None).await;
    assert_eq!(again.err(), Some(BeginError::Replay(begun.id)));
}

/// Eight commands at once to one machine: one begins, the others are told which.
pub async fn a_machine_does_one_thing_at_a_time(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    for round in 0..10 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (db, target) = (f.db.clone(), target.clone());
                tokio::spawn(async move {
                    let new = operation(OperationKind::MachineStart);
                    db.begin_operation(&may_power(&target), new, None, None).await
                })
            })
            .collect();
        let (mut begun, mut told) = (Vec::new(), Vec::new());
        for task in tasks {
            match task.await.unwrap() {
                Ok(row) => begun.push(row.id),
                Err(BeginError::Busy(id)) => told.push(id),
                Err(other) => panic!("round {round}: {other:?}"),
            }
        }
        assert_eq!((begun.len(), told.len()), (1, 7), "round {round}");
        assert!(told.iter().all(|id| *id == begun[0]), "round {round}");
        assert!(f.db.finish_operation(begun[0], SUCCEEDED).await.unwrap());
    }
}

/// Pending, running, progress, ended once; a deletion takes the machine along and frees its place.
pub async fn an_operation_ends_once(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    let begun =
        f.db.begin_operation(&may_power(&target), operation(OperationKind::MachineDelete), None, None)
            .await
            .unwrap();
    assert_eq!(begun.requested_by, "bruno");
    assert!(f.db.set_operation_running(begun.id, "lxd-1").await.unwrap());
    assert!(f.db.set_operation_progress(begun.id, Some(40), "unpacking").await.unwrap());
    let row = &f.db.unfinished_operations().await.unwrap()[0];
    assert_eq!(
        (row.status, row.progress, row.message.as_str()),
        (OperationStatus::Running, Some(40), "unpacking")
    );
    assert_eq!(row.lxd_operation.as_deref(), Some("lxd-1"));

    let no_end = Finish { status: OperationStatus::Running, ..SUCCEEDED };
    assert!(matches!(f.db.finish_operation(begun.id, no_end).await, Err(DbError::Corrupt(_))));
    let error = OperationError { code: "server-error".into(), message: "no space left".into() };
    let failed = Finish { status: OperationStatus::Failed, error: Some(error), remove_machine: true };
    assert!(f.db.finish_operation(begun.id, failed).await.unwrap());
    assert_eq!(f.db.machine_target("vmbrunoa").await.unwrap(), None);
    assert_eq!(f.db.machine_count("bruno").await.unwrap(), 0);

    // Whoever comes second changes nothing.
    assert!(!f.db.finish_operation(begun.id, SUCCEEDED).await.unwrap());
    assert!(!f.db.set_operation_running(begun.id, "lxd-2").await.unwrap());
    assert!(!f.db.set_operation_progress(begun.id, None, "late").await.unwrap());
    let target = f.db.operation_target(begun.id).await.unwrap().unwrap();
    let expected = OperationTarget {
        id: begun.id,
        requested_by: "bruno".into(),
        owner: Some("bruno".into()),
        student_groups: vec!["turma-a".into()],
    };
    assert_eq!(target, expected);
    let row =
        f.db.operation(&actor("bruno").authorize(target, action::ViewOperation).unwrap()).await.unwrap();
    assert_eq!((row.status, row.lxd_operation.as_deref()), (OperationStatus::Failed, Some("lxd-1")));
    assert_eq!(row.error_message.as_deref(), Some("no space left"));
    assert!(row.finished_at.is_some());

    assert_eq!(f.db.finish_operation(Uuid::new_v4(), SUCCEEDED).await, Err(DbError::NotFound));
    assert_eq!(f.db.operation_target(Uuid::new_v4()).await.unwrap(), None);
}

/// A proof about a machine that has been deleted since finds nothing.
pub async fn an_old_proof_finds_nothing(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    (f.sql)("DELETE FROM machines");
    let begun =
        f.db.begin_operation(&may_power(&target), operation(OperationKind::MachineStart), None, None).await;
    assert_eq!(begun.err(), Some(BeginError::Db(DbError::NotFound)));
    assert_eq!(f.db.machine(&may_power(&target)).await, Err(DbError::NotFound));
    let edit = actor("bruno").authorize(target, action::EditMachine).unwrap();
    assert_eq!(f.db.set_description(&edit, "x").await, Err(DbError::NotFound));
}

/// Descriptions change; machines found on a server are taken in, but not twice.
pub async fn machines_are_edited_and_adopted(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    let edit = actor("bruno").authorize(target, action::EditMachine).unwrap();
    f.db.set_description(&edit, "açaí; DROP TABLE machines; --").await.unwrap();
    let row = f.db.machine(&edit).await.unwrap();
    assert_eq!(row.description, "açaí; DROP TABLE machines; --");

    let system = Actor::system().authorize(Fleet, action::Reconcile).unwrap();
    let found =
        MachineRow { id: Uuid::new_v4(), owner: "ghost".into(), instance: "vmghosta".into(), ..row.clone() };
    f.db.adopt_machine(&system, found.clone()).await.unwrap();
    assert_eq!(f.db.all_machines_for_system(&system).await.unwrap(), [row, found.clone()]);
    let twice = MachineRow { id: Uuid::new_v4(), name: "b".into(), ..found.clone() };
    assert_eq!(f.db.adopt_machine(&system, twice).await, Err(DbError::Duplicate("instance name")));
    let twice = MachineRow { id: Uuid::new_v4(), instance: "vmb".into(), ..found };
    assert_eq!(f.db.adopt_machine(&system, twice).await, Err(DbError::Duplicate("machine name")));
}

/// Pages of operations: newest first, complete, without doubles, and a person sees only theirs.
pub async fn operations_come_in_pages(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    made(&f.db, "ana", "a").await;
    for _ in 0..6 {
        let new = operation(OperationKind::MachineStart);
        let row = f.db.begin_operation(&may_power(&target), new, None, None).await.unwrap();
        f.db.finish_operation(row.id, SUCCEEDED).await.unwrap();
    }
    // All at one moment: the id decides the order then.
    (f.sql)("UPDATE operations SET created_at = '2026-01-01 00:00:00.500' WHERE kind = 'machine.start'");
    let proof = actor("bruno").authorize(PersonTarget::new("bruno"), action::ListOperations).unwrap();
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = f.db.operations_of(&proof, 3, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items);
        pages += 1;
        assert!(pages < 10, "the pages do not end");
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (7, 3));
    assert!(seen.iter().all(|row| row.owner == "bruno"));
    assert!(seen.windows(2).all(|w| (w[0].created_at, w[0].id) > (w[1].created_at, w[1].id)));
    let all = Actor::system().authorize(Fleet, action::ListOperations).unwrap();
    let page = f.db.all_operations(&all, 100, None).await.unwrap();
    assert_eq!((page.items.len(), page.next_cursor), (8, None));
    assert_eq!(f.db.all_operations(&all, 1, Some("nonsense")).await.err(), Some(DbError::BadCursor));

    // Those that failed lately are found by themselves.
    let yesterday = Utc::now() - TimeDelta::days(1);
    assert!(f.db.failed_operations(&all, yesterday, 9).await.unwrap().is_empty());
    (f.sql)("UPDATE operations SET status = 'failed' WHERE kind = 'machine.create'");
    let failed = f.db.failed_operations(&all, yesterday, 9).await.unwrap();
    assert_eq!(failed.iter().map(|row| row.kind).collect::<Vec<_>>(), [OperationKind::MachineCreate; 2]);
    assert!(failed[0].finished_at >= failed[1].finished_at);
    assert_eq!(f.db.failed_operations(&all, yesterday, 1).await.unwrap(), failed[..1]);
    let later = Utc::now() + TimeDelta::seconds(1);
    assert!(f.db.failed_operations(&all, later, 9).await.unwrap().is_empty());
}

/// Old ends are forgotten, with their idempotency keys; what goes on is not, however old.
pub async fn pruning_forgets_only_what_has_ended(f: Fixture) {
    f.db.record_login(login_of("bruno")).await.unwrap();
    let key = IdempotencyKey { key: "k".into(), fingerprint: "f".into() };
    let new = operation(OperationKind::MachineCreate);
    let proof = may_create("bruno");
    let create = f.db.reserve_machine(&proof, machine("a", "vma"), room(9), new, Some(key.clone()));
    let create = create.await.unwrap().operation;
    let going_on = reserve(&f.db, "bruno", "b", 9).await.unwrap().operation;
    f.db.insert_refresh(refresh("old", Uuid::new_v4(), -TimeDelta::days(2))).await.unwrap();
    f.db.finish_operation(create.id, SUCCEEDED).await.unwrap();
    assert_eq!(f.db.prune(Utc::now() - TimeDelta::days(1)).await, Ok(0));
    assert_eq!(f.db.prune(Utc::now() + TimeDelta::seconds(1)).await, Ok(1));
    assert_eq!(f.db.operation_by_id(create.id).await.unwrap(), None);
    assert_eq!(f.db.replayed_operation("bruno", &key).await.unwrap(), None);
    assert!(f.db.operation_by_id(going_on.id).await.unwrap().is_some());
    let gone = f.db.rotate_refresh("old", refresh("new", Uuid::nil(), TimeDelta::days(1))).await;
    assert_eq!(gone, Err(RefreshError::Unknown));
}

/// A word this version does not know is said to be one, not guessed at.
pub async fn unknown_words_are_corrupt(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    let row =
        f.db.begin_operation(&may_power(&target), operation(OperationKind::MachineStart), None, None)
            .await
            .unwrap();
    let bad_kind = "UPDATE operations SET kind = 'machine.paint'";
    let bad_status = "UPDATE operations SET kind = 'machine.start', status = 'dancing'";
    let bad_params = "UPDATE operations SET status = 'running', params = '{'";
    let bad_progress = "UPDATE operations SET params = '{}', progress = 300";
    for (sql, word) in
        [(bad_kind, "machine.paint"), (bad_status, "dancing"), (bad_params, "params"), (bad_progress, "300")]
    {
        (f.sql)(sql);
        match f.db.operation_by_id(row.id).await {
            Err(DbError::Corrupt(text)) => assert!(text.contains(word), "{text}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    (f.sql)("UPDATE users SET role_override = 'king'");
    assert!(matches!(f.db.user("bruno").await, Err(DbError::Corrupt(text)) if text.contains("king")));
    (f.sql)("UPDATE machines SET id = 'x'");
    assert!(matches!(f.db.machines_of(&may_list("bruno")).await, Err(DbError::Corrupt(_))));
    f.db.create_token(&may_tokens("ana"), token("h", Utc::now())).await.unwrap_err();
    f.db.record_login(login_of("ana")).await.unwrap();
    f.db.create_token(&may_tokens("ana"), token("h", Utc::now() + TimeDelta::days(1))).await.unwrap();
    (f.sql)("UPDATE personal_tokens SET scope = 'all'");
    assert!(matches!(f.db.find_token("h").await, Err(DbError::Corrupt(_))));
}

/// SQL that removes every table: an empty database again.
pub fn drop_all() -> String {
    // Those that refer to others first.
    let tables = [
        "refresh_tokens",
        "sessions",
        "idempotency_keys",
        "operations",
        "machines",
        "personal_tokens",
        "users",
        "quotas",
        "user_groups",
        "audiences",
        "audit",
        "__diesel_schema_migrations",
    ];
    tables.iter().fold(String::new(), |mut sql, table| {
        write!(sql, "DROP TABLE {table};").unwrap();
        sql
    })
}

/// Makes one test of each check; `$fixture` is an async function that makes a [`Fixture`] for the name of a check,
/// or gives `None` where the database cannot be had.
macro_rules! every_check {
    ($fixture:path) => {
        checks::every_check! { @ $fixture:
            migrations_are_idempotent, a_login_keeps_what_an_administrator_decided,
            two_first_logins_at_once_are_one_person, a_reservation_is_machine_and_operation,
            nobody_reserves_for_a_stranger, the_last_place_is_given_once, names_and_instances_are_unique,
            an_idempotency_key_stands_for_one_request, a_machine_does_one_thing_at_a_time,
            an_operation_ends_once, an_old_proof_finds_nothing, machines_are_edited_and_adopted,
            operations_come_in_pages, pruning_forgets_only_what_has_ended,
            a_reused_refresh_token_ends_its_session, two_refreshes_at_once_are_a_reuse, sessions_end,
            personal_tokens, audit_log, administrators_list_and_change_people,
            roles_and_groups_have_quotas, what_is_held_counts_within_the_transaction,
            a_machine_is_handed_over_whole, a_teacher_sees_their_students, who_left_the_directory_is_known,
            who_may_use_what_is_kept, unknown_words_are_corrupt,
        }
    };
    (@ $fixture:path: $($check:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                if let Some(fixture) = $fixture(stringify!($check)).await {
                    checks::$check(fixture).await;
                }
            }
        )*

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn migrations_run_once_when_many_start() {
            if let Some(fixture) = $fixture("migrations_run_once_when_many_start").await {
                checks::migrations_run_once_when_many_start(fixture, &checks::drop_all()).await;
            }
        }
    };
}
pub(crate) use every_check;
