//! Uploads from the browser (`XMLHttpRequest`): `fetch` cannot tell how much has gone out.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use vms_types::{API_PREFIX, Operation, Page};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Blob, FormData, ProgressEvent, XmlHttpRequest};

use crate::client::{ApiClient, read_answer};
use crate::error::ClientError;
use crate::fetch::FetchTransport;
use crate::images::UploadQuery;
use crate::transport::{HttpResponse, Method};

/// What is uploaded.
#[derive(Debug, Clone)]
pub enum ImageFiles {
    /// One tarball with metadata and root file system.
    Unified(Blob),
    /// The two halves of a split image.
    Split {
        /// The tarball with `metadata.yaml`.
        metadata: Blob,
        /// The root file system.
        rootfs: Blob,
    },
}

/// Ends the upload it belongs to when it is asked to, and does nothing once that has ended.
#[derive(Debug, Clone, Default)]
pub struct Abort(Rc<RefCell<Option<XmlHttpRequest>>>);

impl Abort {
    /// Breaks the upload off.
    pub fn abort(&self) {
        // Taken out first: the request tells of its end at once.
        let request = self.0.borrow_mut().take();
        // An ended request has nothing left to break off.
        let _ = request.map(|request| request.abort());
    }
}

impl ApiClient<FetchTransport> {
    /// `POST /images`: tells `progress` the percentage as the bytes go out, until it has ended or `abort` breaks it off.
    ///
    /// # Errors
    /// `forbidden`, `name-taken`, `validation-failed`, `payload-too-large`…; [`ClientError::Network`] when broken off.
    pub async fn upload_image(
        &self,
        query: &UploadQuery,
        files: ImageFiles,
        abort: &Abort,
        progress: impl Fn(u32) + 'static,
    ) -> Result<Page<Operation>, ClientError> {
        // Renews a session that has ended meanwhile: what is sent twice would be megabytes.
        self.me().await?;
        let path = query.path();
        let broken = |_| ClientError::Network("the upload could not be sent".into());
        let request = XmlHttpRequest::new().map_err(broken)?;
        request.open("POST", &format!("{API_PREFIX}{path}")).map_err(broken)?;
        request.set_request_header("accept", "application/json, application/problem+json").map_err(broken)?;
        let token = self.token().unwrap_or_default();
        request.set_request_header("authorization", &format!("Bearer {token}")).map_err(broken)?;
        let on_progress = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
            let (sent, total) = (event.loaded(), event.total());
            let percent = (1..=100).rev().find(|percent| f64::from(*percent) * total <= sent * 100.0);
            progress(percent.unwrap_or(0));
        });
        let upload = request.upload().map_err(broken)?;
        upload.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
        let (tell, ended) = oneshot::channel();
        let on_end = Closure::once(move |_: ProgressEvent| {
            // Nobody waits any more when the page was left.
            let _ = tell.send(());
        });
        request.set_onloadend(Some(on_end.as_ref().unchecked_ref()));
        *abort.0.borrow_mut() = Some(request.clone());
        send(&request, files).map_err(broken)?;
        // Not heard of any more only when the page was left.
        let _ = ended.await;
        request.set_onloadend(None);
        upload.set_onprogress(None);
        *abort.0.borrow_mut() = None;
        let status = request.status().unwrap_or_default();
        if status == 0 {
            return Err(ClientError::Network("the upload broke off".into()));
        }
        let body = request.response_text().ok().flatten().unwrap_or_default();
        read_answer(Method::Post, &path, HttpResponse { status, etag: None, body })
    }
}

fn send(request: &XmlHttpRequest, files: ImageFiles) -> Result<(), wasm_bindgen::JsValue> {
    match files {
        ImageFiles::Unified(blob) => {
            request.set_request_header("content-type", "application/octet-stream")?;
            request.send_with_opt_blob(Some(&blob))
        }
        ImageFiles::Split { metadata, rootfs } => {
            let form = FormData::new()?;
            form.append_with_blob_and_filename("metadata", &metadata, "metadata")?;
            form.append_with_blob_and_filename("rootfs", &rootfs, "rootfs")?;
            request.send_with_opt_form_data(Some(&form))
        }
    }
}
