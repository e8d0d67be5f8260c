//! What only administrators may: people, quotas, and what does not match.

use vms_types::{
    AdoptInstance, Difference, Machine, Page, PatchUser, Quota, QuotaRule, QuotaScope, Role, StoragePool,
    UserView,
};

use crate::client::{ApiClient, Call, Conditional, PageQuery, query, segment};
use crate::error::ClientError;
use crate::transport::{Method, Transport};

/// Which people to list (`GET /users`). Empty: everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Only those with this text in login name, full name or mail address.
    pub q: Option<String>,
    /// Only those who have this role now.
    pub role: Option<Role>,
    /// Only those who are locked out, or who are not.
    pub disabled: Option<bool>,
    /// Only those whom the directory had when it was asked last, or who were gone.
    pub in_directory: Option<bool>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Where the page starts (`next_cursor` of the page before).
    pub cursor: Option<String>,
}

impl UserQuery {
    fn path(&self) -> String {
        let parameters = [
            ("q", self.q.clone()),
            ("role", self.role.map(|role| role.as_str().to_owned())),
            ("disabled", self.disabled.map(|disabled| disabled.to_string())),
            ("in_directory", self.in_directory.map(|there| there.to_string())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        query("/users", parameters)
    }
}

fn user_path(username: &str) -> String {
    format!("/users/{}", segment(username))
}

fn quota_path(scope: QuotaScope, subject: &str) -> String {
    format!("/quotas/{}/{}", scope.as_str(), segment(subject))
}

impl<T: Transport> ApiClient<T> {
    /// `GET /users`, with `If-None-Match` where an `etag` of an earlier answer is given.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn users(
        &self,
        query: &UserQuery,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<UserView>>, ClientError> {
        self.conditional(Call::new(Method::Get, query.path()), etag).await
    }

    /// `GET /users/{username}`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn user(
        &self,
        username: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<UserView>, ClientError> {
        self.conditional(Call::new(Method::Get, user_path(username)), etag).await
    }

    /// `PATCH /users/{username}`: role, lock, quota; with `if_match`, only if nobody changed it since.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `precondition-failed`, `validation-failed` (also for what would end one's own rights).
    pub async fn patch_user(
        &self,
        username: &str,
        patch: &PatchUser,
        if_match: Option<&str>,
    ) -> Result<UserView, ClientError> {
        let call = Call::new(Method::Patch, user_path(username))
            .json(patch)?
            .header("if-match", if_match.map(str::to_owned));
        self.call(call).await
    }

    /// `POST /users/{username}/sign-out`: ends every session.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn sign_out_user(&self, username: &str) -> Result<(), ClientError> {
        let call = Call::new(Method::Post, format!("{}/sign-out", user_path(username)));
        self.send_authorized(&call).await.map(|_| ())
    }

    /// `POST /users/{username}/directory-check`: asks the directory whether it still has them.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `directory-unavailable`.
    pub async fn check_user(&self, username: &str) -> Result<UserView, ClientError> {
        self.call(Call::new(Method::Post, format!("{}/directory-check", user_path(username)))).await
    }

    /// `GET /quotas`: what school, groups and roles allow.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn quotas(&self, etag: Option<&str>) -> Result<Conditional<Page<QuotaRule>>, ClientError> {
        self.conditional(Call::new(Method::Get, "/quotas"), etag).await
    }

    /// `GET /storage-pools`: where a quota of disk is enforced, and where only counted.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn storage_pools(
        &self,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<StoragePool>>, ClientError> {
        self.conditional(Call::new(Method::Get, "/storage-pools"), etag).await
    }

    /// `PUT /quotas/{scope}/{subject}`, of a role or a group.
    ///
    /// # Errors
    /// `forbidden`, `not-found` (for the school), `validation-failed`.
    pub async fn put_quota(
        &self,
        scope: QuotaScope,
        subject: &str,
        quota: &Quota,
    ) -> Result<QuotaRule, ClientError> {
        self.call(Call::new(Method::Put, quota_path(scope, subject)).json(quota)?).await
    }

    /// `DELETE /quotas/{scope}/{subject}`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn delete_quota(&self, scope: QuotaScope, subject: &str) -> Result<(), ClientError> {
        self.send_authorized(&Call::new(Method::Delete, quota_path(scope, subject))).await.map(|_| ())
    }

    /// `GET /differences`: where table and servers do not match.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn differences(
        &self,
        page: &PageQuery,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<Difference>>, ClientError> {
        self.conditional(Call::new(Method::Get, page.path("/differences")), etag).await
    }

    /// `POST /machines/adopt`: gives an instance to a person.
    ///
    /// # Errors
    /// `forbidden`, `validation-failed`, `not-found`, `in-use`, `name-taken`, and those of a server that does not answer.
    pub async fn adopt(&self, request: &AdoptInstance) -> Result<Machine, ClientError> {
        self.call(Call::new(Method::Post, "/machines/adopt").json(request)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_only_what_is_wanted() {
        assert_eq!(UserQuery::default().path(), "/users");
        let query = UserQuery {
            q: Some("a&b".into()),
            role: Some(Role::Teacher),
            disabled: Some(false),
            ..UserQuery::default()
        };
        assert_eq!(query.path(), "/users?q=a%26b&role=teacher&disabled=false");
        assert_eq!(quota_path(QuotaScope::Group, "turma a"), "/quotas/group/turma%20a");
    }
}
