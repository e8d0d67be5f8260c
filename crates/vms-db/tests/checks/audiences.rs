//! The check of who may use which profile and image.

use vms_authz::{Actor, Catalog, action};
use vms_db::DbError;
use vms_types::{Audience, CatalogKind, DefaultFor, Role};

use super::Fixture;

/// An audience is read as it was written, replaced whole, and takes a default from where it was before.
pub async fn who_may_use_what_is_kept(f: Fixture) {
    let proof = Actor::system().authorize(Catalog, action::ManageAudience).unwrap();
    let put = async |kind, name: &str, audience: &Audience| {
        f.db.put_audience(&proof, kind, name, audience.clone()).await.unwrap();
    };
    let of = async |kind, name: &str| f.db.audiences(kind).await.unwrap().remove(name);
    let (profile, image) = (CatalogKind::Profile, CatalogKind::Image);
    assert!(f.db.audiences(profile).await.unwrap().is_empty());

    let alunos = Audience {
        everyone: false,
        roles: vec![Role::Student, Role::Teacher],
        groups: vec!["turma-a".into()],
        users: vec!["ana".into(), "joão".into()],
        default_for: DefaultFor {
            roles: vec![Role::Student],
            groups: vec!["turma-a".into(), "turma-b".into()],
            users: vec![],
        },
    };
    put(profile, "alunos", &alunos).await;
    assert_eq!(of(profile, "alunos").await, Some(alunos.clone()));
    assert_eq!(of(image, "alunos").await, None, "an image of the same name is something else");

    // The default of turma-b goes over, and whatever else the first one says stays.
    let groups = vec!["turma-b".into()];
    let grande =
        Audience { default_for: DefaultFor { groups, ..DefaultFor::default() }, ..Audience::default() };
    put(image, "grande", &grande).await;
    assert_eq!(of(profile, "alunos").await, Some(alunos.clone()));
    put(profile, "grande", &grande).await;
    assert_eq!(of(profile, "grande").await, Some(grande));
    let mut left = alunos;
    left.default_for.groups.pop();
    assert_eq!(of(profile, "alunos").await, Some(left));

    let nobody = Audience { everyone: false, ..Audience::default() };
    put(profile, "alunos", &nobody).await;
    assert_eq!(of(profile, "alunos").await, Some(nobody));
    put(profile, "alunos", &Audience::default()).await;
    assert_eq!(of(profile, "alunos").await, None, "nothing is stated any more");

    let manage = Actor::system().authorize(Catalog, action::ManageProfiles).unwrap();
    f.db.forget_profile_audience(&manage, "grande").await.unwrap();
    assert_eq!((of(profile, "grande").await, of(image, "grande").await.is_some()), (None, true));

    (f.sql)("UPDATE audiences SET scope = 'planet'");
    assert!(matches!(f.db.audiences(image).await, Err(DbError::Corrupt(text)) if text.contains("planet")));
}
