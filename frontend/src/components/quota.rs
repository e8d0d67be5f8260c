//! How many machines one has and may have.

use leptos::prelude::*;
use vms_types::{QuotaShortage, QuotaView};

use crate::i18n::use_i18n;
use crate::session::{Phase, use_session};
use crate::store::use_store;

/// Used and allowed machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) used: u32,
    pub(crate) limit: u32,
}

impl Quota {
    /// Whether no other machine may be made.
    pub(crate) const fn is_full(self) -> bool {
        self.used >= self.limit
    }

    /// How many may still be made.
    pub(crate) const fn left(self) -> u32 {
        self.limit.saturating_sub(self.used)
    }

    /// Used part in percent, at most 100.
    pub(crate) fn percent(self) -> u32 {
        let percent = u64::from(self.used) * 100 / u64::from(self.limit.max(1));
        u32::try_from(percent.min(100)).unwrap_or(100)
    }
}

/// The quota now: the limit from `GET /me`, what is used from the list, which is fresher.
pub(crate) fn use_quota() -> Memo<Quota> {
    let phase = use_session().phase;
    let store = use_store();
    Memo::new(move |_| {
        let known = phase.with(|phase| match phase {
            Phase::LoggedIn(me) => Quota { used: me.quota.machines.used, limit: me.quota.machines.limit },
            _ => Quota { used: 0, limit: 0 },
        });
        if !store.loaded.get() {
            return known;
        }
        let listed = store.rows.with(Vec::len);
        Quota { used: u32::try_from(listed).unwrap_or(u32::MAX), limit: known.limit }
    })
}

/// `Máquinas: 3 / 10` and a quiet meter.
#[component]
pub(crate) fn QuotaMeter() -> impl IntoView {
    let i18n = use_i18n();
    let quota = use_quota();
    view! {
        <div class="quota" class:full=move || quota.get().is_full()>
            <span class="quota-text" data-testid="quota">
                {move || { let q = quota.get(); format!("{}: {} / {}", i18n.t().machines, q.used, q.limit) }}
            </span>
            <span
                class="quota-meter" role="meter" aria-label=move || i18n.t().quota_label aria-valuemin="0"
                aria-valuemax=move || quota.get().limit.to_string()
                aria-valuenow=move || quota.get().used.to_string()
            >
                <span class="quota-fill" style:width=move || format!("{}%", quota.get().percent())></span>
            </span>
            <span class="quota-left">{move || (i18n.t().quota_left)(quota.get().left())}</span>
        </div>
    }
}

/// What is left of everything that is limited beside the number of machines.
fn rest(quota: &QuotaView) -> Vec<QuotaShortage> {
    let used = quota.used;
    [
        ("running", u64::from(used.running), quota.running.map(u64::from)),
        ("memory_bytes", used.memory_bytes, quota.memory_bytes),
        ("cpus", u64::from(used.cpus), quota.cpus.map(u64::from)),
        ("disk_bytes", used.disk_bytes, quota.disk_bytes),
    ]
    .into_iter()
    .filter_map(|(resource, used, allowed)| {
        Some(QuotaShortage { resource: resource.to_owned(), asked: 0, used, allowed: allowed? })
    })
    .collect()
}

/// The same, for who is about to make a machine; nothing where nothing else is limited.
#[component]
pub(crate) fn QuotaRest(quota: RwSignal<Option<QuotaView>>) -> impl IntoView {
    let i18n = use_i18n();
    let lines = Memo::new(move |_| quota.with(|quota| quota.as_ref().map(rest).unwrap_or_default()));
    view! {
        <Show when=move || lines.with(|lines| !lines.is_empty())>
            <ul class="quota-rest" data-testid="create-quota" aria-label=move || i18n.t().quota_now>
                {move || lines.get().into_iter().map(|line| {
                    let full = line.used >= line.allowed;
                    view! { <li class:full=full>{(i18n.t().quota_rest)(&line)}</li> }
                }).collect_view()}
            </ul>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_limited_is_shown() {
        use vms_types::{MachineQuota, QuotaUse};
        let quota = QuotaView {
            machines: MachineQuota { used: 1, limit: 10 },
            running: None,
            memory_bytes: Some(1 << 30),
            cpus: Some(2),
            disk_bytes: None,
            snapshots_per_machine: Some(3),
            used: QuotaUse { memory_bytes: 256 << 20, cpus: 3, ..QuotaUse::default() },
        };
        let texts = crate::i18n::Lang::Pt.texts();
        let shown: Vec<String> = rest(&quota).iter().map(texts.quota_rest).collect();
        // Lowered below what is used, nothing is left, and not less.
        assert_eq!(shown, ["Memória: restam 768 MiB de 1 GiB", "CPUs: restam 0 de 2"]);
    }

    #[test]
    fn a_quota_that_was_lowered_is_full_and_not_more() {
        let quota = Quota { used: 12, limit: 10 };
        assert!(quota.is_full());
        assert_eq!((quota.left(), quota.percent()), (0, 100));
        assert_eq!(Quota { used: 0, limit: 0 }.percent(), 0);
        assert_eq!(Quota { used: 3, limit: 10 }.percent(), 30);
    }
}
