//! People as administrators see and change them.

use vms_authz::{
    Actor, Allowed, Fleet, PersonTarget,
    action::{ManageUser, ViewQuotas, ViewUser},
};
use vms_db::{Person, UserFilter};
use vms_types::{FieldError, Page, PatchUser, QuotaRule, Role, UserView};

use crate::error::CoreError;
use crate::quota::{check_numbers, effective};
use crate::vms::Vms;

impl Vms {
    /// Everyone who ever logged in, by login name.
    ///
    /// # Errors
    /// If the database fails or the cursor is none.
    pub async fn users(
        &self,
        proof: &Allowed<Fleet, ViewUser>,
        filter: UserFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<UserView>, CoreError> {
        let Page { items, next_cursor } = self.parts.db.users_page(proof, filter, limit, cursor).await?;
        let rules = self.quota_rules().await?;
        let items = items.into_iter().map(|person| self.view(person, &rules)).collect();
        Ok(Page { items, next_cursor })
    }

    /// One person.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for someone who never logged in.
    pub async fn user(&self, proof: &Allowed<PersonTarget, ViewUser>) -> Result<UserView, CoreError> {
        self.show_person(self.parts.db.person(proof).await?).await
    }

    /// Changes role, lock and quota. Who is locked out is out at once: sessions end with the change, tokens and
    /// websockets are refused from the next look on.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for someone who never logged in; administrators who would lock themselves out; numbers
    /// that are too large.
    pub async fn change_user(
        &self,
        proof: &Allowed<PersonTarget, ManageUser>,
        patch: PatchUser,
    ) -> Result<UserView, CoreError> {
        if let Some(Some(quota)) = &patch.quota {
            check_numbers("quota.", quota)?;
        }
        if proof.resource().username == proof.actor().username() {
            self.refuse_own_end(proof.actor().username(), &patch).await?;
        }
        let (person, had) = self.parts.db.update_user(proof, patch).await?;
        for session in had {
            self.session_ended(session);
        }
        self.show_person(person).await
    }

    /// Ends all sessions of a person. They can log in again; their personal tokens go on.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for someone who never logged in.
    pub async fn sign_out(&self, proof: &Allowed<PersonTarget, ManageUser>) -> Result<(), CoreError> {
        for session in self.parts.db.revoke_user(proof).await? {
            self.session_ended(session);
        }
        Ok(())
    }

    /// The last administrator could not undo it.
    async fn refuse_own_end(&self, username: &str, patch: &PatchUser) -> Result<(), CoreError> {
        let mut errors = Vec::new();
        if patch.disabled == Some(true) {
            errors.push(FieldError::new("disabled", "yourself", "cannot be set on your own account"));
        }
        if let Some(role) = patch.role_override {
            let user = self.parts.db.user(username).await?.ok_or(CoreError::NotFound("person"))?;
            if role.unwrap_or(user.directory_role) != Role::Admin {
                let message = "would take your own administrator's role; another administrator can";
                errors.push(FieldError::new("role_override", "yourself", message));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(CoreError::Invalid(errors)) }
    }

    /// A person as administrators see them.
    pub(crate) async fn show_person(&self, person: Person) -> Result<UserView, CoreError> {
        Ok(self.view(person, &self.quota_rules().await?))
    }

    /// What roles and groups may use, to tell what a person may.
    async fn quota_rules(&self) -> Result<Vec<QuotaRule>, CoreError> {
        Ok(self.parts.db.quotas(&Actor::system().authorize(Fleet, ViewQuotas)?).await?)
    }

    fn view(&self, person: Person, rules: &[QuotaRule]) -> UserView {
        let Person { user, machines } = person;
        UserView {
            role: user.role(),
            quota: Some(user.quota).filter(|quota| !quota.is_empty()),
            allowed: effective(Some(&user), rules, self.parts.settings.quota),
            username: user.username,
            display_name: user.display_name,
            email: user.email,
            groups: user.groups,
            directory_role: user.directory_role,
            role_override: user.role_override,
            disabled: user.disabled,
            machines,
            created_at: user.created_at,
            last_login_at: user.last_login_at,
            in_directory: user.in_directory,
            directory_checked_at: user.directory_checked_at,
        }
    }
}
