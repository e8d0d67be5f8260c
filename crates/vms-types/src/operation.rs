//! Operations: what became of a command after the connection was closed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A command that was handed over (`GET /operations/{id}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Identity.
    pub id: Uuid,
    /// What is being done.
    pub kind: OperationKind,
    /// How far it is.
    pub status: OperationStatus,
    /// Percent done, where LXD tells (0 to 100).
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub progress: Option<u8>,
    /// What it is doing now, in words.
    #[cfg_attr(feature = "openapi", schema(example = "Creating the machine from its image"))]
    pub message: String,
    /// The machine it is about.
    pub machine: Option<MachineRef>,
    /// The alias of the image it is about, or the beginning of its fingerprint.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = "debian-12"))]
    pub image: Option<String>,
    /// The login name of the person who asked.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub requested_by: String,
    /// The server that does the work.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<OperationError>,
}

/// The machine an operation is about. It may be gone by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineRef {
    /// Identity.
    pub id: Uuid,
    /// The name its owner gave it.
    #[cfg_attr(feature = "openapi", schema(example = "maquinaa"))]
    pub name: String,
    /// LXD's name for it.
    #[cfg_attr(feature = "openapi", schema(example = "vmbrunomaquinaa"))]
    pub instance: String,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationError {
    /// A stable word, as in problems.
    #[cfg_attr(feature = "openapi", schema(example = "server-error"))]
    pub code: String,
    /// What the server said.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "Failed creating instance from image: no space left on device")
    )]
    pub message: String,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OperationStatus {
    /// Written down, not yet handed to LXD.
    Pending,
    /// LXD is at it.
    Running,
    /// Done.
    Succeeded,
    /// Not done; `error` says why.
    Failed,
    /// Stopped on request.
    Cancelled,
    /// Its end could not be learned, for example after a power cut.
    Unknown,
}

impl OperationStatus {
    /// The word used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`OperationStatus::as_str`] back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Unknown]
            .into_iter()
            .find(|status| status.as_str() == word)
    }

    /// Whether it has an end.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

// `tt` and not `literal`: the OpenAPI derive does not look into a captured literal.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:tt,)*) => {
        /// What an operation does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum OperationKind {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl OperationKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

kinds! {
    /// A machine is made from an image.
    MachineCreate = "machine.create",
    /// A machine is turned on.
    MachineStart = "machine.start",
    /// A machine is turned off.
    MachineStop = "machine.stop",
    /// A machine is turned off and on.
    MachineRestart = "machine.restart",
    /// A machine is paused.
    MachineFreeze = "machine.freeze",
    /// A paused machine goes on.
    MachineUnfreeze = "machine.unfreeze",
    /// A machine becomes again what its image made it.
    MachineReset = "machine.reset",
    /// A machine gets other profiles.
    MachineProfiles = "machine.profiles",
    /// A machine is removed with its snapshots.
    MachineDelete = "machine.delete",
    /// A snapshot is taken.
    SnapshotCreate = "snapshot.create",
    /// A snapshot gets another name.
    SnapshotRename = "snapshot.rename",
    /// A machine goes back to a snapshot.
    SnapshotRestore = "snapshot.restore",
    /// A snapshot is removed.
    SnapshotDelete = "snapshot.delete",
    /// An image is uploaded, or fetched from another image server.
    ImageImport = "image.import",
    /// A machine or a snapshot becomes an image.
    ImagePublish = "image.publish",
    /// An image is brought up to date from where it came.
    ImageRefresh = "image.refresh",
    /// An image is removed.
    ImageDelete = "image.delete",
}

impl OperationKind {
    /// Reads [`OperationKind::as_str`] back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Whether it is about an image, which is nobody's own.
    #[must_use]
    pub const fn is_of_image(self) -> bool {
        matches!(self, Self::ImageImport | Self::ImagePublish | Self::ImageRefresh | Self::ImageDelete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_every_kind_is_what_serde_writes() {
        for kind in OperationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(OperationKind::parse(kind.as_str()), Some(*kind));
        }
    }

    #[cfg(feature = "openapi")]
    #[test]
    fn the_document_has_the_words_of_the_wire() {
        use utoipa::PartialSchema as _;
        let schema = serde_json::to_value(OperationKind::schema()).unwrap();
        let words: Vec<_> = OperationKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(schema["enum"], serde_json::to_value(words).unwrap());
    }
}
