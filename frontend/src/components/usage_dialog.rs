//! What a machine used lately, over the page: asked for only while somebody looks.

use leptos::prelude::*;
use uuid::Uuid;

use super::chart::Charts;
use super::dialog::Dialog;
use crate::i18n::use_i18n;
use crate::session::use_session;
use crate::watched::Watched;

/// Whose charts are shown. A handle: copies share it.
#[derive(Clone, Copy)]
pub(crate) struct UsageOf {
    open: RwSignal<bool>,
    machine: RwSignal<Option<(Uuid, String)>>,
}

impl UsageOf {
    /// Nobody's.
    pub(crate) fn new() -> Self {
        Self { open: RwSignal::new(false), machine: RwSignal::new(None) }
    }

    /// Shows those of a machine, which the title calls by its instance's name.
    pub(crate) fn show(self, id: Uuid, instance: String) {
        self.machine.set(Some((id, instance)));
        self.open.set(true);
    }
}

/// The one dialog for the charts of any machine.
#[component]
pub(crate) fn UsageDialog() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let UsageOf { open, machine } = expect_context::<UsageOf>();
    let usage = Watched::new();
    Effect::new(move || match machine.get() {
        Some((id, _)) if open.get() => usage.follow(&session, true, move |client, etag| async move {
            client.machine_usage(&id.to_string(), etag.as_deref()).await
        }),
        _ => usage.stop(),
    });
    let title = Signal::derive(move || {
        let name = machine.get().map(|(_, instance)| instance).unwrap_or_default();
        (i18n.t().usage_title)(&name)
    });
    let points = Signal::derive(move || usage.get().map(|usage| usage.points).unwrap_or_default());
    let step = Signal::derive(move || usage.with(|usage| usage.map_or(60, |usage| usage.interval_seconds)));
    let tops = Signal::derive(move || {
        usage.with(|usage| {
            usage.map_or((None, None), |usage| (usage.memory_limit_bytes, usage.disk_limit_bytes))
        })
    });
    let nothing = move || usage.with(|usage| usage.is_some_and(|usage| usage.points.is_empty()));
    view! {
        <Dialog open id="usage-title" title>
            <div class="usage" data-testid="usage" aria-busy=move || usage.with(|usage| usage.is_none()).to_string()>
                {move || usage.failure().map(|error| view! { <p role="alert">{i18n.t().error(&error)}</p> })}
                <Show when=nothing>
                    <p class="dialog-text" data-testid="usage-none">{move || i18n.t().usage_none}</p>
                </Show>
                <Charts points hours=2 step tops/>
            </div>
        </Dialog>
    }
}
