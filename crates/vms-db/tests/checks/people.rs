//! The checks of what administrators decide: people, quotas, whose a machine is.

use chrono::TimeDelta;
use uuid::Uuid;
use vms_authz::{Actor, Fleet, MachineTarget, PersonTarget, SessionKind, Students, action};
use vms_db::{Admit, BeginError, DbError, HandOverError, LoginRecord, UserFilter};
use vms_types::{OperationKind, PatchUser, Quota, QuotaRule, QuotaScope, QuotaShortage, Role};

use super::sessions::refresh;
use super::{Fixture, SUCCEEDED, login_of, made, may_power, operation, reserve, room};

fn shortage() -> QuotaShortage {
    QuotaShortage { resource: "running".into(), asked: 1, used: 1, allowed: 1 }
}

/// People come in pages by name and can be searched; what is decided about one stays; locking ends sessions.
pub async fn administrators_list_and_change_people(f: Fixture) {
    for name in ["ana", "bruno", "carla", "d_vi", "davi"] {
        f.db.record_login(login_of(name)).await.unwrap();
    }
    let full = LoginRecord { display_name: "Ângela Ávila".into(), ..login_of("angela") };
    f.db.record_login(full).await.unwrap();
    made(&f.db, "bruno", "a").await;
    made(&f.db, "bruno", "b").await;
    let may_list = Actor::system().authorize(Fleet, action::ViewUser).unwrap();
    let names = async |filter: UserFilter| {
        let page = f.db.users_page(&may_list, filter, 100, None).await.unwrap();
        page.items.into_iter().map(|person| person.user.username).collect::<Vec<_>>()
    };
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..3 {
        let page = f.db.users_page(&may_list, UserFilter::default(), 2, cursor.as_deref()).await.unwrap();
        seen.extend(page.items.into_iter().map(|person| (person.user.username, person.machines)));
        cursor = page.next_cursor;
    }
    assert_eq!(cursor, None);
    assert_eq!((seen.len(), seen[0].clone()), (6, ("ana".into(), 0)));
    assert!(seen.contains(&("bruno".into(), 2)), "{seen:?}");
    let bad = f.db.users_page(&may_list, UserFilter::default(), 2, Some("nonsense")).await;
    assert_eq!(bad.err(), Some(DbError::BadCursor));
    let q = |text: &str| UserFilter { q: Some(text.into()), ..UserFilter::default() };
    assert_eq!(names(q("BRUNO@example")).await, ["bruno"]);
    assert_eq!(names(q("d_")).await, ["d_vi"], "an underline is no wildcard");
    assert_eq!(names(q("Ângela")).await, ["angela"]);

    let family = Uuid::new_v4();
    f.db.insert_refresh(refresh("t1", family, TimeDelta::days(1))).await.unwrap();
    let admin = Actor::system().authorize(PersonTarget::new("bruno"), action::ManageUser).unwrap();
    let quota = Quota { machines: Some(3), memory_bytes: Some(1 << 40), ..Quota::default() };
    let change = PatchUser {
        role_override: Some(Some(Role::Teacher)),
        quota: Some(Some(quota)),
        ..PatchUser::default()
    };
    let (person, had) = f.db.update_user(&admin, change).await.unwrap();
    assert_eq!((person.user.role(), person.user.quota, person.machines), (Role::Teacher, quota, 2));
    assert_eq!(had, [SessionKind::Browser { session: family }]);
    assert!(f.db.session_alive(family).await.unwrap(), "another role ends nothing");
    assert_eq!(names(UserFilter { role: Some(Role::Teacher), ..UserFilter::default() }).await, ["bruno"]);
    assert_eq!(names(UserFilter { role: Some(Role::Student), ..UserFilter::default() }).await.len(), 5);

    let lock = PatchUser { disabled: Some(true), ..PatchUser::default() };
    let (person, _) = f.db.update_user(&admin, lock).await.unwrap();
    assert!(person.user.disabled && person.user.quota == quota, "what is not named stays");
    assert!(!f.db.session_alive(family).await.unwrap());
    assert_eq!(names(UserFilter { disabled: Some(true), ..UserFilter::default() }).await, ["bruno"]);
    assert_eq!(names(UserFilter { disabled: Some(false), ..UserFilter::default() }).await.len(), 5);

    let back = PatchUser { role_override: Some(None), quota: Some(None), disabled: Some(false) };
    let (person, had) = f.db.update_user(&admin, back).await.unwrap();
    assert_eq!((person.user.role(), person.user.quota), (Role::Student, Quota::default()));
    assert_eq!((person.user.disabled, had), (false, vec![]));
    let ghost = Actor::system().authorize(PersonTarget::new("ghost"), action::ManageUser).unwrap();
    assert_eq!(f.db.update_user(&ghost, PatchUser::default()).await.err(), Some(DbError::NotFound));
    assert_eq!(f.db.user("a\0b").await, Ok(None));
}

/// A rule is kept, replaced, and taken back once.
pub async fn roles_and_groups_have_quotas(f: Fixture) {
    let admin = Actor::system().authorize(Fleet, action::ManageQuotas).unwrap();
    let view = Actor::system().authorize(Fleet, action::ViewQuotas).unwrap();
    let rule = |scope, subject: &str, machines| QuotaRule {
        scope,
        subject: subject.into(),
        quota: Quota { machines: Some(machines), disk_bytes: Some(1 << 40), ..Quota::default() },
    };
    let of_role = rule(QuotaScope::Role, "teacher", 20);
    f.db.put_quota(&admin, of_role.clone()).await.unwrap();
    f.db.put_quota(&admin, rule(QuotaScope::Group, "turma-a", 2)).await.unwrap();
    let of_group = rule(QuotaScope::Group, "turma-a", 4);
    f.db.put_quota(&admin, of_group.clone()).await.unwrap();
    assert_eq!(f.db.quotas(&view).await.unwrap(), [of_group, of_role.clone()]);
    f.db.delete_quota(&admin, QuotaScope::Group, "turma-a").await.unwrap();
    let again = f.db.delete_quota(&admin, QuotaScope::Group, "turma-a").await;
    assert_eq!(again, Err(DbError::NotFound));
    assert_eq!(f.db.quotas(&view).await.unwrap(), [of_role]);
    let huge = Quota { memory_bytes: Some(u64::MAX), ..Quota::default() };
    let refused =
        f.db.put_quota(&admin, QuotaRule { quota: huge, ..rule(QuotaScope::Role, "admin", 1) }).await;
    assert!(matches!(refused, Err(DbError::Corrupt(_))), "{refused:?}");
}

/// Of two starts at once for the last running place one is let in: the other sees it under way.
pub async fn what_is_held_counts_within_the_transaction(f: Fixture) {
    let targets = [made(&f.db, "bruno", "a").await, made(&f.db, "bruno", "b").await];
    let admit = || -> Admit {
        Box::new(|held| {
            assert_eq!(held.machines.len(), 2);
            assert_eq!(held.machines[0].limits.memory_bytes, Some(1 << 30));
            assert_eq!(held.user.as_ref().map(|user| user.username.as_str()), Some("bruno"));
            if held.under_way.is_empty() { Ok(()) } else { Err(shortage()) }
        })
    };
    for round in 0..20 {
        let tasks: Vec<_> = targets
            .iter()
            .cloned()
            .map(|target| {
                let (db, admit) = (f.db.clone(), admit());
                tokio::spawn(async move {
                    let new = operation(OperationKind::MachineStart);
                    db.begin_operation(&may_power(&target), new, None, Some(admit)).await
                })
            })
            .collect();
        let mut begun = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(row) => begun.push(row.id),
                Err(error) => assert_eq!(error, BeginError::QuotaExceeded(shortage())),
            }
        }
        assert_eq!(begun.len(), 1, "round {round}");
        f.db.finish_operation(begun[0], SUCCEEDED).await.unwrap();
    }
}

/// Whose a machine is changes with the quota checked, or not at all; who had it before has no say any more.
pub async fn a_machine_is_handed_over_whole(f: Fixture) {
    let target = made(&f.db, "bruno", "a").await;
    f.db.record_login(login_of("ana")).await.unwrap();
    let proof =
        |target: &MachineTarget| Actor::system().authorize(target.clone(), action::HandOverMachine).unwrap();
    let give = async |to: &str, places| f.db.hand_over(&proof(&target), to, room(places)).await;
    assert_eq!(give("ghost", 9).await, Err(HandOverError::UnknownPerson));
    assert!(matches!(give("ana", 0).await, Err(HandOverError::QuotaExceeded(_))));
    let busy =
        f.db.begin_operation(&may_power(&target), operation(OperationKind::MachineStart), None, None)
            .await
            .unwrap();
    assert_eq!(give("ana", 9).await, Err(HandOverError::Busy(busy.id)));
    f.db.finish_operation(busy.id, SUCCEEDED).await.unwrap();
    reserve(&f.db, "ana", "a", 9).await.unwrap();
    assert_eq!(give("ana", 9).await, Err(HandOverError::NameTaken));
    (f.sql)("DELETE FROM machines WHERE owner = 'ana'");

    give("ana", 1).await.unwrap();
    assert_eq!(f.db.machine_target(&target.instance).await.unwrap().unwrap().owner, "ana");
    assert_eq!(f.db.machine_count("bruno").await.unwrap(), 0);
    // Bruno's proof is of a moment ago.
    let new = operation(OperationKind::MachineDelete);
    let late = f.db.begin_operation(&may_power(&target), new, None, None).await;
    assert_eq!(late.err(), Some(BeginError::Db(DbError::NotFound)));
    assert_eq!(give("bruno", 9).await, Err(HandOverError::Db(DbError::NotFound)));
}

/// A student of a group that a teacher is in; not one of another group, not a colleague, and not who is no student any
/// more. It counts what was told at the last login.
pub async fn a_teacher_sees_their_students(f: Fixture) {
    let groups = |name: &str, groups: &[&str], role| LoginRecord {
        groups: groups.iter().map(|&group| group.into()).collect(),
        directory_role: role,
        ..login_of(name)
    };
    for name in ["ana", "bruno", "carla", "davi"] {
        made(&f.db, name, "a").await;
    }
    for login in [
        groups("ana", &["turma-a", "turma-a", "alunos"], Role::Student),
        groups("bruno", &["turma-b", "alunos"], Role::Student),
        groups("carla", &["turma-a"], Role::Teacher),
        groups("davi", &["turma-a"], Role::Admin),
        groups("prof", &["turma-a", "professores"], Role::Teacher),
    ] {
        f.db.record_login(login).await.unwrap();
    }
    made(&f.db, "prof", "own").await;
    f.db.record_login(groups("prof", &["turma-a", "professores"], Role::Teacher)).await.unwrap();
    let students = || Students { of: "prof".into() };
    let may_list = Actor::system().authorize(students(), action::ListMachines).unwrap();
    let may_read = Actor::system().authorize(students(), action::ListOperations).unwrap();
    let may_watch = Actor::system().authorize(students(), action::WatchEvents).unwrap();
    let owners = async || {
        let machines = f.db.machines_of_students(&may_list).await.unwrap();
        let machines: Vec<String> = machines.into_iter().map(|row| row.owner).collect();
        let mut operations: Vec<String> = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let page = f.db.operations_of_students(&may_read, 1, cursor.as_deref()).await.unwrap();
            operations.extend(page.items.into_iter().map(|row| row.owner));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        operations.sort();
        let mut heard = f.db.students(&may_watch).await.unwrap();
        heard.sort();
        assert_eq!((&machines, &machines), (&operations, &heard));
        machines
    };
    assert_eq!(owners().await, ["ana", "prof"]);
    // An administrator's word goes before the directory's.
    (f.sql)("UPDATE users SET role_override = 'student' WHERE username = 'davi'");
    assert_eq!(owners().await, ["ana", "davi", "prof"]);
    (f.sql)("UPDATE users SET role_override = 'teacher' WHERE username = 'ana'");
    assert_eq!(owners().await, ["davi", "prof"]);
    assert_eq!(f.db.person_target("ana").await.unwrap().student_groups, Vec::<String>::new());
    // Bruno changes his class.
    f.db.record_login(groups("bruno", &["turma-a"], Role::Student)).await.unwrap();
    assert_eq!(owners().await, ["bruno", "davi", "prof"]);
    assert_eq!(f.db.machine_target("vmbrunoa").await.unwrap().unwrap().student_groups, ["turma-a"]);
    f.db.record_login(groups("prof", &[], Role::Teacher)).await.unwrap();
    assert_eq!(owners().await, ["prof"]);
}

/// What the directory said stays until it is asked again, and who was asked about longest ago comes first.
pub async fn who_left_the_directory_is_known(f: Fixture) {
    for name in ["ana", "bruno", "carla"] {
        f.db.record_login(login_of(name)).await.unwrap();
    }
    let system = Actor::system().authorize(Fleet, action::Reconcile).unwrap();
    let view = Actor::system().authorize(Fleet, action::ViewUser).unwrap();
    let before = f.db.user("bruno").await.unwrap().unwrap();
    assert!(before.in_directory && before.directory_checked_at == before.last_login_at);
    (f.sql)("UPDATE users SET directory_checked_at = '2026-01-02 00:00:00.5' WHERE username = 'ana'");
    (f.sql)("UPDATE users SET directory_checked_at = '2026-01-01 00:00:00.5' WHERE username = 'bruno'");
    let day_ago = chrono::Utc::now() - TimeDelta::days(1);
    assert_eq!(f.db.people_to_check(&system, day_ago, 10).await.unwrap(), ["bruno", "ana"]);
    assert_eq!(f.db.people_to_check(&system, day_ago, 1).await.unwrap(), ["bruno"]);
    f.db.record_presence(&system, "bruno", false).await.unwrap();
    f.db.record_presence(&system, "ghost", false).await.unwrap();
    assert_eq!(f.db.people_to_check(&system, day_ago, 10).await.unwrap(), ["ana"]);
    let gone = UserFilter { in_directory: Some(false), ..UserFilter::default() };
    let page = f.db.users_page(&view, gone, 10, None).await.unwrap();
    let names: Vec<&str> = page.items.iter().map(|person| person.user.username.as_str()).collect();
    assert_eq!(names, ["bruno"]);
    // Who logs in is there.
    assert!(f.db.record_login(login_of("bruno")).await.unwrap().in_directory);
}
