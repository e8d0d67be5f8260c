//! What the login page shows before anyone has logged in (`GET /site`).

use serde::{Deserialize, Serialize};

/// The school's own words, from `[site]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Site {
    /// The system's name, as the school calls it.
    #[cfg_attr(feature = "openapi", schema(example = "Sistema de Máquinas Virtuais"))]
    pub title: String,
    /// The school.
    #[cfg_attr(feature = "openapi", schema(example = "Colégio Técnico Industrial de Santa Maria"))]
    pub institution: String,
    /// A paragraph of welcome.
    pub welcome: String,
    /// Where to ask for help: a mail address or a sentence.
    #[cfg_attr(feature = "openapi", schema(example = "suporte@escola.example"))]
    pub contact: String,
    /// The school's logo, if it configured one.
    pub logo_url: Option<String>,
    /// Languages of the pages; the first is the default.
    pub languages: Vec<String>,
    /// The running version of VMS.
    pub version: String,
}
