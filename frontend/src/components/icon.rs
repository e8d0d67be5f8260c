//! Line icons, drawn here so that no file is fetched. They say nothing to a screen reader: the word beside them does.

use leptos::prelude::*;

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glyph {
    Alert,
    Camera,
    Chart,
    Check,
    Chevron,
    Close,
    Copy,
    Desktop,
    Download,
    Logout,
    Moon,
    More,
    Pause,
    Pencil,
    Play,
    Plus,
    Power,
    Question,
    Restart,
    Restore,
    Ring,
    Server,
    Spinner,
    Sun,
    Trash,
    Dot,
}

impl Glyph {
    /// The path in a square of 24, as strokes.
    const fn path(self) -> &'static str {
        match self {
            Self::Alert => "M12 4 2.8 19.5h18.4L12 4zM12 10v4.5M12 17.2v.1",
            Self::Camera => "M4 8h3l2-3h6l2 3h3v11H4V8zM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z",
            Self::Chart => "M4 4v16h16M8 15l4-5 3 3 4-6",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Chevron => "M9 6l6 6-6 6",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Copy => "M9 9h10v11H9zM5 15V4h10",
            Self::Desktop => "M3 5h18v11H3zM9 20h6M12 16v4",
            Self::Download => "M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14",
            Self::Logout => "M14 4H5v16h9M10 12h11M17.5 8.5 21 12l-3.5 3.5",
            Self::Moon => "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
            Self::More => "M5.5 12h.1M12 12h.1M18.5 12h.1",
            Self::Pause => "M9 6v12M15 6v12",
            Self::Pencil => "M4 20h4L19.5 8.5l-4-4L4 16v4z",
            Self::Play => "M8 5.5v13l10-6.5-10-6.5z",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Power => "M12 3.5v8M7 6.5a7.5 7.5 0 1 0 10 0",
            Self::Question => "M9 9a3 3 0 1 1 4.5 2.6c-.9.5-1.5 1.2-1.5 2.4M12 17.5v.1",
            Self::Restart => "M19.5 12A7.5 7.5 0 1 1 17 6.4M17.5 2.5v4.3h-4.3",
            Self::Restore => "M4.5 12A7.5 7.5 0 1 0 7 6.4M6.5 2.5v4.3h4.3M12 8v4.3l2.8 1.7",
            Self::Ring => "M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14z",
            Self::Server => "M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.1M7.5 16h.1",
            Self::Spinner => "M12 4a8 8 0 1 1-8 8",
            Self::Sun => {
                "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4\
                 M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"
            }
            Self::Trash => "M5 7h14M9.5 7V4h5v3M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5",
            Self::Dot => "M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z",
        }
    }
}

/// One icon, as large as the text beside it.
#[component]
pub(crate) fn Icon(glyph: Glyph) -> impl IntoView {
    let class = match glyph {
        Glyph::Dot => "icon filled",
        Glyph::Spinner => "icon spinning",
        _ => "icon",
    };
    view! {
        <svg class=class viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=glyph.path()></path></svg>
    }
}
