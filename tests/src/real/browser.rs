//! Real Chromium, driven as a person would: things are found by their `data-testid`, waited for, and then used.
//!
//! Nothing here sleeps for luck: whatever the page needs a moment for is asked again until it is so, and a click that
//! the page was not ready for is tried again.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use thirtyfour::common::types::ElementId;
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, LoggingPrefsLogLevel};
use xtask::lab::Chromedriver;

use super::eventually;

/// How long the page may take for anything that needs no machine to do something.
const PAGE: Duration = Duration::from_secs(15);

/// What a browser is opened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// 1280 × 800.
    Desktop,
    /// 360 × 780, touch: the narrowest that the pages promise to fit.
    Phone,
}

/// Light or dark, as the person's system says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// One browser with an empty profile. Fields are dropped in this order.
#[derive(Debug)]
pub struct Browser {
    /// For what has no helper here.
    pub driver: WebDriver,
    url: String,
    _chromedriver: Chromedriver,
}

impl Browser {
    /// Opens the pages of the server at `url` in a new browser that speaks Portuguese.
    ///
    /// # Errors
    /// When Chromium does not start.
    pub async fn open(url: &str) -> Result<Self> {
        // The WebDriver client insists on a TLS provider even for plain HTTP; a second installation is refused.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let chromedriver = Chromedriver::start()?;
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in chromedriver.arguments()? {
            capabilities.add_arg(&argument)?;
        }
        capabilities.add_arg("--lang=pt-BR")?;
        capabilities.add_arg("--force-color-profile=srgb")?;
        capabilities.add_experimental_option("prefs", json!({ "intl.accept_languages": "pt-BR,pt" }))?;
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let driver = WebDriver::new(chromedriver.url(), capabilities).await?;
        let browser = Self { driver, url: url.to_owned(), _chromedriver: chromedriver };
        browser.screen(Screen::Desktop).await;
        browser.scheme(Scheme::Light).await;
        browser.driver.goto(url).await?;
        Ok(browser)
    }

    /// Ends the browser in order.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn close(self) {
        self.driver.quit().await.unwrap();
    }

    /// The first page again.
    ///
    /// # Panics
    /// When the page does not load.
    pub async fn home(&self) {
        self.driver.goto(&self.url).await.unwrap();
    }

    /// Another size of screen.
    ///
    /// # Panics
    /// When the browser refuses it.
    pub async fn screen(&self, screen: Screen) {
        let (width, height, phone) = match screen {
            Screen::Desktop => (1280, 800, false),
            Screen::Phone => (360, 780, true),
        };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": phone });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Light or dark. What moves stands still, so that a picture never shows the middle of a transition.
    ///
    /// # Panics
    /// When the browser refuses it.
    pub async fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// One command of the DevTools protocol.
    ///
    /// # Panics
    /// When the browser refuses it.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.driver
            .cdp()
            .send_raw(method, parameters)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What a script in the page gives.
    ///
    /// # Panics
    /// When the script fails.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver
            .execute(script, arguments)
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    /// Everything with that test id which is to be seen.
    pub async fn all(&self, test_id: &str) -> Vec<WebElement> {
        self.visible(&format!("[data-testid='{test_id}']")).await
    }

    async fn visible(&self, selector: &str) -> Vec<WebElement> {
        let mut shown = Vec::new();
        for element in self.driver.find_all(By::Css(selector)).await.unwrap_or_default() {
            // An element that vanished in the meantime is not to be seen.
            if element.is_displayed().await.unwrap_or(false) {
                shown.push(element);
            }
        }
        shown
    }

    /// The one visible thing with that test id.
    pub async fn one(&self, test_id: &str) -> WebElement {
        self.the(&format!("[data-testid='{test_id}']")).await
    }

    /// The one visible thing that a CSS selector finds.
    pub async fn the(&self, selector: &str) -> WebElement {
        eventually(&format!("one visible {selector}"), PAGE, async || {
            let mut found = self.visible(selector).await;
            match found.len() {
                1 => found.pop().ok_or_else(String::new),
                count => Err(format!("{count} of them, in: {}", self.text().await)),
            }
        })
        .await
    }

    /// The thing with that test id in the row of that instance.
    pub async fn in_row(&self, instance: &str, test_id: &str) -> WebElement {
        self.the(&format!("{} [data-testid='{test_id}']", row(instance))).await
    }

    /// Clicks a thing with that test id.
    pub async fn click(&self, test_id: &str) {
        self.press(&format!("[data-testid='{test_id}']")).await;
    }

    /// Clicks a thing in the row of an instance.
    pub async fn click_in_row(&self, instance: &str, test_id: &str) {
        self.press(&format!("{} [data-testid='{test_id}']", row(instance))).await;
    }

    /// Chooses in a select as a person would.
    pub async fn choose(&self, test_id: &str, value: &str) {
        self.press(&format!("[data-testid='{test_id}'] option[value='{value}']")).await;
    }

    /// Clicks what a CSS selector finds as soon as it can be clicked: a button that is not enabled yet is no button to a
    /// person.
    pub async fn press(&self, selector: &str) {
        eventually(&format!("a click on {selector}"), PAGE, async || {
            let found = self.visible(selector).await;
            let [element] = found.as_slice() else { return Err(format!("{} of them", found.len())) };
            if !element.is_enabled().await.unwrap_or(false) {
                return Err("it is not enabled".to_owned());
            }
            element.click().await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// Chooses from a row's menu, which it opens.
    pub async fn from_menu(&self, instance: &str, test_id: &str) {
        eventually(&format!("{test_id} in the menu of {instance}"), PAGE, async || {
            if self.all(test_id).await.is_empty() {
                self.click_in_row(instance, "menu").await;
            }
            match self.all(test_id).await.as_slice() {
                [item] if item.is_enabled().await.unwrap_or(false) => {
                    item.click().await.map_err(|error| error.to_string())
                }
                other => Err(format!("{} of them", other.len())),
            }
        })
        .await;
    }

    /// Types into an empty field.
    ///
    /// # Panics
    /// When it is no field.
    pub async fn fill(&self, test_id: &str, text: &str) {
        let field = self.one(test_id).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
        assert_eq!(field.value().await.unwrap().unwrap_or_default(), text, "{test_id}");
    }

    /// Presses keys wherever the focus is.
    ///
    /// # Panics
    /// When the browser refuses it.
    pub async fn keys(&self, keys: impl AsRef<str>) {
        self.driver.action_chain().send_keys(keys.as_ref()).perform().await.unwrap();
    }

    /// The test id of what has the focus; empty if it has none.
    pub async fn focused(&self) -> String {
        let script = "return document.activeElement?.closest('[data-testid]')?.dataset.testid ?? ''";
        self.script(script, Vec::new()).await.as_str().unwrap_or_default().to_owned()
    }

    /// Whether the focus is on an element that matches the selector.
    pub async fn has_focus(&self, selector: &str) -> bool {
        self.script("return document.activeElement?.matches(arguments[0]) ?? false", vec![selector.into()])
            .await
            == Value::Bool(true)
    }

    /// Waits until a thing's text is as wanted.
    pub async fn reads(&self, test_id: &str, wanted: impl Fn(&str) -> bool) {
        let selector = format!("[data-testid='{test_id}']");
        self.selector_reads(&selector, wanted, PAGE).await;
    }

    /// Waits until a thing in a row reads as wanted; `patience` is for what the machine has to do first.
    pub async fn row_reads(
        &self,
        instance: &str,
        test_id: &str,
        wanted: impl Fn(&str) -> bool,
        patience: Duration,
    ) {
        let selector = format!("{} [data-testid='{test_id}']", row(instance));
        self.selector_reads(&selector, wanted, patience).await;
    }

    async fn selector_reads(&self, selector: &str, wanted: impl Fn(&str) -> bool, patience: Duration) {
        eventually(&format!("the text of {selector}"), patience, async || {
            let mut texts = Vec::new();
            for element in self.visible(selector).await {
                texts.push(element.text().await.unwrap_or_default());
            }
            if texts.iter().any(|text| wanted(text)) { Ok(()) } else { Err(format!("{texts:?}")) }
        })
        .await;
    }

    /// Waits until a row shows that status.
    pub async fn status(&self, instance: &str, wanted: &str, patience: Duration) {
        eventually(&format!("{instance} to be {wanted}"), patience, async || {
            let seen = self.script(
                "return document.querySelector(arguments[0])?.dataset.status ?? 'no row'",
                vec![row(instance).into()],
            );
            let seen = seen.await;
            if seen == wanted { Ok(()) } else { Err(seen.to_string()) }
        })
        .await;
    }

    /// The instances of the rows, in their order.
    pub async fn rows(&self) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll('[data-testid=machine-row]')].map(r => r.dataset.instance)";
        serde_json::from_value(self.script(script, Vec::new()).await).unwrap_or_default()
    }

    /// Whether the page can be moved sideways: the sign of something that does not fit.
    pub async fn overflows(&self) -> bool {
        let script = "const e = document.scrollingElement; return e.scrollWidth > e.clientWidth";
        self.script(script, Vec::new()).await == Value::Bool(true)
    }

    /// All the text of the page.
    pub async fn text(&self) -> String {
        self.script("return document.body?.innerText ?? ''", Vec::new())
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What the console complained about since the last time, but for what `expected` knows.
    ///
    /// # Panics
    /// When the log cannot be read.
    pub async fn complaints(&self, expected: impl Fn(&BrowserLogEntry) -> bool) -> Vec<String> {
        let entries = self.driver.browser_log().await.unwrap();
        let bad = entries.iter().filter(|entry| ["SEVERE", "WARNING"].contains(&entry.level.as_str()));
        bad.filter(|entry| !expected(entry))
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }

    /// A picture of what is to be seen, when the file is missing or the environment asks for new ones.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn picture(&self, file: &Path) {
        if file.exists() && std::env::var_os("VMS_UPDATE_SCREENSHOTS").is_none() {
            return;
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        self.driver.screenshot(file).await.unwrap();
    }

    /// The identity of an element: it stays while the page keeps the element, and changes when it makes a new one.
    pub async fn identity(&self, instance: &str) -> ElementId {
        self.the(&row(instance)).await.element_id()
    }
}

/// The selector of an instance's row.
fn row(instance: &str) -> String {
    format!("[data-testid='machine-row'][data-instance='{instance}']")
}
