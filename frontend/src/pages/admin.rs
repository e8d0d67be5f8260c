//! The pages of those who look after others: administrators, and teachers, who have one of them. They are a program of
//! their own (`vms-admin`, below `/admin/`), so that a student's first visit does not pay for them.

pub(crate) mod audit;
pub(crate) mod differences;
pub(crate) mod images;
pub(crate) mod machines;
pub(crate) mod networks;
pub(crate) mod overview;
pub(crate) mod profiles;
pub(crate) mod quotas;
pub(crate) mod users;

use leptos::prelude::*;

use crate::pages::shell::{Shell, use_role};
use crate::route::{Route, use_router};
use audit::AuditPage;
use differences::DifferencesPage;
use images::ImagesPage;
use machines::OthersMachinesPage;
use networks::NetworksPage;
use overview::OverviewPage;
use profiles::ProfilesPage;
use quotas::QuotasPage;
use users::UsersPage;

/// The page that the address names; who does not have it is sent to their own machines.
#[component]
pub(crate) fn AdminPage() -> impl IntoView {
    let role = use_role();
    let router = use_router();
    let open = Memo::new(move |_| role.get().is_some_and(|role| router.get().is_open_to(role)));
    Effect::new(move || {
        if !open.get() && window().location().replace(Route::Mine.path()).is_err() {
            leptos::logging::warn!("the browser does not go to {}", Route::Mine.path());
        }
    });
    view! {
        <Shell>
            <Show when=move || open.get()>
                {move || match router.get() {
                    Route::Differences => view! { <DifferencesPage/> }.into_any(),
                    Route::Images => view! { <ImagesPage/> }.into_any(),
                    Route::Profiles => view! { <ProfilesPage/> }.into_any(),
                    Route::Users => view! { <UsersPage/> }.into_any(),
                    Route::Quotas => view! { <QuotasPage/> }.into_any(),
                    Route::Mine | Route::Overview => view! { <OverviewPage/> }.into_any(),
                    Route::Networks => view! { <NetworksPage/> }.into_any(),
                    route @ (Route::AllMachines | Route::Students) => {
                        view! { <OthersMachinesPage route/> }.into_any()
                    }
                    Route::Audit => view! { <AuditPage/> }.into_any(),
                }}
            </Show>
        </Shell>
    }
}
