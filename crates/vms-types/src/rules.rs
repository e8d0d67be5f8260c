//! Rules that the server enforces and the pages show: one place, so that a button and its command never disagree.

use crate::machine::{MachineStatus, PowerAction};

/// Something that can be asked of a machine that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `PUT …/state`.
    Power(PowerAction),
    /// `POST …/reset`.
    Reset,
    /// `PATCH /machines/{machine}` with `profiles`.
    ChangeProfiles,
    /// `DELETE /machines/{machine}`.
    Delete,
    /// `POST …/snapshots`.
    CreateSnapshot,
    /// `PATCH …/snapshots/{snapshot}`.
    RenameSnapshot,
    /// `POST …/snapshots/{snapshot}/restore`.
    RestoreSnapshot,
    /// `DELETE …/snapshots/{snapshot}`.
    DeleteSnapshot,
    /// `POST /images/publish` of the machine itself.
    Publish,
    /// `POST /images/publish` of one of its snapshots.
    PublishSnapshot,
}

/// Whether a machine in `status` can take `command`. A machine with an operation in flight takes none
/// (its status is then one of the passing ones, or the server answers `machine-busy`).
#[must_use]
pub const fn allows(status: MachineStatus, command: Command) -> bool {
    use MachineStatus as S;
    match command {
        Command::Power(PowerAction::Start) => matches!(status, S::Stopped | S::Error),
        Command::Power(PowerAction::Stop | PowerAction::Restart) => matches!(status, S::Running | S::Error),
        Command::Power(PowerAction::Freeze) => matches!(status, S::Running),
        Command::Power(PowerAction::Unfreeze) => matches!(status, S::Frozen),
        // A machine whose instance is gone can still be taken off the list.
        Command::Delete => matches!(status, S::Running | S::Stopped | S::Frozen | S::Error | S::Unknown),
        // A paused machine cannot take interfaces in.
        Command::ChangeProfiles => matches!(status, S::Running | S::Stopped | S::Error),
        // What is written to meanwhile would be half of it in the image.
        Command::Publish => matches!(status, S::Stopped),
        Command::PublishSnapshot
        | Command::Reset
        | Command::CreateSnapshot
        | Command::RenameSnapshot
        | Command::RestoreSnapshot
        | Command::DeleteSnapshot => matches!(status, S::Running | S::Stopped | S::Frozen | S::Error),
    }
}

/// Whether the status is a passing one: something is under way and the next look will differ.
#[must_use]
pub const fn is_passing(status: MachineStatus) -> bool {
    use MachineStatus as S;
    matches!(status, S::Creating | S::Starting | S::Stopping | S::Restoring | S::Migrating | S::Deleting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_status_takes_no_command() {
        let commands = [
            Command::Power(PowerAction::Start),
            Command::Power(PowerAction::Stop),
            Command::Power(PowerAction::Restart),
            Command::Power(PowerAction::Freeze),
            Command::Power(PowerAction::Unfreeze),
            Command::Reset,
            Command::ChangeProfiles,
            Command::Delete,
            Command::CreateSnapshot,
            Command::RenameSnapshot,
            Command::RestoreSnapshot,
            Command::DeleteSnapshot,
            Command::Publish,
            Command::PublishSnapshot,
        ];
        for status in MachineStatus::ALL.into_iter().filter(|s| is_passing(*s)) {
            for command in commands {
                assert!(!allows(status, command), "{status:?} took {command:?}");
            }
        }
    }

    #[test]
    fn power_follows_the_state() {
        assert!(allows(MachineStatus::Stopped, Command::Power(PowerAction::Start)));
        assert!(!allows(MachineStatus::Running, Command::Power(PowerAction::Start)));
        assert!(allows(MachineStatus::Running, Command::Power(PowerAction::Stop)));
        assert!(!allows(MachineStatus::Stopped, Command::Power(PowerAction::Stop)));
        assert!(allows(MachineStatus::Frozen, Command::Power(PowerAction::Unfreeze)));
        assert!(allows(MachineStatus::Unknown, Command::Delete));
    }
}
