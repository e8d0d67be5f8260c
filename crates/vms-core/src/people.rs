//! Who I am and what I may use.

use vms_authz::{Allowed, PersonTarget, action::ViewSelf};
use vms_types::Me;

use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// The facts about a person that authorization needs. Also of somebody who never logged in: what may not be seen and
    /// what is not there are answered alike.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn find_person(&self, username: &str) -> Result<PersonTarget, CoreError> {
        Ok(self.parts.db.person_target(username).await?)
    }

    /// The person, with quota and what of it is used.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for someone who never logged in.
    pub async fn me(&self, proof: &Allowed<PersonTarget, ViewSelf>) -> Result<Me, CoreError> {
        let held = self.parts.db.holdings(proof).await?;
        let quota = self.quota_view(&held);
        let user = held.user.ok_or(CoreError::NotFound("person"))?;
        Ok(Me {
            quota,
            role: user.role(),
            username: user.username,
            display_name: user.display_name,
            email: user.email,
            groups: user.groups,
        })
    }
}
