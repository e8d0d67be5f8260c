//! What is under way with images, and what went wrong: a line for each over the table.

use leptos::prelude::*;
use uuid::Uuid;
use vms_client::ClientError;
use vms_types::{Operation, OperationStatus};

use crate::components::icon::{Glyph, Icon};
use crate::i18n::{I18n, use_i18n};
use crate::session::Session;
use crate::store::use_store;

/// Milliseconds between two looks at an operation.
const LOOK_MS: u32 = 1000;

/// What is under way. A handle: copies share it.
#[derive(Clone, Copy)]
pub(super) struct Work {
    running: RwSignal<Vec<Operation>>,
    failures: RwSignal<Vec<(Uuid, String)>>,
    announcement: RwSignal<String>,
    i18n: I18n,
}

impl Work {
    pub(super) fn new(i18n: I18n) -> Self {
        Self {
            running: RwSignal::new(Vec::new()),
            failures: RwSignal::new(Vec::new()),
            announcement: use_store().announcement,
            i18n,
        }
    }

    /// A command that was not taken.
    pub(super) fn refused(self, error: &ClientError) {
        self.fail(self.i18n.now().error(error));
    }

    /// Something ended well.
    pub(super) fn announce(self, words: String) {
        // The page may be gone by now.
        let _gone = self.announcement.try_set(words);
    }

    fn fail(self, words: String) {
        let _gone = self.failures.try_update(|all| all.push((Uuid::new_v4(), words)));
    }

    /// Looks at an operation until it has ended, and says how.
    pub(super) async fn follow(self, session: &Session, operation: Operation) {
        let id = operation.id;
        let _gone = self.running.try_update(|all| all.push(operation));
        loop {
            match session.call(|client| async move { client.operation(id).await }).await {
                Ok(now) if now.status.is_finished() => {
                    let _gone = self.running.try_update(|all| all.retain(|other| other.id != id));
                    return self.tell(&now);
                }
                Ok(now) => {
                    let shown = self.running.try_update(|all| {
                        all.iter_mut().filter(|other| other.id == id).for_each(|other| *other = now.clone());
                    });
                    if shown.is_none() {
                        return;
                    }
                }
                Err(error) if error.is_passing() => {}
                Err(error) => {
                    let _gone = self.running.try_update(|all| all.retain(|other| other.id != id));
                    return self.refused(&error);
                }
            }
            gloo_timers::future::TimeoutFuture::new(LOOK_MS).await;
        }
    }

    fn tell(self, operation: &Operation) {
        let t = self.i18n.now();
        let name = operation.image.clone().unwrap_or_default();
        match operation.status {
            OperationStatus::Succeeded => self.announce((t.done)(operation.kind, &name)),
            OperationStatus::Cancelled => self.announce(t.cancelled.to_owned()),
            _ => {
                let said = operation.error.as_ref();
                let advice =
                    said.map_or_else(|| t.outcome_unknown.to_owned(), |e| t.operation_error(&e.code));
                // Administrators can make something of the server's own words.
                let words = said.map(|error| error.message.clone()).unwrap_or_default();
                self.fail(format!(
                    "{name} ({}): {} {advice} {words}",
                    operation.server,
                    (t.failed)(operation.kind)
                ));
            }
        }
    }
}

/// The lines.
#[component]
pub(super) fn WorkList(work: Work) -> impl IntoView {
    let i18n = use_i18n();
    let line = move |operation: Operation| {
        let words = move || {
            let name = operation.image.clone().unwrap_or_default();
            let percent = operation.progress.map(|percent| format!(" {percent}%")).unwrap_or_default();
            format!("{name} ({}): {}{percent}", operation.server, (i18n.t().doing)(operation.kind))
        };
        view! { <p class="work" data-testid="image-work"><Icon glyph=Glyph::Spinner/>{words}</p> }
    };
    view! {
        <div role="status">{move || work.running.get().into_iter().map(line).collect_view()}</div>
        <div class="notices" role="alert">
            <For each=move || work.failures.get() key=|(id, _)| *id let:failure>
                <div class="notice" data-testid="image-failure">
                    <Icon glyph=Glyph::Alert/>
                    <p>{failure.1}</p>
                    <button
                        class="icon-button" type="button" aria-label=move || i18n.t().dismiss
                        on:click=move |_| work.failures.update(|all| all.retain(|(id, _)| *id != failure.0))
                    ><Icon glyph=Glyph::Close/></button>
                </div>
            </For>
        </div>
    }
}
