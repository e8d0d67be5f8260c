//! A tab of Chromium with an empty profile, and what the browser itself says (`performance`) of a visit in it: bytes and
//! moments are those of a person's browser.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use xtask::lab::Chromedriver;

/// What the pages keep in local storage so that a first visit does not ask for a session in vain
/// (`frontend/src/session.rs`).
const SESSION_HINT: &str = "localStorage.setItem('vms.session', '1');";

/// What the browser knows of the page now.
const COLLECT: &str = "
    const entry = (e) => ({ path: new URL(e.name).pathname, query: new URL(e.name).search, start: e.startTime, end: e.responseEnd,
        wire: e.encodedBodySize, raw: e.decodedBodySize });
    const [page] = performance.getEntriesByType('navigation');
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return { usable: window.vmsUsable, asked: window.vmsAsked, document: page.responseEnd,
        painted: paint ? paint.startTime : window.vmsUsable,
        nodes: document.querySelectorAll('*').length,
        files: [page, ...performance.getEntriesByType('resource')].map(entry) };";

/// What the browser says about a visit; times in ms since the navigation began.
#[derive(Debug, Clone, Deserialize)]
pub struct Visit {
    /// When what was waited for could be used.
    pub usable: f64,
    /// When it was begun to wait for.
    pub asked: f64,
    /// When anything was painted at all.
    pub painted: f64,
    /// When the document had come.
    pub document: f64,
    /// Elements of the page.
    pub nodes: u32,
    /// What was fetched.
    pub files: Vec<File>,
}

impl Visit {
    /// When the answer came that what is usable was made of: the first to `what`, the end of a path or the beginning of a
    /// query.
    ///
    /// # Errors
    /// When there is none.
    pub fn answered(&self, what: &str) -> Result<f64> {
        let named = |file: &File| {
            if what.contains('?') {
                format!("{}{}", file.path, file.query).contains(what)
            } else {
                file.path.ends_with(what)
            }
        };
        let fits = |file: &&File| {
            file.kind() == API && named(file) && file.start >= self.asked && file.end <= self.usable
        };
        let first = self.files.iter().filter(fits).map(|file| file.end).reduce(f64::min);
        first.with_context(|| format!("no answer of {what} was seen before the page was usable"))
    }
}

/// One thing that was fetched.
#[derive(Debug, Clone, Deserialize)]
pub struct File {
    /// The path of its address.
    pub path: String,
    /// What stands behind it, from the question mark on.
    query: String,
    /// When it was asked for.
    pub start: f64,
    /// When it had come.
    pub end: f64,
    /// Bytes of its body as sent.
    pub wire: u32,
    /// Bytes of its body unpacked.
    pub raw: u32,
}

/// The kind of what the API answers.
pub const API: &str = "API answers";

impl File {
    /// What it is, as a report calls it.
    pub fn kind(&self) -> &'static str {
        let ending = |text: &str| self.path.ends_with(text);
        match () {
            () if self.path.starts_with("/api/") => API,
            () if ending(".wasm") => "WebAssembly",
            () if ending(".js") => "JavaScript",
            () if ending(".css") => "style sheets",
            () if ending(".svg") || ending(".png") || ending(".ico") => "pictures",
            () => "document",
        }
    }
}

/// A tab of a browser of its own.
pub struct Tab {
    driver: WebDriver,
    url: String,
    hint: &'static str,
}

impl Tab {
    /// Opens it; with a session of `who`, and over a line of so many bytes a second each way and ms from request to answer.
    ///
    /// # Errors
    /// When there is no browser, or that person cannot log in.
    pub async fn open(
        chromedriver: &Chromedriver,
        url: &str,
        who: Option<&str>,
        limits: Option<(u32, u32)>,
    ) -> Result<Self> {
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in chromedriver.arguments()? {
            capabilities.add_arg(&argument)?;
        }
        capabilities.add_arg("--lang=pt-BR")?;
        let driver = WebDriver::new(chromedriver.url(), capabilities).await?;
        let hint = if who.is_some() { SESSION_HINT } else { "" };
        let tab = Self { driver, url: url.to_owned(), hint };
        let devtools = tab.driver.cdp();
        devtools.send_raw("Network.enable", json!({})).await?;
        if let Some(who) = who {
            let token = refresh_token(url, who).await?;
            let cookie = json!({ "name": "vms_refresh", "value": token, "url": format!("{url}/api/v1/auth"),
                "path": "/api/v1/auth", "httpOnly": true, "sameSite": "Strict" });
            devtools.send_raw("Network.setCookie", cookie).await?;
        }
        if let Some((bytes, latency)) = limits {
            let limits = json!({ "offline": false, "latency": latency, "downloadThroughput": bytes, "uploadThroughput": bytes });
            devtools.send_raw("Network.emulateNetworkConditions", limits).await?;
        }
        Ok(tab)
    }

    /// Goes to a path, and waits until what the selector finds can be used.
    ///
    /// # Errors
    /// When that takes half a minute.
    pub async fn go(&self, path: &str, selector: &str) -> Result<Visit> {
        let watch = include_str!("visit.js");
        let script = format!("{}{watch}window.vmsWatch({selector:?});", self.hint);
        let added = self
            .driver
            .cdp()
            .send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }))
            .await?;
        self.driver.goto(format!("{}{path}", self.url)).await?;
        let visit = self.usable().await;
        let identifier = json!({ "identifier": added.get("identifier") });
        self.driver.cdp().send_raw("Page.removeScriptToEvaluateOnNewDocument", identifier).await?;
        visit
    }

    /// Does something on the page by a script, and waits until what the selector finds can be used.
    ///
    /// # Errors
    /// When that takes half a minute.
    pub async fn act(&self, script: &str, selector: &str) -> Result<Visit> {
        let whole = format!("window.vmsWatch({selector:?}); {script}");
        self.driver.execute(whole, Vec::<Value>::new()).await?;
        self.usable().await
    }

    /// How many elements of the page a selector finds.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn count(&self, selector: &str) -> Result<u64> {
        let script = format!("return document.querySelectorAll({selector:?}).length");
        let found = self.driver.execute(script, Vec::<Value>::new()).await?;
        found.json().as_u64().context("not a number")
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(self) -> Result<()> {
        Ok(self.driver.quit().await?)
    }

    async fn usable(&self) -> Result<Visit> {
        for _ in 0..300 {
            let usable = self.driver.execute("return window.vmsUsable ?? null", Vec::<Value>::new()).await?;
            if usable.json().is_number() {
                let visit = self.driver.execute(COLLECT, Vec::<Value>::new()).await?;
                return Ok(serde_json::from_value(visit.json().clone())?);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the page was not usable within half a minute; it shows: {}", self.driver.source().await?)
    }
}

/// A session of its own for each tab: a refresh token serves once.
async fn refresh_token(url: &str, who: &str) -> Result<String> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let body = json!({ "username": who, "password": who });
    let answer = http.post(format!("{url}/api/v1/auth/login")).json(&body).send().await?;
    let cookie = answer.headers().get("set-cookie").context("no cookie came with the login")?.to_str()?;
    let (_, rest) = cookie.split_once('=').context("not a cookie")?;
    Ok(rest.split(';').next().unwrap_or_default().to_owned())
}
