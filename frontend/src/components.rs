//! The parts the pages are made of.

pub(crate) mod audience_dialog;
pub(crate) mod bulk_bar;
pub(crate) mod chart;
pub(crate) mod confirm;
pub(crate) mod create_dialog;
pub(crate) mod data_table;
pub(crate) mod dialog;
pub(crate) mod field;
pub(crate) mod filters;
pub(crate) mod header;
pub(crate) mod icon;
pub(crate) mod machine_row;
pub(crate) mod meter;
pub(crate) mod nav;
pub(crate) mod profile_dialog;
pub(crate) mod profile_fields;
pub(crate) mod profile_picker;
pub(crate) mod quota;
pub(crate) mod quota_fields;
pub(crate) mod reauthenticate;
pub(crate) mod row_menu;
pub(crate) mod row_message;
pub(crate) mod snapshot_controls;
pub(crate) mod status;
pub(crate) mod toast;
pub(crate) mod usage_dialog;
