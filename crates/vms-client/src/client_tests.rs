//! The client against a transport that answers from memory: sessions, conditions, paths and problems.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use vms_types::{Problem, ProblemCode};

use super::*;

/// A server whose access tokens are `t0`, `t1`…; only the newest is good.
#[derive(Default)]
struct Memory {
    generation: AtomicUsize,
    refreshes: AtomicUsize,
    refresh_works: bool,
    seen: Mutex<Vec<HttpRequest>>,
}

impl Memory {
    fn answer(status: u16, body: impl Serialize) -> HttpResponse {
        HttpResponse { status, etag: Some("\"v1\"".to_owned()), body: serde_json::to_string(&body).unwrap() }
    }

    fn problem(code: ProblemCode) -> HttpResponse {
        Self::answer(code.status(), Problem::new(code, "from the test"))
    }
}

impl Transport for &Memory {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        self.seen.lock().unwrap().push(request.clone());
        // Lets other requests in between, as a network does.
        tokio::task::yield_now().await;
        if request.url.ends_with("/auth/refresh") {
            self.refreshes.fetch_add(1, Ordering::SeqCst);
            if !self.refresh_works {
                return Ok(Memory::problem(ProblemCode::SessionExpired));
            }
            let next = self.generation.fetch_add(1, Ordering::SeqCst) + 1;
            return Ok(Memory::answer(
                200,
                TokenResponse {
                    access_token: format!("t{next}"),
                    token_type: "Bearer".to_owned(),
                    expires_in: 900,
                },
            ));
        }
        let good = format!("Bearer t{}", self.generation.load(Ordering::SeqCst));
        if !request.headers.iter().any(|(name, value)| *name == "authorization" && *value == good) {
            return Ok(Memory::problem(ProblemCode::SessionExpired));
        }
        if request.headers.iter().any(|(name, value)| *name == "if-none-match" && value == "\"v1\"") {
            return Ok(HttpResponse { status: 304, etag: None, body: String::new() });
        }
        Ok(Memory::answer(200, Page::<Machine>::whole(Vec::new())))
    }
}

#[tokio::test]
async fn requests_that_fail_together_share_one_renewal() {
    let memory = Memory { refresh_works: true, generation: AtomicUsize::new(5), ..Memory::default() };
    let client = ApiClient::new(&memory, "http://vms.example/");
    client.set_token(Some("old".to_owned()));
    let query = MachineQuery::default();
    let (a, b, c) = futures::join!(
        client.machines(&query, None),
        client.machines(&query, None),
        client.machines(&query, None)
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(memory.refreshes.load(Ordering::SeqCst), 1);
    assert_eq!(client.token().as_deref(), Some("t6"));
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_is_reported_and_not_tried_again() {
    let memory = Memory::default();
    let client = ApiClient::new(&memory, "");
    let error = client.machines(&MachineQuery::default(), None).await.unwrap_err();
    assert!(error.is_session_ended(), "{error}");
    assert_eq!(memory.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let memory = Memory::default();
    let client = ApiClient::new(&memory, "");
    client.set_token(Some("t0".to_owned()));
    let query = MachineQuery { owner: Some("bruno & ana".to_owned()), ..MachineQuery::default() };
    let Conditional::Data { value, etag } = client.machines(&query, None).await.unwrap() else {
        unreachable!("no condition was sent")
    };
    assert!(value.items.is_empty());
    assert_eq!(client.machines(&query, etag.as_deref()).await.unwrap(), Conditional::NotModified);
    assert_eq!(memory.seen.lock().unwrap()[0].url, "/api/v1/machines?owner=bruno%20%26%20ana");
}

#[tokio::test]
async fn names_cannot_leave_their_path_segment() {
    let memory = Memory::default();
    let client = ApiClient::new(&memory, "");
    client.set_token(Some("t0".to_owned()));
    // The answer is of another type; only the path matters here.
    let _ = client.restore_snapshot("../me", "a/b?c").await;
    assert_eq!(memory.seen.lock().unwrap()[0].url, "/api/v1/machines/..%2Fme/snapshots/a%2Fb%3Fc/restore");
}

#[test]
fn an_answer_that_is_no_problem_says_what_was_asked() {
    let call = Call::new(Method::Get, "/me");
    let answer = HttpResponse { status: 502, etag: None, body: "<html>Bad Gateway</html>".to_owned() };
    let error = check(&call, answer).unwrap_err();
    assert!(error.is_passing());
    assert!(error.to_string().contains("GET /me"), "{error}");
}
