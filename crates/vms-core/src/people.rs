//! Who I am and what I may use.

use vms_authz::{Allowed, PersonTarget, action::ViewSelf};
use vms_types::Me;

use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
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
