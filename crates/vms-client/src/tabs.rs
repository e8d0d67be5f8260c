//! One tab at a time: the Web Locks API (`navigator.locks`).
//!
//! All tabs of a browser share the refresh cookie, and each use of it replaces it. Two tabs that renew at the same moment
//! would send the same one twice, which looks like theft and ends the session. So a renewal holds a lock that the
//! browser gives to one tab after the other; whoever comes second sends the cookie that the first one got.

use futures::channel::oneshot;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

/// Name of the lock, for the whole origin.
const NAME: &str = "vms.renewal";

/// The lock. Dropping it lets the next tab go on.
pub(crate) struct TabLock {
    release: Function,
    /// Called by the browser once; kept until then.
    _granted: Closure<dyn FnMut(JsValue) -> JsValue>,
}

impl TabLock {
    /// Waits for the lock. `None` where the browser has no such thing (a page that is not on https or localhost).
    pub(crate) async fn take() -> Option<Self> {
        let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
        let locks = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let mut release = None;
        // The browser holds the lock until this promise is kept.
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let (tell, granted) = oneshot::channel();
        let mut tell = Some(tell);
        let on_granted = Closure::new(move |_lock: JsValue| {
            if let Some(tell) = tell.take() {
                // Whoever asked may be gone; then the lock is released with the closure's owner.
                let _ = tell.send(());
            }
            JsValue::from(held.clone())
        });
        request.call2(&locks, &NAME.into(), on_granted.as_ref().unchecked_ref()).ok()?;
        let lock = Self { release: release?, _granted: on_granted };
        granted.await.ok()?;
        Some(lock)
    }
}

impl Drop for TabLock {
    fn drop(&mut self) {
        // Keeping a promise cannot fail.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}
