//! The one shape of every list.

use serde::{Deserialize, Serialize};

/// A page of a list. Pass `next_cursor` back as `?cursor=` for the next page; `null` means this was the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The things asked for, in a stable order.
    pub items: Vec<T>,
    /// Where the next page starts; opaque.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits one page.
    #[must_use]
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}
