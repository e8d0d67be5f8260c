//! The machines of a person, and giving them to somebody else.

use std::collections::HashSet;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use uuid::Uuid;
use vms_client::{ClientError, MachineQuery};
use vms_types::{Machine, PatchMachine};
use wasm_bindgen_futures::spawn_local;

use crate::components::field::TextField;
use crate::components::status::StatusPill;
use crate::i18n::use_i18n;
use crate::listing::Lines;
use crate::session::{Session, use_session};

/// Most machines that are shown; nobody has that many.
const MOST: u32 = 500;

fn load(lines: Lines<Machine>, session: Session, owner: &str) {
    let query = MachineQuery { owner: Some(owner.to_owned()), limit: Some(MOST), ..MachineQuery::default() };
    lines.load(false, async move {
        session
            .call(|client| {
                let query = query.clone();
                async move { client.machines(&query, None).await }
            })
            .await
    });
}

/// The machines of `owner`, to be ticked and handed over. `handed` is told when some were.
#[component]
pub(super) fn Holdings(
    owner: String,
    #[prop(into)] said: Callback<String>,
    #[prop(into)] handed: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let lines = Lines::<Machine>::new();
    load(lines, session.clone(), &owner);
    let ticked = RwSignal::new(HashSet::<Uuid>::new());
    let refused = RwSignal::new(Vec::<(Uuid, ClientError)>::new());
    let to = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let ids = move || lines.all.with(|all| all.iter().map(|machine| machine.id).collect::<HashSet<_>>());
    let idle = move || busy.get() || ticked.with(HashSet::is_empty) || to.with(|to| to.trim().is_empty());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if untrack(idle) {
            return;
        }
        busy.set(true);
        refused.set(Vec::new());
        let chosen: Vec<Uuid> = lines.all.with_untracked(|all| {
            all.iter()
                .map(|machine| machine.id)
                .filter(|id| ticked.with_untracked(|ids| ids.contains(id)))
                .collect()
        });
        let (session, owner, new) = (session.clone(), owner.clone(), to.get_untracked().trim().to_owned());
        spawn_local(async move {
            // One after the other: each takes a place in the quota of the new owner.
            let (mut given, mut failed) = (0, Vec::new());
            for id in chosen {
                let patch = PatchMachine { owner: Some(new.clone()), ..PatchMachine::default() };
                let answer = session
                    .call(|client| {
                        let (patch, id) = (patch.clone(), id.to_string());
                        async move { client.patch_machine(&id, &patch, None).await }
                    })
                    .await;
                match answer {
                    Ok(_) => given += 1,
                    Err(error) => failed.push((id, error)),
                }
            }
            // The card may be closed by now.
            if busy.try_set(false).is_some() {
                return;
            }
            ticked.set(failed.iter().map(|(id, _)| *id).collect());
            refused.set(failed);
            if given > 0 {
                said.run((i18n.people_now().handed_over)(given, &new));
                load(lines, session, &owner);
                handed.run(());
            }
        });
    };
    view! {
        <section class="stack" aria-labelledby="holdings-title">
            <h3 id="holdings-title" data-testid="holdings">
                {move || (i18n.people().holds)(lines.all.with(Vec::len))}
            </h3>
            <Show when=move || lines.all.with(|all| !all.is_empty())>
                <label class="check">
                    <input
                        type="checkbox" data-testid="holdings-all" prop:checked=move || ticked.with(|ticked| *ticked == ids())
                        on:change=move |event| {
                            ticked.set(if event_target_checked(&event) { untrack(ids) } else { HashSet::new() });
                        }
                    />
                    <span>{move || i18n.people().select_all}</span>
                </label>
                <ul class="holdings">
                    <For each=move || lines.all.get() key=|machine| (machine.id, machine.status) let:machine>
                        <Held machine ticked refused/>
                    </For>
                </ul>
                <form class="stack" novalidate on:submit=submit.clone()>
                    <TextField
                        id="new-owner" testid="new-owner" value=to error=Signal::derive(|| None)
                        label=Signal::derive(move || i18n.people().new_owner.to_owned())
                        hint=Signal::derive(move || i18n.people().new_owner_hint.to_owned())
                    />
                    <div class="dialog-actions">
                        <button
                            class="button" type="submit" data-testid="hand-over" aria-disabled=move || idle().to_string()
                        >
                            {move || i18n.people().hand_over}
                        </button>
                    </div>
                </form>
            </Show>
        </section>
    }
}

#[component]
fn Held(
    machine: Machine,
    ticked: RwSignal<HashSet<Uuid>>,
    refused: RwSignal<Vec<(Uuid, ClientError)>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (id, status) = (machine.id, machine.status);
    let words = move |error: &ClientError| match error {
        ClientError::Problem(problem) if problem.errors.iter().any(|error| error.field == "owner") => {
            i18n.people().owner_unknown.to_owned()
        }
        other => i18n.t().error(other),
    };
    let why = move || refused.with(|all| all.iter().find(|(of, _)| *of == id).map(|(_, error)| words(error)));
    view! {
        <li>
            <label class="check">
                <input
                    type="checkbox" data-testid="holding" prop:checked=move || ticked.with(|ids| ids.contains(&id))
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        ticked.update(|ids| { if on { ids.insert(id) } else { ids.remove(&id) }; });
                    }
                />
                <span>{machine.instance.clone()}</span>
            </label>
            <StatusPill status=Memo::new(move |_| status)/>
            <p class="form-error" role="alert">{why}</p>
        </li>
    }
}
