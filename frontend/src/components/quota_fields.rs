//! The six numbers of a quota, to be typed: an empty field says nothing.

use leptos::prelude::*;
use vms_types::Quota;
use vms_types::size::parse_size;

use super::field::TextField;
use crate::i18n::{quota_values, use_i18n};

/// Which of the six are sizes: memory and disk.
const SIZES: [bool; 6] = [false, false, true, false, true, false];
/// Their names, for ids and tests.
const NAMES: [&str; 6] = ["machines", "running", "memory", "cpus", "disk", "snapshots"];

/// What stands in the fields. A handle: copies share it.
#[derive(Clone, Copy)]
pub(crate) struct QuotaForm([RwSignal<String>; 6]);

impl QuotaForm {
    pub(crate) fn new() -> Self {
        Self([(); 6].map(|()| RwSignal::new(String::new())))
    }

    /// Shows a quota.
    pub(crate) fn show(self, quota: &Quota) {
        for (field, value) in self.0.into_iter().zip(quota_values(quota)) {
            field.set(value.unwrap_or_default());
        }
    }

    /// What is typed; `None` if some field makes no sense.
    pub(crate) fn read(self) -> Option<Quota> {
        let texts = self.0.map(|field| field.with_untracked(|text| text.trim().to_owned()));
        read(&texts)
    }
}

fn read([machines, running, memory, cpus, disk, snapshots]: &[String; 6]) -> Option<Quota> {
    Some(Quota {
        machines: number(machines)?,
        running: number(running)?,
        memory_bytes: size(memory)?,
        cpus: number(cpus)?,
        disk_bytes: size(disk)?,
        snapshots_per_machine: number(snapshots)?,
    })
}

/// `Some(None)` for an empty field, `None` for nonsense.
fn number(text: &str) -> Option<Option<u32>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

/// The same for a size. A bare number is nonsense: nobody means bytes.
fn size(text: &str) -> Option<Option<u64>> {
    let bare = text != "0" && text.chars().all(|sign| sign.is_ascii_digit());
    match text {
        "" => Some(None),
        _ if bare => None,
        _ => parse_size(text).map(Some),
    }
}

/// The fields.
#[component]
pub(crate) fn QuotaFields(
    form: QuotaForm,
    /// Begins the ids, which are unique in the page.
    prefix: &'static str,
    /// What counts now, whoever decided it, to be shown beside what is typed; nothing if nobody asks for that.
    #[prop(into)]
    in_force: Signal<Option<Quota>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let field = move |place: usize, value: RwSignal<String>, is_size: bool, name: &'static str| {
        let error = Signal::derive(move || {
            let wrong = value.with(|text| {
                let text = text.trim();
                if is_size { size(text).is_none() } else { number(text).is_none() }
            });
            let t = i18n.people();
            wrong.then_some(if is_size { t.size_wrong } else { t.number_wrong })
        });
        let hint = Signal::derive(move || {
            let t = i18n.people();
            let now = in_force.get().map(|quota| {
                let value = quota_values(&quota).into_iter().nth(place).flatten();
                (t.in_force)(value.as_deref().unwrap_or(t.not_limited))
            });
            match (now, is_size) {
                (Some(now), _) => now,
                (None, true) => t.size_example.to_owned(),
                (None, false) => String::new(),
            }
        });
        let label = Signal::derive(move || {
            i18n.people().number.all().into_iter().nth(place).unwrap_or_default().to_owned()
        });
        let testid = name;
        view! { <TextField id=format!("{prefix}-{name}") testid label hint value error/> }
    };
    let fields = form.0.into_iter().zip(SIZES).zip(NAMES).enumerate();
    view! {
        <div class="quota-fields">
            {fields.map(|(place, ((value, is_size), name))| field(place, value, is_size, name)).collect_view()}
        </div>
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_shown_is_read_again_and_nonsense_is_not() {
        let quota = Quota {
            machines: Some(3),
            memory_bytes: Some(512 << 20),
            disk_bytes: Some(0),
            ..Quota::default()
        };
        let shown = quota_values(&quota).map(Option::unwrap_or_default);
        assert_eq!(shown, ["3", "", "512MiB", "", "0", ""]);
        assert_eq!(read(&shown), Some(quota));
        for nonsense in ["-1", "x", "1.5", "99999999999"] {
            assert_eq!(number(nonsense), None, "{nonsense}");
        }
        for nonsense in ["512", "1.5GiB", "muito"] {
            assert_eq!(size(nonsense), None, "{nonsense}");
        }
    }
}
