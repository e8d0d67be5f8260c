//! An upload on its way from somebody's browser to the servers that shall have it.
//!
//! Nothing of it is kept: each piece goes into one short lane for each server, where the server's job takes it out and
//! hands it to LXD. The slowest of them decides how fast it goes. A lane whose sender goes away without having said that
//! this was the end breaks off, and LXD throws away what it has got so far.

use bytes::Bytes;
use futures::Stream;
use futures::stream;
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::vms::Vms;

/// Pieces that wait in a lane. A piece is what came in one read of the connection, at most some tens of KiB.
const PIECES: usize = 16;

/// What is said of an upload beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewUpload {
    /// The alias it shall have.
    pub alias: String,
    /// What it is, in words; the image's own words if absent.
    pub description: Option<String>,
    /// The alias may be another image's until now.
    pub replace: bool,
    /// The servers that shall have it; all if empty.
    pub servers: Vec<String>,
    /// The name of the file, to be shown.
    pub filename: String,
    /// What the bytes are: a unified tarball, or a form with the parts `metadata` and `rootfs`.
    pub content_type: String,
    /// How many bytes will come, where that is known.
    pub length: Option<u64>,
}

enum Piece {
    Bytes(Bytes),
    /// The upload is whole.
    End,
}

/// Where a job takes the pieces from.
#[derive(Debug)]
pub(crate) struct Lane(mpsc::Receiver<Piece>);

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bytes(_) => "Bytes",
            Self::End => "End",
        })
    }
}

impl Lane {
    /// The pieces; an error if they stop before the end.
    pub(crate) fn pieces(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        stream::unfold(Some(self.0), async |lane| {
            let mut lane = lane?;
            match lane.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(lane))),
                Some(Piece::End) => None,
                None => Some((Err(std::io::Error::other("the upload broke off")), None)),
            }
        })
    }
}

/// Where the pieces go in. Dropped before [`Upload::finish`], the upload is broken off.
pub struct Upload {
    vms: Vms,
    lanes: Vec<(Uuid, mpsc::Sender<Piece>)>,
    length: Option<u64>,
    sent: u64,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("lanes", &self.lanes.len())
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl Upload {
    pub(crate) fn new(vms: Vms, length: Option<u64>) -> Self {
        Self { vms, lanes: Vec::new(), length, sent: 0 }
    }

    /// One more server gets it.
    pub(crate) fn lane(&mut self, operation: Uuid) -> Lane {
        let (sender, receiver) = mpsc::channel(PIECES);
        self.lanes.push((operation, sender));
        Lane(receiver)
    }

    /// Hands a piece to every server, as soon as all of them can take it. One whose job has ended gets no more.
    pub async fn send(&mut self, bytes: Bytes) {
        let mut open = Vec::with_capacity(self.lanes.len());
        self.sent = self.sent.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let percent = self.percent();
        for (operation, lane) in std::mem::take(&mut self.lanes) {
            if lane.send(Piece::Bytes(bytes.clone())).await.is_ok() {
                if let Some(percent) = percent {
                    self.vms.parts.jobs.progress(operation, percent);
                }
                open.push((operation, lane));
            }
        }
        self.lanes = open;
    }

    /// That was all of it.
    pub async fn finish(self) {
        for (_, lane) in self.lanes {
            // A job that has ended needs no more.
            drop(lane.send(Piece::End).await);
        }
    }

    fn percent(&self) -> Option<u8> {
        let percent = self.sent.saturating_mul(100).checked_div(self.length?)?;
        u8::try_from(percent.min(100)).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::StreamExt as _;

    use super::*;

    fn lane() -> (mpsc::Sender<Piece>, Lane) {
        let (sender, receiver) = mpsc::channel(PIECES);
        (sender, Lane(receiver))
    }

    #[tokio::test]
    async fn what_ends_is_told_from_what_breaks_off() {
        let (sender, whole) = lane();
        sender.send(Piece::Bytes("abc".into())).await.unwrap();
        sender.send(Piece::End).await.unwrap();
        drop(sender);
        let pieces: Vec<_> = whole.pieces().map(Result::unwrap).collect().await;
        assert_eq!(pieces, [Bytes::from("abc")]);

        let (sender, broken) = lane();
        sender.send(Piece::Bytes("abc".into())).await.unwrap();
        drop(sender);
        let pieces: Vec<_> = broken.pieces().collect().await;
        assert!(matches!(pieces.as_slice(), [Ok(_), Err(_)]), "{pieces:?}");
    }
}
