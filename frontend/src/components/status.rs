//! A machine's status: a word, a shape and a colour, so that none of them is needed alone.

use leptos::prelude::*;
use vms_types::MachineStatus;
use vms_types::rules::is_passing;

use super::icon::{Glyph, Icon};
use crate::i18n::use_i18n;

fn glyph(status: MachineStatus) -> Glyph {
    match status {
        MachineStatus::Running => Glyph::Dot,
        MachineStatus::Stopped => Glyph::Ring,
        MachineStatus::Frozen => Glyph::Pause,
        MachineStatus::Error => Glyph::Alert,
        MachineStatus::Unknown => Glyph::Question,
        passing if is_passing(passing) => Glyph::Spinner,
        _ => Glyph::Question,
    }
}

/// The status of a machine. `status` is a memo, so that the spinner does not start anew with every answer.
#[component]
pub(crate) fn StatusPill(status: Memo<MachineStatus>) -> impl IntoView {
    let i18n = use_i18n();
    let tone = move || match status.get() {
        MachineStatus::Running => "running",
        MachineStatus::Error => "error",
        MachineStatus::Frozen => "frozen",
        passing if is_passing(passing) => "passing",
        _ => "off",
    };
    // So that the spinner does not start anew from one passing status to the next.
    let shape = Memo::new(move |_| glyph(status.get()));
    view! {
        <span class="status" data-tone=tone>
            {move || view! { <Icon glyph=shape.get()/> }}
            {move || (i18n.t().status)(status.get())}
        </span>
    }
}
