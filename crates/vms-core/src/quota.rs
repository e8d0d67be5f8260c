//! Quotas: what a person may use, what they use, and whether there is room for more.
//!
//! What somebody may use is computed in one place ([`effective`]) and judged in one place ([`judge`]), always within the
//! transaction that takes it ([`vms_db::Admit`]). What they use is what the fleet shows of their machines; of a machine
//! that no server shows yet, what its row says that it will hold. An operation under way that turns a machine on
//! counts as if it had.

use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;
use vms_authz::{
    Allowed, Fleet as AllOfFleet, MachineTarget,
    action::{ManageQuotas, ViewQuotas},
};
use vms_db::{Admit, Holdings, UnderWay, User};
use vms_fleet::{Fleet, InstanceView, Server};
use vms_types::{
    FieldError, Limits, MachineQuota, MachineStatus, OperationKind, Page, Quota, QuotaRule, QuotaScope,
    QuotaShortage, QuotaUse, QuotaView, Role, StoragePool,
};

use crate::assign::LIMITS;
use crate::commands::WAS_RUNNING;
use crate::error::CoreError;
use crate::vms::Vms;

/// Longest short name of a group, in characters.
const MAX_SUBJECT: usize = 128;

/// So much of everything that is counted: used, or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Amount {
    machines: u64,
    running: u64,
    memory_bytes: u64,
    cpus: u64,
    disk_bytes: u64,
}

impl Amount {
    /// One machine. What does not limit it counts as nothing.
    pub fn of_machine(limits: &Limits, running: bool) -> Self {
        Self {
            machines: 1,
            running: u64::from(running),
            memory_bytes: limits.memory_bytes.unwrap_or_default(),
            cpus: limits.cpus.map(u64::from).unwrap_or_default(),
            disk_bytes: limits.disk_bytes.unwrap_or_default(),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            machines: self.machines.saturating_add(other.machines),
            running: self.running.saturating_add(other.running),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            cpus: self.cpus.saturating_add(other.cpus),
            disk_bytes: self.disk_bytes.saturating_add(other.disk_bytes),
        }
    }
}

/// What a person may use. Each number is decided by the most specific level that has one: the person, the largest of
/// their groups, their role, the school.
pub(crate) fn effective(user: Option<&User>, rules: &[QuotaRule], school: Quota) -> Quota {
    let Some(user) = user else { return school };
    let together = |matches: &dyn Fn(&QuotaRule) -> bool| {
        rules.iter().filter(|rule| matches(rule)).fold(Quota::default(), |sum, rule| sum.larger(rule.quota))
    };
    let group = together(&|r| r.scope == QuotaScope::Group && user.groups.contains(&r.subject));
    let role = together(&|r| r.scope == QuotaScope::Role && r.subject == user.role().as_str());
    user.quota.or(group).or(role).or(school)
}

/// Whether so much more may be used. What is not asked for is not judged: who uses more than they may since it was
/// lowered can still do what takes nothing.
fn judge(quota: &Quota, used: Amount, asked: Amount) -> Result<(), QuotaShortage> {
    let allowed = |limit: Option<u32>| limit.map(u64::from);
    for (resource, asked, used, allowed) in [
        ("machines", asked.machines, used.machines, allowed(quota.machines)),
        ("running", asked.running, used.running, allowed(quota.running)),
        ("memory_bytes", asked.memory_bytes, used.memory_bytes, quota.memory_bytes),
        ("cpus", asked.cpus, used.cpus, allowed(quota.cpus)),
        ("disk_bytes", asked.disk_bytes, used.disk_bytes, quota.disk_bytes),
    ] {
        if let Some(allowed) = allowed
            && asked > 0
            && used.saturating_add(asked) > allowed
        {
            return Err(QuotaShortage { resource: resource.into(), asked, used, allowed });
        }
    }
    Ok(())
}

/// What a person uses.
fn used(fleet: &Fleet, held: &Holdings) -> Amount {
    held.machines.iter().fold(Amount::default(), |sum, row| {
        let view = fleet.server(&row.server).and_then(|server| server.machine(&row.instance, row.id));
        let turned_on = held.under_way.iter().any(|work| work.machine == row.id && turns_on(work));
        let limits = view.as_ref().map_or(row.limits, |view| view.limits);
        // While it is given other profiles it counts with what it has or will have, whichever is more.
        let changing = held.under_way.iter().filter(|work| work.machine == row.id).find_map(limits_to_come);
        let limits = changing.map_or(limits, |to_come| larger(limits, to_come));
        sum.plus(Amount::of_machine(&limits, turned_on || view.is_some_and(|view| is_on(&view))))
    })
}

/// Whether it has processes, also if they rest.
fn is_on(view: &InstanceView) -> bool {
    use MachineStatus as S;
    matches!(view.status, S::Running | S::Frozen | S::Starting | S::Stopping)
}

/// Whether the machine will run when the work is done.
fn turns_on(work: &UnderWay) -> bool {
    use OperationKind as K;
    let flag = |name: &str| work.params.get(name).and_then(Value::as_bool).unwrap_or_default();
    match work.kind {
        K::MachineStart | K::MachineRestart | K::MachineUnfreeze => true,
        K::MachineCreate => flag("start"),
        _ => flag(WAS_RUNNING),
    }
}

/// What a machine may use once the work is done, where that changes it.
fn limits_to_come(work: &UnderWay) -> Option<Limits> {
    (work.kind == OperationKind::MachineProfiles).then(|| limits_in(&work.params))
}

/// The limits among an operation's parameters.
fn limits_in(params: &Value) -> Limits {
    params.get(LIMITS).and_then(|limits| Limits::deserialize(limits).ok()).unwrap_or_default()
}

/// Of each the larger one. What nothing limits counts as nothing, here too.
fn larger(a: Limits, b: Limits) -> Limits {
    Limits {
        cpus: a.cpus.max(b.cpus),
        memory_bytes: a.memory_bytes.max(b.memory_bytes),
        disk_bytes: a.disk_bytes.max(b.disk_bytes),
    }
}

impl Vms {
    /// What a person may use and uses, for them to see.
    pub(crate) fn quota_view(&self, held: &Holdings) -> QuotaView {
        let quota = effective(held.user.as_ref(), &held.rules, self.parts.settings.quota);
        let used = used(&self.parts.fleet, held);
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        QuotaView {
            machines: MachineQuota { used: small(used.machines), limit: quota.machines.unwrap_or(u32::MAX) },
            running: quota.running,
            memory_bytes: quota.memory_bytes,
            cpus: quota.cpus,
            disk_bytes: quota.disk_bytes,
            snapshots_per_machine: quota.snapshots_per_machine,
            used: QuotaUse {
                running: small(used.running),
                memory_bytes: used.memory_bytes,
                cpus: small(used.cpus),
                disk_bytes: used.disk_bytes,
            },
        }
    }

    /// Lets in who has room for so much more.
    pub(crate) fn room_for(&self, asked: Amount) -> Admit {
        let (fleet, school) = (self.parts.fleet.clone(), self.parts.settings.quota);
        Box::new(move |held| {
            judge(&effective(held.user.as_ref(), &held.rules, school), used(&fleet, held), asked)
        })
    }

    /// What must be judged before a command to a machine begins; nothing for what takes nothing.
    pub(crate) fn admission(
        &self,
        kind: OperationKind,
        target: &MachineTarget,
        params: &Value,
    ) -> Option<Admit> {
        match kind {
            OperationKind::MachineProfiles => Some(self.room_for(self.growth(target, limits_in(params)))),
            OperationKind::MachineStart => Some(self.room_for(Amount { running: 1, ..Amount::default() })),
            OperationKind::SnapshotCreate => Some(self.room_for_snapshot(target.clone())),
            _ => None,
        }
    }

    /// What a machine will use more than now.
    fn growth(&self, target: &MachineTarget, to_come: Limits) -> Amount {
        let more = Amount::of_machine(&to_come, false);
        let now = self.held_by(target);
        Amount {
            memory_bytes: more.memory_bytes.saturating_sub(now.memory_bytes),
            cpus: more.cpus.saturating_sub(now.cpus),
            disk_bytes: more.disk_bytes.saturating_sub(now.disk_bytes),
            ..Amount::default()
        }
    }

    fn room_for_snapshot(&self, target: MachineTarget) -> Admit {
        let (vms, school) = (self.clone(), self.parts.settings.quota);
        Box::new(move |held| {
            let quota = effective(held.user.as_ref(), &held.rules, school);
            let taken = vms.seen(&target).map(|view| view.snapshots.len()).unwrap_or_default();
            let used = u64::try_from(taken).unwrap_or(u64::MAX);
            match quota.snapshots_per_machine.map(u64::from).filter(|allowed| used >= *allowed) {
                Some(allowed) => {
                    let resource = "snapshots_per_machine".into();
                    Err(QuotaShortage { resource, asked: 1, used, allowed })
                }
                None => Ok(()),
            }
        })
    }

    /// What a machine holds as the mirror shows it.
    pub(crate) fn held_by(&self, target: &MachineTarget) -> Amount {
        let view = self.seen(target);
        let limits = view.as_ref().map(|view| view.limits).unwrap_or_default();
        Amount::of_machine(&limits, view.is_some_and(|view| is_on(&view)))
    }

    /// A machine that may grow without limit cannot be counted against a quota that has one.
    pub(crate) fn refuse_unlimited(&self, held: &Holdings, limits: &Limits) -> Result<(), CoreError> {
        let quota = effective(held.user.as_ref(), &held.rules, self.parts.settings.quota);
        let unlimited = [
            ("memory", quota.memory_bytes.is_some() && limits.memory_bytes.is_none()),
            ("the number of CPUs", quota.cpus.is_some() && limits.cpus.is_none()),
            ("the disk", quota.disk_bytes.is_some() && limits.disk_bytes.is_none()),
        ];
        let errors: Vec<FieldError> = unlimited
            .into_iter()
            .filter(|(_, unlimited)| *unlimited)
            .map(|(what, _)| {
                let message = format!("does not limit {what}, and the quota does; choose one that does");
                FieldError::new("profile", "unlimited", message)
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(CoreError::Invalid(errors)) }
    }

    /// What each level allows: the school's configuration first, then groups and roles.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn quotas(
        &self,
        proof: &Allowed<AllOfFleet, ViewQuotas>,
    ) -> Result<Page<QuotaRule>, CoreError> {
        let quota = self.parts.settings.quota;
        let mut rules = vec![QuotaRule { scope: QuotaScope::School, subject: String::new(), quota }];
        rules.extend(self.parts.db.quotas(proof).await?);
        Ok(Page::whole(rules))
    }

    /// The storage pools of all servers, by server and name: which of them make a quota of disk more than a sum.
    #[must_use]
    pub fn storage_pools(&self, _proof: &Allowed<AllOfFleet, ViewQuotas>) -> Page<StoragePool> {
        let of_server = |server: &Arc<Server>| {
            let server = Arc::clone(server);
            server.pools().into_iter().map(move |pool| StoragePool {
                server: server.name().to_owned(),
                enforces_size: pool.enforces_size(),
                name: pool.name,
                driver: pool.driver,
            })
        };
        let mut pools: Vec<StoragePool> = self.parts.fleet.servers().flat_map(of_server).collect();
        pools.sort_by(|a, b| (&a.server, &a.name).cmp(&(&b.server, &b.name)));
        Page::whole(pools)
    }

    /// Says what a role or a group may use. It counts from the next request on; what is used stays.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for the school, which the configuration decides; a role or a group that can be none, or a
    /// number that is too large.
    pub async fn put_quota(
        &self,
        proof: &Allowed<AllOfFleet, ManageQuotas>,
        rule: QuotaRule,
    ) -> Result<QuotaRule, CoreError> {
        check_subject(rule.scope, &rule.subject)?;
        check_numbers("", &rule.quota)?;
        self.parts.db.put_quota(proof, rule.clone()).await?;
        Ok(rule)
    }

    /// Takes back what was said about a role or a group.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] when nothing was.
    pub async fn delete_quota(
        &self,
        proof: &Allowed<AllOfFleet, ManageQuotas>,
        scope: QuotaScope,
        subject: &str,
    ) -> Result<(), CoreError> {
        check_subject(scope, subject)?;
        Ok(self.parts.db.delete_quota(proof, scope, subject).await?)
    }
}

fn check_subject(scope: QuotaScope, subject: &str) -> Result<(), CoreError> {
    let valid = match scope {
        QuotaScope::School => return Err(CoreError::NotFound("quota")),
        QuotaScope::Role => Role::parse(subject).is_some(),
        QuotaScope::Group => {
            let length = subject.chars().count();
            (1..=MAX_SUBJECT).contains(&length) && !subject.contains(char::is_control)
        }
    };
    if valid { Ok(()) } else { Err(CoreError::invalid("subject", "unknown", "is no role or group")) }
}

/// The database holds numbers below 2⁶³. `field` stands before the number's own name in what is said.
pub(crate) fn check_numbers(field: &str, quota: &Quota) -> Result<(), CoreError> {
    let errors: Vec<FieldError> = [("memory_bytes", quota.memory_bytes), ("disk_bytes", quota.disk_bytes)]
        .into_iter()
        .filter(|(_, number)| number.is_some_and(|number| i64::try_from(number).is_err()))
        .map(|(name, _)| FieldError::new(&format!("{field}{name}"), "range", "must be less than 2^63"))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(CoreError::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn user(groups: &[&str], role: Role, quota: Quota) -> User {
        User {
            username: "bruno".into(),
            display_name: "Bruno".into(),
            email: None,
            groups: groups.iter().map(|&group| group.into()).collect(),
            directory_role: Role::Student,
            role_override: Some(role),
            disabled: false,
            quota,
            created_at: chrono::DateTime::UNIX_EPOCH,
            last_login_at: chrono::DateTime::UNIX_EPOCH,
            in_directory: true,
            directory_checked_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    fn rule(scope: QuotaScope, subject: &str, machines: Option<u32>, running: Option<u32>) -> QuotaRule {
        QuotaRule { scope, subject: subject.into(), quota: Quota { machines, running, ..Quota::default() } }
    }

    #[test]
    fn the_most_specific_level_decides_each_number() {
        let school = Quota { machines: Some(10), cpus: Some(4), ..Quota::default() };
        let rules = [
            rule(QuotaScope::Role, "student", Some(3), Some(2)),
            rule(QuotaScope::Role, "teacher", Some(20), None),
            rule(QuotaScope::Group, "turma-a", Some(5), None),
            rule(QuotaScope::Group, "turma-b", Some(4), Some(4)),
            // A group that is called like a role is no role.
            rule(QuotaScope::Group, "student", Some(99), Some(99)),
        ];
        let may = |groups: &[&str], role, own| {
            let quota = effective(Some(&user(groups, role, own)), &rules, school);
            (quota.machines, quota.running, quota.cpus)
        };
        let none = Quota::default();
        assert_eq!(may(&[], Role::Student, none), (Some(3), Some(2), Some(4)));
        assert_eq!(may(&[], Role::Teacher, none), (Some(20), None, Some(4)));
        assert_eq!(may(&[], Role::Admin, none), (Some(10), None, Some(4)));
        assert_eq!(may(&["turma-a"], Role::Student, none), (Some(5), Some(2), Some(4)));
        assert_eq!(may(&["turma-a", "turma-b"], Role::Teacher, none), (Some(5), Some(4), Some(4)));
        let own = Quota { machines: Some(0), cpus: Some(64), ..none };
        assert_eq!(may(&["turma-a"], Role::Student, own), (Some(0), Some(2), Some(64)));
        assert_eq!(effective(None, &rules, school), school);
    }

    #[test]
    fn only_what_is_asked_for_is_judged() {
        let quota = Quota { machines: Some(2), memory_bytes: Some(100), ..Quota::default() };
        let used = Amount { machines: 5, memory_bytes: 60, running: 5, ..Amount::default() };
        let run = Amount { running: 1, ..Amount::default() };
        assert_eq!(judge(&quota, used, run), Ok(()), "nothing limits it, though more machines than allowed");
        let grow = Amount { memory_bytes: 40, ..run };
        assert_eq!(judge(&quota, used, grow), Ok(()));
        let short = judge(&quota, used, Amount { memory_bytes: 41, ..run }).unwrap_err();
        assert_eq!(
            (short.resource.as_str(), short.asked, short.used, short.allowed),
            ("memory_bytes", 41, 60, 100)
        );
        let more = judge(&quota, used, Amount { machines: 1, ..Amount::default() }).unwrap_err();
        assert_eq!((more.resource.as_str(), more.used, more.allowed), ("machines", 5, 2));
    }

    #[test]
    fn a_number_that_no_column_holds_is_refused() {
        let quota = Quota { disk_bytes: Some(1 << 63), ..Quota::default() };
        assert!(
            matches!(check_numbers("quota.", &quota), Err(CoreError::Invalid(errors)) if errors.len() == 1)
        );
        assert!(
            check_subject(QuotaScope::Role, "king").is_err() && check_subject(QuotaScope::Group, "").is_err()
        );
    }
}
