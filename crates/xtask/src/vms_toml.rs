//! The configuration that the demo and the lab write for the server: every key that matters, with a comment.

use std::path::{Path, PathBuf};

/// What differs from one configuration to the other.
#[derive(Debug, Clone)]
pub struct VmsToml<'a> {
    /// Port of 127.0.0.1 that the server listens on.
    pub port: u16,
    /// The built pages; `None` when a frontend developer serves them with trunk.
    pub static_dir: Option<PathBuf>,
    /// Name and endpoint of the LXD server.
    pub lxd: (&'a str, String),
    /// The `[directory]` section.
    pub directory: String,
    /// Where the database and the signing key lie.
    pub state: &'a Path,
    /// The image and the profile that a machine gets when nobody says which; `None` leaves it to the server.
    pub defaults: Option<(&'a str, &'a str)>,
}

impl VmsToml<'_> {
    /// The text of the file.
    pub fn text(&self) -> String {
        let (name, endpoint) = &self.lxd;
        let port = self.port;
        let origin = format!("http://127.0.0.1:{port}");
        let http = toml::toml! {
            [http]
            listen = ""
            public_url = ""
        };
        let mut whole = http;
        let mut set = |section: &str, key: &str, value: toml::Value| {
            let table = whole.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(table) = table {
                table.insert(key.to_owned(), value);
            }
        };
        set("http", "listen", format!("127.0.0.1:{port}").into());
        set("http", "public_url", origin.clone().into());
        // The pages may be opened under both names of this machine, and by `trunk serve`.
        let origins = [
            origin,
            format!("http://localhost:{port}"),
            "http://127.0.0.1:8081".to_owned(),
            "http://localhost:8081".to_owned(),
        ];
        set("http", "allowed_origins", origins.to_vec().into());
        if let Some(dir) = &self.static_dir {
            set("http", "static_dir", dir.display().to_string().into());
        }
        set("site", "title", "Sistema de Máquinas Virtuais".into());
        set("site", "institution", "Escola Exemplo".into());
        set("site", "welcome", WELCOME.into());
        set("site", "contact", "suporte@escola.example".into());
        set("site", "default_language", "pt-BR".into());
        set("database", "url", format!("sqlite://{}", self.state.join("vms.db").display()).into());
        set("quota", "machines", 10.into());
        set("tokens", "signing_key_file", self.state.join("signing-key.pem").display().to_string().into());
        set("log", "level", "info".into());
        if let Some((image, profile)) = self.defaults {
            set("machines", "default_image", image.into());
            set("machines", "default_profile", profile.into());
        }
        let mut lxd = toml::Table::new();
        lxd.insert("name".to_owned(), (*name).into());
        lxd.insert("endpoint".to_owned(), endpoint.clone().into());
        whole.insert("lxd".to_owned(), vec![toml::Value::Table(lxd)].into());
        format!("{whole}\n{}", self.directory)
    }
}

const WELCOME: &str = "Aqui você cria e administra as suas próprias máquinas Linux, com acesso total, direto do \
                       navegador. Entre com o mesmo usuário e a mesma senha da escola.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_toml_with_all_sections() {
        let text = VmsToml {
            port: 8080,
            static_dir: Some("/x/dist".into()),
            lxd: ("lab", "unix:///x/unix.socket".to_owned()),
            directory: "[directory]\nurl = \"ldap://127.0.0.1:1\"\n".to_owned(),
            state: Path::new("/x"),
            defaults: Some(("busybox", "default")),
        }
        .text();
        let parsed: toml::Table = text.parse().unwrap();
        for section in ["http", "site", "database", "directory", "lxd", "machines", "quota", "tokens", "log"]
        {
            assert!(parsed.contains_key(section), "{section} is missing in:\n{text}");
        }
    }
}
