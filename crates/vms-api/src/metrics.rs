//! `/metrics`: what Prometheus reads, for those addresses that may; and what is counted of the requests to us.
//!
//! Requests are counted by the template of their route, so that the number of series does not grow with the number of
//! machines, and no name stands in a label.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use ipnet::IpNet;
use metrics::{Gauge, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use serde::Deserialize;

use crate::context::client_address;
use crate::error::ApiError;
use crate::state::AppState;

const REQUESTS: &str = "vms_http_requests_total";
const DURATION: &str = "vms_http_request_duration_seconds";
const IN_FLIGHT: &str = "vms_http_requests_in_flight";
const PROBLEMS: &str = "vms_problems_total";
/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// An address, or a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// This machine itself.
    #[must_use]
    pub fn loopback() -> Vec<Self> {
        ["127.0.0.0/8", "::1"].iter().filter_map(|text| text.parse().ok()).collect()
    }

    fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(Self)
            .map_err(|_| format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Gives the recorder the words for what this crate and those below it count.
pub fn describe_metrics() {
    vms_core::describe_metrics();
    describe_counter!(REQUESTS, "Requests, by method, route and class of status.");
    describe_histogram!(DURATION, "Time until the answer began, by method and route, in seconds.");
    describe_gauge!(IN_FLIGHT, "Requests that have no answer yet.");
    describe_counter!(PROBLEMS, "Answers that are problems, by code, such as quota-exceeded or overloaded.");
}

pub(crate) fn mount(config: &mut web::ServiceConfig) {
    config.route("/metrics", web::get().to(metrics_page));
}

async fn metrics_page(state: web::Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let Some(render) = state.metrics().filter(|_| may_read(&state, &request)) else {
        return Err(ApiError::not_found());
    };
    state.vms().measure();
    Ok(HttpResponse::Ok().content_type(TEXT).body(render()))
}

/// A proxy that is not known to be ours hides who asks, so what it passes on is not for it.
fn may_read(state: &AppState, request: &HttpRequest) -> bool {
    let through_a_stranger = request.headers().contains_key("x-forwarded-for")
        && !request.peer_addr().is_some_and(|peer| state.trusts_proxy(peer.ip()));
    let address = client_address(state, request).parse::<IpAddr>();
    !through_a_stranger
        && address
            .is_ok_and(|address| state.metrics_allowed().iter().any(|network| network.contains(address)))
}

/// A request that has no answer yet. One whose client gave up counts as answered.
pub(crate) struct InFlight(Gauge);

impl InFlight {
    pub(crate) fn begin() -> Self {
        let gauge = gauge!(IN_FLIGHT);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts an answered request.
pub(crate) fn request(state: &AppState, method: &Method, path: &str, status: u16, took: Duration) {
    let route = state.routes().template(path).unwrap_or_else(|| beside_the_api(path)).to_owned();
    let method = match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
            method.to_string()
        }
        _ => "other".to_owned(),
    };
    let class = match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    counter!(REQUESTS, "method" => method.clone(), "route" => route.clone(), "status" => class).increment(1);
    histogram!(DURATION, "method" => method, "route" => route).record(took);
}

/// Counts a problem.
pub(crate) fn problem(error: &ApiError) {
    counter!(PROBLEMS, "code" => error.code().as_str()).increment(1);
}

fn beside_the_api(path: &str) -> &'static str {
    match path {
        "/healthz" => "/healthz",
        "/readyz" => "/readyz",
        "/metrics" => "/metrics",
        path if path.starts_with("/docs") => "/docs",
        path if path.starts_with("/api/") => "unknown",
        _ => "pages",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Network;

    #[test]
    fn addresses_and_networks_are_read_and_compared() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let has = |text: &str, address: &str| network(text).contains(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.1.2.3") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.1.2.3", "10.1.2.3") && !has("10.1.2.3", "10.1.2.4"));
        assert!(has("127.0.0.0/8", "::ffff:127.0.0.1"), "a socket for both families shows it so");
        assert!(has("fd00::/8", "fd00::1") && !has("::1", "127.0.0.1"));
        assert!("school".parse::<Network>().is_err() && "10.0.0.0/33".parse::<Network>().is_err());
    }
}
