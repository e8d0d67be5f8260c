//! Which page the address names, and which program it belongs to. The browser keeps the history: going back, reloading and links from elsewhere work.

use leptos::ev;
use leptos::prelude::*;
use vms_types::Role;
use wasm_bindgen::JsValue;

/// A page for those who have logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// One's own machines.
    Mine,
    /// The machines of a teacher's students.
    Students,
    /// How everything is.
    Overview,
    /// Everybody's machines.
    AllMachines,
    /// What does not match between table and servers.
    Differences,
    /// Images as they are stored.
    Images,
    /// Profiles.
    Profiles,
    /// Everyone who ever logged in.
    Users,
    /// What roles and groups may use.
    Quotas,
    /// Networks and certificates.
    Networks,
    /// The audit log.
    Audit,
}

impl Route {
    /// Every page, in the order of the navigation.
    pub(crate) const ALL: [Self; 11] = [
        Self::Mine,
        Self::Students,
        Self::Overview,
        Self::AllMachines,
        Self::Differences,
        Self::Images,
        Self::Profiles,
        Self::Users,
        Self::Quotas,
        Self::Networks,
        Self::Audit,
    ];

    /// The path that names it.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Mine => "/",
            Self::Students => "/admin/students",
            Self::Overview => "/admin/",
            Self::AllMachines => "/admin/machines",
            Self::Differences => "/admin/differences",
            Self::Images => "/admin/images",
            Self::Profiles => "/admin/profiles",
            Self::Users => "/admin/users",
            Self::Quotas => "/admin/quotas",
            Self::Networks => "/admin/networks",
            Self::Audit => "/admin/audit",
        }
    }

    /// Whether it is in the program below `/admin/`: a page of the other one is loaded anew.
    pub(crate) const fn is_admin(self) -> bool {
        !matches!(self, Self::Mine)
    }

    /// Who has it. The server decides for itself what it answers; this is about what one is shown a way to.
    pub(crate) const fn is_open_to(self, role: Role) -> bool {
        match self {
            Self::Mine => true,
            Self::Students => matches!(role, Role::Teacher),
            _ => matches!(role, Role::Admin),
        }
    }

    /// Its link in the navigation, for tests.
    pub(crate) const fn testid(self) -> &'static str {
        match self {
            Self::Mine => "nav-mine",
            Self::Students => "nav-students",
            Self::Overview => "nav-overview",
            Self::AllMachines => "nav-machines",
            Self::Differences => "nav-differences",
            Self::Images => "nav-images",
            Self::Profiles => "nav-profiles",
            Self::Users => "nav-users",
            Self::Quotas => "nav-quotas",
            Self::Networks => "nav-networks",
            Self::Audit => "nav-audit",
        }
    }

    /// The page that a path names; one's own machines for every other path.
    fn of_path(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let named = |route: &Self| route.path().trim_end_matches('/') == path;
        Self::ALL.into_iter().find(named).unwrap_or(Self::Mine)
    }
}

/// The page in the address bar. A handle: copies share it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Router(RwSignal<Route>);

impl Router {
    /// Follows the address from now on.
    pub(crate) fn new() -> Self {
        let route = RwSignal::new(here());
        let back = window_event_listener(ev::popstate, move |_| route.set(here()));
        on_cleanup(move || back.remove());
        Self(route)
    }

    /// The page to show.
    pub(crate) fn get(self) -> Route {
        self.0.get()
    }

    /// The same outside of anything reactive.
    pub(crate) fn now(self) -> Route {
        self.0.get_untracked()
    }

    /// Goes to another page.
    pub(crate) fn go(self, route: Route) {
        if self.0.get_untracked() == route {
            return;
        }
        let pushed = window()
            .history()
            .and_then(|all| all.push_state_with_url(&JsValue::NULL, "", Some(route.path())));
        if pushed.is_err() {
            leptos::logging::warn!("the browser keeps no history; going back will not come here");
        }
        self.0.set(route);
    }
}

fn here() -> Route {
    window().location().pathname().map_or(Route::Mine, |path| Route::of_path(&path))
}

/// The router of the component's context.
pub(crate) fn use_router() -> Router {
    expect_context::<Router>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_by_its_path_and_the_rest_is_ones_own() {
        for route in Route::ALL {
            assert_eq!(Route::of_path(route.path()), route);
        }
        assert_eq!(Route::of_path("/admin/audit/"), Route::Audit);
        assert_eq!(Route::of_path("/admin/students"), Route::Students);
        assert_eq!((Route::of_path("/admin"), Route::of_path("/admin/")), (Route::Overview, Route::Overview));
        for path in ["", "/admin/audit/x", "/login"] {
            assert_eq!(Route::of_path(path), Route::Mine, "{path}");
        }
    }

    #[test]
    fn each_role_has_its_pages() {
        let open = |role| Route::ALL.into_iter().filter(|route| route.is_open_to(role)).collect::<Vec<_>>();
        assert_eq!(open(Role::Student), [Route::Mine]);
        assert_eq!(open(Role::Teacher), [Route::Mine, Route::Students]);
        let all_but_students = Route::ALL.into_iter().filter(|route| *route != Route::Students);
        assert_eq!(open(Role::Admin), all_but_students.collect::<Vec<_>>());
    }
}
