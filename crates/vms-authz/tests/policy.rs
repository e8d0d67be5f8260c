//! The policy, said a second time as rules and compared cell by cell; and how `authorize` applies it.

use uuid::Uuid;
use vms_authz::{
    ActionName, Actor, Decision, Denied, Fleet, MachineTarget, OperationTarget, PersonTarget, Relation,
    SessionKind, Sight, Students, action, policy,
};
use vms_types::{Role, TokenScope};

const ROLES: [Role; 3] = [Role::Student, Role::Teacher, Role::Admin];

fn person(username: &str, role: Role) -> Actor {
    let session = SessionKind::Browser { session: Uuid::nil() };
    Actor::new(username, role, vec!["turma-a".into()], TokenScope::Write, session)
}

fn script(username: &str, role: Role, scope: TokenScope) -> Actor {
    Actor::new(username, role, Vec::new(), scope, SessionKind::Token { token: Uuid::nil() })
}

/// A machine of somebody who is nobody's student.
fn machine_of(owner: &str) -> MachineTarget {
    MachineTarget {
        id: Uuid::nil(),
        instance: format!("vm{owner}a"),
        server: "lxd1".into(),
        owner: owner.into(),
        name: "a".into(),
        student_groups: Vec::new(),
    }
}

/// Whether the thing the action is done to has an owner who must not be revealed.
fn is_about_one_thing(action: ActionName) -> bool {
    let word = action.as_str();
    match word {
        "machine.list" | "machine.create" | "operation.list" => false,
        _ => ["machine.", "snapshot.", "operation."].iter().any(|kind| word.starts_with(kind)),
    }
}

#[test]
fn every_cell_of_the_table_is_as_the_rules_say() {
    const TEACHERS_LOOK: &[&str] = &[
        "machine.view",
        "machine.usage",
        "machine.list",
        "snapshot.list",
        "operation.list",
        "operation.view",
        "event.watch",
    ];
    const FOR_ADMINISTRATORS: &[&str] = &[
        "difference.list",
        "machine.adopt",
        "overview.view",
        "server.view",
        "network.manage",
        "certificate.manage",
        "audit.view",
        "user.view",
        "user.manage",
        "quota.view",
        "quota.manage",
        "profile.view",
        "profile.manage",
        "audience.view",
        "audience.manage",
        "image.view",
        "image.manage",
    ];
    let mut cells = 0;
    for &action in ActionName::ALL {
        let word = action.as_str();
        for role in ROLES {
            for relation in [Relation::Own, Relation::SharedGroup, Relation::Other] {
                let expected = match (word, relation, role) {
                    ("fleet.reconcile", _, _) => Decision::Forbid,
                    (_, _, Role::Admin) => Decision::Allow,
                    ("machine.hand-over" | "machine.publish" | "machine.profiles", Relation::Own, _) => {
                        Decision::Forbid
                    }
                    _ if FOR_ADMINISTRATORS.contains(&word) => Decision::Forbid,
                    (_, Relation::Own, _) => Decision::Allow,
                    ("catalog.view", _, _) => Decision::Allow,
                    (_, Relation::SharedGroup, Role::Teacher) if TEACHERS_LOOK.contains(&word) => {
                        Decision::Allow
                    }
                    (_, Relation::SharedGroup, Role::Teacher) => Decision::Forbid,
                    _ if is_about_one_thing(action) => Decision::Hide,
                    _ => Decision::Forbid,
                };
                assert_eq!(policy(role, relation, action), expected, "{role:?} {relation:?} {word}");
                cells += 1;
            }
        }
    }
    assert_eq!(cells, ActionName::ALL.len() * 9);
}

#[test]
fn nobody_but_owner_and_administrator_changes_anything() {
    for &action in ActionName::ALL.iter().filter(|action| action.mutates()) {
        for role in [Role::Student, Role::Teacher] {
            for relation in [Relation::SharedGroup, Relation::Other] {
                assert_ne!(policy(role, relation, action), Decision::Allow, "{role:?} {relation:?} {action}");
            }
        }
    }
}

#[test]
fn the_words_of_actions_are_distinct() {
    let words: std::collections::BTreeSet<_> = ActionName::ALL.iter().map(|a| a.as_str()).collect();
    assert_eq!(words.len(), ActionName::ALL.len());
}

#[test]
fn another_persons_machine_is_not_found_and_ones_own_is_proved() {
    let ana = person("ana", Role::Student);
    assert_eq!(ana.authorize(machine_of("bruno"), action::ViewMachine).err(), Some(Denied::NotFound));
    let proof = ana.authorize(machine_of("ana"), action::DeleteMachine).expect("her own");
    assert_eq!(proof.resource(), &machine_of("ana"));
    assert_eq!(proof.actor().username(), "ana");
    assert_eq!(proof.action(), ActionName::DeleteMachine);
}

#[test]
fn a_teacher_sees_what_the_students_of_their_groups_have_and_may_not_touch_it() {
    let prof = person("prof", Role::Teacher);
    let of_student =
        |group: &str| MachineTarget { student_groups: vec![group.into()], ..machine_of("bruno") };
    assert!(prof.authorize(of_student("turma-a"), action::ViewMachine).is_ok());
    assert_eq!(
        prof.authorize(of_student("turma-a"), action::ChangePower).err(),
        Some(Denied::Forbidden { action: ActionName::ChangePower })
    );
    // Of another group, and of a colleague.
    for machine in [of_student("turma-b"), machine_of("colega")] {
        assert_eq!(prof.authorize(machine.clone(), action::ViewMachine).err(), Some(Denied::NotFound));
        assert_eq!(prof.authorize(machine, action::ChangePower).err(), Some(Denied::NotFound));
    }
    let operation = |groups: Vec<String>| OperationTarget {
        id: Uuid::nil(),
        requested_by: "admin".into(),
        owner: Some("bruno".into()),
        student_groups: groups,
    };
    assert!(prof.authorize(operation(vec!["turma-a".into()]), action::ViewOperation).is_ok());
    assert!(prof.authorize(operation(Vec::new()), action::ViewOperation).is_err());
    // Students of one group see nothing of each other.
    let ana = person("ana", Role::Student);
    assert_eq!(ana.authorize(of_student("turma-a"), action::ViewMachine).err(), Some(Denied::NotFound));
}

#[test]
fn everyone_looks_as_far_as_their_role_reaches() {
    let admin = person("admin", Role::Admin).sight(action::ListMachines);
    assert!(matches!(admin, Ok(Sight::Everyone(_))));
    let prof = person("prof", Role::Teacher);
    let Ok(Sight::Students(proof)) = prof.sight(action::ListOperations) else {
        panic!("a teacher sees students")
    };
    assert_eq!(proof.resource(), &Students { of: "prof".into() });
    assert!(prof.authorize(Students { of: "colega".into() }, action::ListMachines).is_err());
    assert!(prof.authorize(Fleet, action::ListMachines).is_err());
    let forbidden = Denied::Forbidden { action: ActionName::WatchEvents };
    assert_eq!(person("ana", Role::Student).sight(action::WatchEvents), Err(forbidden));
}

#[test]
fn an_operation_belongs_to_who_asked_and_to_the_machines_owner() {
    let operation = OperationTarget {
        id: Uuid::nil(),
        requested_by: "admin".into(),
        owner: Some("bruno".into()),
        student_groups: Vec::new(),
    };
    assert!(person("bruno", Role::Student).authorize(operation.clone(), action::CancelOperation).is_ok());
    assert!(person("admin", Role::Student).authorize(operation.clone(), action::ViewOperation).is_ok());
    assert_eq!(
        person("ana", Role::Student).authorize(operation, action::ViewOperation).err(),
        Some(Denied::NotFound)
    );
}

#[test]
fn a_read_token_looks_and_does_not_change() {
    let reader = script("bruno", Role::Student, TokenScope::Read);
    assert!(reader.authorize(machine_of("bruno"), action::ViewMachine).is_ok());
    assert_eq!(reader.authorize(machine_of("bruno"), action::ChangePower).err(), Some(Denied::ReadOnlyToken));
    // What is hidden from its owner stays hidden from the token.
    assert_eq!(reader.authorize(machine_of("ana"), action::ChangePower).err(), Some(Denied::NotFound));
}

#[test]
fn tokens_are_not_managed_with_a_token() {
    let me = || PersonTarget::new("bruno");
    let forbidden = Some(Denied::Forbidden { action: ActionName::ManageTokens });
    for scope in [TokenScope::Read, TokenScope::Write] {
        assert_eq!(
            script("bruno", Role::Student, scope).authorize(me(), action::ManageTokens).err(),
            forbidden
        );
    }
    assert!(person("bruno", Role::Student).authorize(me(), action::ManageTokens).is_ok());
    assert_eq!(person("ana", Role::Student).authorize(me(), action::ManageTokens).err(), forbidden);
}

#[test]
fn only_the_portal_itself_reconciles() {
    assert!(Actor::system().authorize(Fleet, action::Reconcile).is_ok());
    assert!(Actor::system().authorize(machine_of("bruno"), action::DeleteMachine).is_ok());
    for role in ROLES {
        assert!(person("x", role).authorize(Fleet, action::Reconcile).is_err(), "{role:?}");
    }
    // A directory user who happens to be called like the portal is not the portal.
    assert!(person(Actor::SYSTEM_NAME, Role::Student).authorize(Fleet, action::ListMachines).is_err());
}
