//! Everyone who ever logged in: found by name, role and state, and what administrators decide about each.

mod card;
mod holdings;

use leptos::prelude::*;
use vms_client::UserQuery;
use vms_types::{Role, UserView};

use crate::clock::wall_time;
use crate::components::data_table::{Column, DataTable, Listing};
use crate::components::filters::{FilterSelect, FilterText, wanted};
use crate::components::icon::{Glyph, Icon};
use crate::format::moment;
use crate::i18n::{I18n, Lang, PeopleTexts, use_i18n};
use crate::listing::Lines;
use crate::pages::admin::quotas::ROLES;
use crate::route::Route;
use crate::session::{Session, use_session};
use card::UserCard;

/// People asked for at once.
const PAGE: u32 = 50;

/// What is asked for. A handle: copies share it.
#[derive(Clone, Copy)]
struct Filter {
    q: RwSignal<String>,
    role: RwSignal<String>,
    state: RwSignal<String>,
}

impl Filter {
    fn query(self) -> UserQuery {
        let state = self.state.get();
        UserQuery {
            q: wanted(self.q),
            role: self.role.with(|word| Role::parse(word)),
            disabled: match state.as_str() {
                "active" => Some(false),
                "disabled" => Some(true),
                _ => None,
            },
            in_directory: match state.as_str() {
                "active" => Some(true),
                "gone" => Some(false),
                _ => None,
            },
            limit: Some(PAGE),
            cursor: None,
        }
    }
}

/// Asks for the first page, or for the one after what is there.
fn load(lines: Lines<UserView>, session: Session, query: UserQuery) {
    lines.load(query.cursor.is_some(), async move {
        session
            .call(|client| {
                let query = query.clone();
                async move { client.users(&query, None).await }
            })
            .await
    });
}

/// The page.
#[component]
pub(crate) fn UsersPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let empty = || RwSignal::new(String::new());
    let filter = Filter { q: empty(), role: empty(), state: empty() };
    let lines = Lines::<UserView>::new();
    let query = Memo::new(move |_| filter.query());
    let first = session.clone();
    Effect::new(move || load(lines, first.clone(), query.get()));
    let open = RwSignal::new(false);
    let chosen = RwSignal::new(None::<String>);
    let columns = Signal::derive(move || {
        let (t, admin) = (i18n.people(), i18n.admin());
        let titles = [
            admin.column_person,
            t.column_role,
            t.column_groups,
            i18n.t().machines,
            t.column_last_login,
            admin.state,
        ];
        titles.map(|title| Column { title, sort: None }).to_vec()
    });
    let (again, further) = (session.clone(), session);
    let count = move || match lines.listing() {
        Listing::There { more } => Some((i18n.people().users_shown)(lines.all.with(Vec::len), more)),
        _ => None,
    };
    // In its row, so that the focus has somewhere to come back to.
    let changed = move |user: UserView| {
        lines.all.update(|all| {
            if let Some(row) = all.iter_mut().find(|row| row.username == user.username) {
                *row = user;
            }
        });
    };
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(Route::Users)}</h2>
            <p class="toolbar-note count" role="status" data-testid="user-count">{count}</p>
        </div>
        <Filters filter/>
        <DataTable
            label=Signal::derive(move || (i18n.t().page)(Route::Users)) columns
            listing=Signal::derive(move || lines.listing())
            empty=Signal::derive(move || i18n.people().users_none_fit)
            retry=move |()| load(lines, again.clone(), query.get_untracked())
            more=move |()| {
                let cursor = lines.cursor.get_untracked();
                load(lines, further.clone(), UserQuery { cursor, ..query.get_untracked() });
            }
        >
            <For each=move || lines.all.get() key=|user| user.username.clone() let:user>
                <UserRow user lines on_open=move |name| { chosen.set(Some(name)); open.set(true); }/>
            </For>
        </DataTable>
        <UserCard open chosen changed/>
    }
}

#[component]
fn Filters(filter: Filter) -> impl IntoView {
    let i18n = use_i18n();
    let all = Signal::derive(move || i18n.admin().all);
    let roles = Signal::derive(move || {
        ROLES.map(|role| (role.as_str().to_owned(), (i18n.people().role)(role).to_owned())).to_vec()
    });
    let states = Signal::derive(move || {
        let t = i18n.people();
        [("active", t.active), ("disabled", t.disabled), ("gone", t.gone)]
            .map(|(word, text)| (word.to_owned(), text.to_owned()))
            .to_vec()
    });
    view! {
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <FilterText id="users-q" label=Signal::derive(move || i18n.admin().search) value=filter.q/>
            <FilterSelect
                id="users-role" label=Signal::derive(move || i18n.people().column_role) all value=filter.role
                options=roles
            />
            <FilterSelect
                id="users-state" label=Signal::derive(move || i18n.admin().state) all value=filter.state options=states
            />
        </form>
    }
}

/// How a person is, in words, and the tone that goes with it.
fn state_of(texts: &PeopleTexts, user: &UserView) -> (&'static str, &'static str, Glyph) {
    if user.disabled {
        (texts.disabled, "error", Glyph::Close)
    } else if user.in_directory {
        (texts.active, "running", Glyph::Check)
    } else {
        (texts.gone, "error", Glyph::Alert)
    }
}

/// The role in force, and whether it is ours.
fn role_of(texts: &PeopleTexts, user: &UserView) -> String {
    let role = (texts.role)(user.role);
    match user.role_override {
        Some(_) => format!("{role} ({})", texts.overridden),
        None => role.to_owned(),
    }
}

/// A moment in the reader's language.
fn when(i18n: I18n, at: chrono::DateTime<chrono::Utc>) -> String {
    moment(wall_time(at), i18n.0.get() == Lang::Pt)
}

/// One person. What changes is read from the list, so that the row stays the same.
#[component]
fn UserRow(user: UserView, lines: Lines<UserView>, #[prop(into)] on_open: Callback<String>) -> impl IntoView {
    let i18n = use_i18n();
    let name = user.username.clone();
    let opened = name.clone();
    let testid = name.clone();
    let login = name.clone();
    let row = Memo::new(move |before: Option<&UserView>| {
        let now = lines.all.with(|all| all.iter().find(|row| row.username == name).cloned());
        now.unwrap_or_else(|| before.cloned().unwrap_or_else(|| user.clone()))
    });
    let machines = move || {
        row.with(|user| match user.allowed.machines {
            Some(limit) => format!("{} / {limit}", user.machines),
            None => user.machines.to_string(),
        })
    };
    let state = move || {
        let (text, tone, glyph) = row.with(|user| state_of(i18n.people(), user));
        view! { <span class="status" data-tone=tone><Icon glyph/>{text}</span> }
    };
    view! {
        <tr role="row" data-testid="user-row" data-user=testid>
            <td role="cell" data-label=move || i18n.admin().column_person>
                <button
                    class="row-opener" type="button" data-testid="user-open" aria-haspopup="dialog"
                    on:click=move |_| on_open.run(opened.clone())
                >
                    <Icon glyph=Glyph::Chevron/>
                    <span>{move || row.with(|user| user.display_name.clone())}" "<small class="login-name">{login.clone()}</small></span>
                </button>
            </td>
            <td role="cell" data-label=move || i18n.people().column_role>
                {move || row.with(|user| role_of(i18n.people(), user))}
            </td>
            <td role="cell" data-label=move || i18n.people().column_groups>
                {move || row.with(|user| user.groups.join(", "))}
            </td>
            <td role="cell" class="number" data-label=move || i18n.t().machines>{machines}</td>
            <td role="cell" data-label=move || i18n.people().column_last_login>
                {move || when(i18n, row.with(|user| user.last_login_at))}
            </td>
            <td role="cell" data-label=move || i18n.admin().state data-testid="user-state">{state}</td>
        </tr>
    }
}
