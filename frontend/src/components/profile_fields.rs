//! The form of a profile: what it limits, its disk, and its interfaces.

use leptos::prelude::*;
use vms_types::profile::{ProfileInterface, RootDisk};
use vms_types::size::{format_size, parse_size};
use vms_types::{ProfileForm, ProfileUpdate};

use super::field::TextField;
use super::icon::{Glyph, Icon};
use crate::i18n::{AdminTexts, I18n, Texts, use_i18n};

/// An interface as it is edited. A handle: copies share it.
#[derive(Clone, Copy)]
struct Nic {
    /// Names the row for as long as the form lives.
    id: u32,
    name: RwSignal<String>,
    network: RwSignal<String>,
    mac: RwSignal<bool>,
    ipv4: RwSignal<bool>,
}

/// What stands in the fields. A handle: copies share it.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) description: RwSignal<String>,
    memory: RwSignal<String>,
    cpus: RwSignal<String>,
    processes: RwSignal<String>,
    disk: RwSignal<String>,
    pool: RwSignal<String>,
    nesting: RwSignal<bool>,
    nics: RwSignal<Vec<Nic>>,
    /// Number of the next interface's row.
    next: StoredValue<u32>,
}

fn or_empty<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl Fields {
    pub(crate) fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            description: empty(),
            memory: empty(),
            cpus: empty(),
            processes: empty(),
            disk: empty(),
            pool: empty(),
            nesting: RwSignal::new(false),
            nics: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
        }
    }

    /// Shows a profile.
    pub(crate) fn show(self, profile: &ProfileUpdate) {
        let form = ProfileForm::from_lxd(&profile.config, &profile.devices);
        self.description.set(profile.description.clone());
        self.memory.set(form.memory_bytes.map(format_size).unwrap_or_default());
        self.cpus.set(or_empty(form.cpus));
        self.processes.set(or_empty(form.processes));
        self.disk
            .set(form.root.as_ref().and_then(|root| root.size_bytes).map(format_size).unwrap_or_default());
        self.pool.set(form.root.map(|root| root.pool).unwrap_or_default());
        self.nesting.set(form.nesting);
        self.nics.set(form.interfaces.into_iter().map(|interface| self.nic(interface)).collect());
    }

    fn nic(self, interface: ProfileInterface) -> Nic {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        Nic {
            id,
            name: RwSignal::new(interface.name),
            network: RwSignal::new(interface.network),
            mac: RwSignal::new(interface.mac_filtering),
            ipv4: RwSignal::new(interface.ipv4_filtering),
        }
    }

    /// One more interface, on the bridge of the last one.
    fn add(self) {
        let names: Vec<String> =
            self.nics.with(|nics| nics.iter().map(|nic| nic.name.get_untracked()).collect());
        let network = self.nics.with(|nics| nics.last().map(|nic| nic.network.get_untracked()));
        let mut free = (0_u32..).map(|number| format!("eth{number}")).filter(|name| !names.contains(name));
        let nic = self.nic(ProfileInterface {
            name: free.next().unwrap_or_default(),
            network: network.unwrap_or_default(),
            mac_filtering: false,
            ipv4_filtering: false,
        });
        self.nics.update(|nics| nics.push(nic));
    }

    /// What the fields say; the words for the first that says nothing sensible.
    pub(crate) fn form(self, i18n: I18n) -> Result<ProfileForm, String> {
        let (texts, own) = (i18n.t(), i18n.admin());
        fn read<T>(
            texts: &Texts,
            field: RwSignal<String>,
            label: &str,
            parse: impl Fn(&str) -> Option<T>,
        ) -> Result<Option<T>, String> {
            let text = field.get();
            match text.trim() {
                "" => Ok(None),
                text => parse(text).map(Some).ok_or_else(|| format!("{label}: {}", texts.field_unknown)),
            }
        }
        let pool = self.pool.get().trim().to_owned();
        let size_bytes = read(texts, self.disk, own.disk, parse_size)?;
        let root = (!pool.is_empty() || size_bytes.is_some()).then_some(RootDisk { pool, size_bytes });
        let interfaces = self.nics.get().into_iter().map(|nic| ProfileInterface {
            name: nic.name.get().trim().to_owned(),
            network: nic.network.get().trim().to_owned(),
            mac_filtering: nic.mac.get(),
            ipv4_filtering: nic.ipv4.get(),
        });
        Ok(ProfileForm {
            memory_bytes: read(texts, self.memory, own.memory, parse_size)?,
            cpus: read(texts, self.cpus, own.cpus, |text| text.parse().ok())?,
            processes: read(texts, self.processes, own.processes, |text| text.parse().ok())?,
            root,
            interfaces: interfaces.collect(),
            nesting: self.nesting.get(),
        })
    }
}

/// The fields.
#[component]
pub(crate) fn FormFields(fields: Fields) -> impl IntoView {
    let i18n = use_i18n();
    let none = Signal::stored(None::<&'static str>);
    let words = move |read: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
        Signal::derive(move || read(i18n.t(), i18n.admin()).to_owned())
    };
    view! {
        <TextField
            id="profile-description" testid="profile-description" label=words(|t, _| t.description) hint=words(|_, _| "")
            value=fields.description error=none
        />
        <div class="columns">
            <TextField
                id="profile-memory" testid="profile-memory" label=words(|_, a| a.memory) hint=words(|_, a| a.size_hint)
                value=fields.memory error=none
            />
            <TextField
                id="profile-cpus" testid="profile-cpus" label=words(|_, a| a.cpus) hint=words(|_, a| a.number_hint)
                value=fields.cpus error=none
            />
            <TextField
                id="profile-processes" testid="profile-processes" label=words(|_, a| a.processes)
                hint=words(|_, a| a.number_hint) value=fields.processes error=none
            />
            <TextField
                id="profile-disk" testid="profile-disk" label=words(|_, a| a.disk) hint=words(|_, a| a.size_hint)
                value=fields.disk error=none
            />
            <TextField
                id="profile-pool" testid="profile-pool" label=words(|_, a| a.pool) hint=words(|_, _| "") value=fields.pool
                error=none
            />
        </div>
        <Tick testid="profile-nesting" value=fields.nesting label=words(|_, a| a.nesting)/>
        <fieldset class="group">
            <legend>{move || i18n.admin().interfaces}</legend>
            <ul class="nics">
                <For each=move || fields.nics.get() key=|nic| nic.id let:nic>
                    <NicRow nic nics=fields.nics/>
                </For>
            </ul>
            <button class="button" type="button" data-testid="nic-add" on:click=move |_| fields.add()>
                <Icon glyph=Glyph::Plus/>
                {move || i18n.admin().add_interface}
            </button>
        </fieldset>
    }
}

#[component]
fn NicRow(nic: Nic, nics: RwSignal<Vec<Nic>>) -> impl IntoView {
    let i18n = use_i18n();
    let field = move |value: RwSignal<String>,
                      testid: &'static str,
                      read: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
        let id = format!("{testid}-{}", nic.id);
        view! {
            <div class="filter">
                <label for=id.clone()>{move || read(i18n.t(), i18n.admin())}</label>
                <input
                    id=id data-testid=testid class="input" type="text" autocomplete="off" autocapitalize="none"
                    spellcheck="false" prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                />
            </div>
        }
    };
    let words = move |read: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
        Signal::derive(move || read(i18n.t(), i18n.admin()).to_owned())
    };
    view! {
        <li class="nic" data-testid="nic">
            {field(nic.name, "nic-name", |t, _| t.name)}
            {field(nic.network, "nic-network", |_, a| a.bridge)}
            <Tick testid="nic-mac" value=nic.mac label=words(|_, a| a.mac_filtering)/>
            <Tick testid="nic-ipv4" value=nic.ipv4 label=words(|_, a| a.ipv4_filtering)/>
            <button
                class="icon-button bordered" type="button" data-testid="nic-remove"
                aria-label=move || (i18n.admin().remove_interface)(&nic.name.get()) title=move || i18n.t().remove
                on:click=move |_| nics.update(|all| all.retain(|other| other.id != nic.id))
            ><Icon glyph=Glyph::Trash/></button>
        </li>
    }
}

#[component]
fn Tick(testid: &'static str, value: RwSignal<bool>, label: Signal<String>) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox" data-testid=testid prop:checked=move || value.get()
                on:change=move |event| value.set(event_target_checked(&event))
            />
            <span>{move || label.get()}</span>
        </label>
    }
}
