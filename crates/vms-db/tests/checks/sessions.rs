//! The checks of what lets people in, and of what is remembered about them: sessions, tokens, the audit log.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;
use vms_authz::{Actor, Fleet, PersonTarget, action};
use vms_db::{
    AuditEntry, AuditFilter, DbError, MAX_TOKENS_PER_USER, NewPersonalToken, NewRefresh, RefreshError,
};
use vms_types::{AuditOutcome, TokenScope};

use super::{Fixture, login_of, may_tokens};

/// A refresh token that ends after `ttl`.
pub fn refresh(hash: &str, family: Uuid, ttl: TimeDelta) -> NewRefresh {
    NewRefresh {
        hash: hash.into(),
        family,
        username: if family.is_nil() { String::new() } else { "bruno".into() },
        expires_at: Utc::now() + ttl,
        user_agent: "test".into(),
        address: "127.0.0.1".into(),
    }
}

/// Tokens rotate; a used one ends the session for good, the newest token included.
pub async fn a_reused_refresh_token_ends_its_session(f: Fixture) {
    let (family, other) = (Uuid::new_v4(), Uuid::new_v4());
    let day = TimeDelta::days(1);
    let next = |hash: &str| refresh(hash, Uuid::nil(), day);
    f.db.insert_refresh(refresh("t1", family, day)).await.unwrap();
    f.db.insert_refresh(refresh("o1", other, day)).await.unwrap();
    let session = f.db.rotate_refresh("t1", next("t2")).await.unwrap();
    assert_eq!((session.family, session.username.as_str()), (family, "bruno"));
    f.db.rotate_refresh("t2", next("t3")).await.unwrap();
    assert!(f.db.session_alive(family).await.unwrap());

    assert_eq!(f.db.rotate_refresh("t1", next("stolen")).await, Err(RefreshError::Reused));
    assert!(!f.db.session_alive(family).await.unwrap());
    assert_eq!(f.db.rotate_refresh("t3", next("t4")).await, Err(RefreshError::Expired));
    assert_eq!(f.db.rotate_refresh("stolen", next("t5")).await, Err(RefreshError::Unknown));
    assert!(f.db.session_alive(other).await.unwrap(), "another session of the same person goes on");
    assert_eq!(f.db.rotate_refresh("never", next("t6")).await, Err(RefreshError::Unknown));
    assert!(!f.db.session_alive(Uuid::new_v4()).await.unwrap());
}

/// The same refresh token twice at once: one gets the next token, the other is a reuse, and the session ends.
pub async fn two_refreshes_at_once_are_a_reuse(f: Fixture) {
    for round in 0..10 {
        let family = Uuid::new_v4();
        let first = format!("{round}-0");
        f.db.insert_refresh(refresh(&first, family, TimeDelta::days(1))).await.unwrap();
        let tasks: Vec<_> = (1..=2)
            .map(|n| {
                let (db, first) = (f.db.clone(), first.clone());
                let next = refresh(&format!("{round}-{n}"), Uuid::nil(), TimeDelta::days(1));
                tokio::spawn(async move { db.rotate_refresh(&first, next).await })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error, RefreshError::Reused),
            }
        }
        assert_eq!(won, 1, "round {round}");
        assert!(!f.db.session_alive(family).await.unwrap(), "round {round}");
    }
}

/// Sessions end by logging out, by being ended, by time; and then their tokens are of no use.
pub async fn sessions_end(f: Fixture) {
    let day = TimeDelta::days(1);
    let families: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
    for (n, family) in families.iter().enumerate() {
        let ttl = if n == 3 { -TimeDelta::seconds(1) } else { day };
        f.db.insert_refresh(refresh(&format!("h{n}"), *family, ttl)).await.unwrap();
    }
    assert!(!f.db.session_alive(families[3]).await.unwrap(), "expired");
    let next = refresh("n", Uuid::nil(), day);
    assert_eq!(f.db.rotate_refresh("h3", next).await, Err(RefreshError::Expired));

    f.db.revoke_refresh("h0").await.unwrap();
    f.db.revoke_refresh("unknown").await.unwrap();
    assert!(!f.db.session_alive(families[0]).await.unwrap());
    assert!(f.db.session_alive(families[1]).await.unwrap());
    f.db.revoke_family(families[1]).await.unwrap();
    assert!(!f.db.session_alive(families[1]).await.unwrap());
    assert!(f.db.session_alive(families[2]).await.unwrap());
    f.db.record_login(login_of("bruno")).await.unwrap();
    let admin = Actor::system().authorize(PersonTarget::new("bruno"), action::ManageUser).unwrap();
    let ended = f.db.revoke_user(&admin).await.unwrap();
    assert!(!ended.is_empty(), "it says which");
    assert_eq!(f.db.revoke_user(&admin).await.unwrap(), []);
    assert!(!f.db.session_alive(families[2]).await.unwrap());
    let twice = f.db.insert_refresh(refresh("h9", families[2], day)).await;
    assert!(matches!(twice, Err(DbError::Duplicate(_))), "{twice:?}");
}

/// A personal access token that may read.
pub fn token(hash: &str, expires_at: DateTime<Utc>) -> NewPersonalToken {
    NewPersonalToken {
        id: Uuid::new_v4(),
        name: format!("script {hash}"),
        hash: hash.into(),
        scope: TokenScope::Read,
        expires_at,
    }
}

/// Personal tokens: found by hash until they expire or are deleted, by their person alone, 50 at most.
pub async fn personal_tokens(f: Fixture) {
    for owner in ["bruno", "ana"] {
        f.db.record_login(login_of(owner)).await.unwrap();
    }
    let (bruno, tomorrow) = (may_tokens("bruno"), Utc::now() + TimeDelta::days(1));
    let view = f.db.create_token(&bruno, token("h1", tomorrow)).await.unwrap();
    assert_eq!((view.name.as_str(), view.scope, view.last_used_at), ("script h1", TokenScope::Read, None));
    f.db.create_token(&bruno, token("old", Utc::now() - TimeDelta::seconds(1))).await.unwrap();
    assert_eq!(f.db.find_token("old").await.unwrap(), None, "expired");
    assert_eq!(f.db.find_token("h2").await.unwrap(), None, "unknown");

    let owner = f.db.find_token("h1").await.unwrap().unwrap();
    assert_eq!((owner.id, owner.username.as_str(), owner.scope), (view.id, "bruno", TokenScope::Read));
    let used = f.db.tokens(&bruno).await.unwrap()[0].last_used_at.unwrap();
    f.db.find_token("h1").await.unwrap();
    assert_eq!(f.db.tokens(&bruno).await.unwrap()[0].last_used_at, Some(used), "within the same minute");
    (f.sql)("UPDATE personal_tokens SET last_used_at = '2026-01-01 00:00:00'");
    f.db.find_token("h1").await.unwrap();
    assert!(f.db.tokens(&bruno).await.unwrap()[0].last_used_at.unwrap() >= used, "after more than a minute");

    // What is bruno's is not ana's to see or delete.
    assert!(f.db.tokens(&may_tokens("ana")).await.unwrap().is_empty());
    assert_eq!(f.db.delete_token(&may_tokens("ana"), view.id).await, Err(DbError::NotFound));
    f.db.delete_token(&bruno, view.id).await.unwrap();
    assert_eq!(f.db.find_token("h1").await.unwrap(), None);
    assert_eq!(f.db.delete_token(&bruno, view.id).await, Err(DbError::NotFound));

    let ana = may_tokens("ana");
    for n in 0..MAX_TOKENS_PER_USER {
        f.db.create_token(&ana, token(&format!("a{n}"), tomorrow)).await.unwrap();
    }
    let refused = f.db.create_token(&ana, token("one too many", tomorrow)).await;
    assert_eq!(refused.err(), Some(DbError::TooMany { what: "tokens", limit: MAX_TOKENS_PER_USER }));
    assert_eq!(f.db.tokens(&ana).await.unwrap().len(), 50);
}

/// The audit log keeps what it is told, and shows it newest first in pages.
pub async fn audit_log(f: Fixture) {
    let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let entry = |n: i64| AuditEntry {
        id: Uuid::from_u128(n.unsigned_abs().into()),
        at: start + TimeDelta::seconds(n),
        actor: if n == 2 { "ana".into() } else { "bruno".into() },
        action: if n == 3 { "auth.login".into() } else { "machine.delete".into() },
        target: format!("vm_{n}%"),
        outcome: if n == 1 { 409 } else { 202 },
        code: (n == 1).then(|| "wrong-state".into()),
        address: "::1".into(),
        request_id: format!("r{n}"),
        detail: (n == 2).then(|| json!({ "n": 2 })),
    };
    for n in [1, 3, 2] {
        f.db.append_audit(entry(n)).await.unwrap();
    }
    let proof = Actor::system().authorize(Fleet, action::ViewAudit).unwrap();
    let all = AuditFilter::default();
    let first = f.db.audit_page(&proof, &all, 2, None).await.unwrap();
    assert_eq!(first.items, [entry(3), entry(2)]);
    let second = f.db.audit_page(&proof, &all, 2, first.next_cursor.as_deref()).await.unwrap();
    assert_eq!((second.items, second.next_cursor), (vec![entry(1)], None));

    let filters = [
        (AuditFilter { actor: Some("ana".into()), ..all.clone() }, vec![2]),
        (AuditFilter { action: Some("machine.delete".into()), ..all.clone() }, vec![2, 1]),
        (AuditFilter { target: Some("_2".into()), ..all.clone() }, vec![2]),
        // Signs of a pattern are nothing but signs.
        (AuditFilter { target: Some("m%".into()), ..all.clone() }, vec![]),
        (AuditFilter { target: Some("m__".into()), ..all.clone() }, vec![]),
        (AuditFilter { target: Some("%".into()), ..all.clone() }, vec![3, 2, 1]),
        (AuditFilter { from: Some(start + TimeDelta::seconds(2)), ..all.clone() }, vec![3, 2]),
        (AuditFilter { until: Some(start + TimeDelta::seconds(2)), ..all.clone() }, vec![1]),
        (AuditFilter { outcome: Some(AuditOutcome::Ok), ..all.clone() }, vec![3, 2]),
        (AuditFilter { outcome: Some(AuditOutcome::Refused), ..all.clone() }, vec![1]),
        (AuditFilter { actor: Some("bruno".into()), outcome: Some(AuditOutcome::Ok), ..all }, vec![3]),
    ];
    for (filter, wanted) in filters {
        let page = f.db.audit_page(&proof, &filter, 10, None).await.unwrap();
        let wanted: Vec<AuditEntry> = wanted.into_iter().map(entry).collect();
        assert_eq!(page.items, wanted, "{filter:?}");
        // A filter holds over the pages too.
        let one = f.db.audit_page(&proof, &filter, 1, None).await.unwrap();
        assert_eq!(one.next_cursor.is_some(), wanted.len() > 1, "{filter:?}");
    }
}
