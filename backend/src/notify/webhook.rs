//! Deliveries over HTTP. The receiver's name is resolved here, its addresses are checked, and the connection goes to a checked address and to no
//! other, so that a name which changes its mind in between gains nothing. No redirect is followed and no proxy is taken from the environment.
//! Bounds: 10 s for a delivery, 1 KiB of the answer.

use super::address::{Loopback, PlainHttp, ReceiverPolicy};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For a whole delivery, the answer included.
pub const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Of what the receiver answers, so much is read and kept.
pub const EXCERPT_BYTES: usize = 1_024;
const LONGEST_URL: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefusal {
    #[error("a receiver's address is a URL of at most 2000 characters with a host and without a password")]
    Malformed,
    #[error("a receiver is spoken to over https")]
    NotEncrypted,
    #[error("{0} is not a public address")]
    Address(IpAddr),
    #[error("this program was built without TLS and cannot speak to https receivers")]
    NoTls,
}

#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct SenderError(String);

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    pub latency: Duration,
    /// Why there was none.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
}

impl Sent {
    pub fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Sends to receivers that the policy allows.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    policy: ReceiverPolicy,
}

impl Sender {
    pub fn new(policy: ReceiverPolicy) -> Result<Self, SenderError> {
        let builder = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(4)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Checked(policy)));
        #[cfg(feature = "tls")]
        let builder = builder.tls_backend_preconfigured(tls()?);
        let client = builder.build().map_err(|error| SenderError(error.to_string()))?;
        Ok(Sender { client, policy })
    }

    /// Whether a webhook may have this address. What its name resolves to is checked at every delivery.
    pub fn check(&self, url: &str) -> Result<(), UrlRefusal> {
        self.checked(url).map(drop)
    }

    fn checked(&self, text: &str) -> Result<Url, UrlRefusal> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URL).ok_or(UrlRefusal::Malformed)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlRefusal::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefusal::Malformed);
        }
        // A host that is an address is never resolved.
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if let Some(address) = address.filter(|address| !self.policy.allows(*address)) {
            return Err(UrlRefusal::Address(address));
        }
        let is_here = host == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback());
        match url.scheme() {
            "https" if cfg!(feature = "tls") => Ok(url),
            "https" => Err(UrlRefusal::NoTls),
            "http" if self.policy.plain_http == PlainHttp::Anywhere => Ok(url),
            "http" if is_here && self.policy.loopback == Loopback::Allowed => Ok(url),
            "http" => Err(UrlRefusal::NotEncrypted),
            _ => Err(UrlRefusal::Malformed),
        }
    }

    /// Delivers a JSON body. Whatever happens is an answer, not an error: it stands in the delivery log.
    pub async fn send(&self, url: &str, headers: &[(&'static str, String)], body: String) -> Sent {
        let begun = Instant::now();
        let failed = |error: String| Sent { status: None, latency: begun.elapsed(), error: Some(error), excerpt: None };
        // Again, because the policy may have changed since the webhook was made.
        let url = match self.checked(url) {
            Ok(url) => url,
            Err(refusal) => return failed(refusal.to_string()),
        };
        let mut request =
            self.client.post(url).header(CONTENT_TYPE, "application/json").header(USER_AGENT, "Airsettle-Webhooks/1");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.body(body).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let excerpt = excerpt(response).await;
                Sent { status: Some(status), latency: begun.elapsed(), error: None, excerpt }
            }
            Err(error) => failed(reason(&error)),
        }
    }
}

/// The public certificate authorities, and no certificate of ours.
#[cfg(feature = "tls")]
fn tls() -> Result<rustls::ClientConfig, SenderError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| SenderError(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Once per process, before any HTTP client is made: the one implementation of TLS, where the program is built with it.
pub fn install_tls() {
    #[cfg(feature = "tls")]
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("TLS was installed before");
    }
}

/// The receiver's own words for the log; what comes after them is not read, and what cannot be read is none.
async fn excerpt(mut response: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < EXCERPT_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(chunk.get(..EXCERPT_BYTES - bytes.len()).unwrap_or(&chunk)),
            Ok(None) | Err(_) => break,
        }
    }
    let text: String = String::from_utf8_lossy(&bytes).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// Without the address, which the log has anyway.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", TIMEOUT.as_secs());
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string().chars().take(300).collect()
}

/// Answers only addresses that may be spoken to.
#[derive(Clone, Copy, Debug)]
struct Checked(ReceiverPolicy);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, host) = (self.0, name.as_str().to_owned());
        Box::pin(async move {
            let found =
                tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
            let found: Vec<SocketAddr> = found.await??;
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|address| policy.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the receiver's name has no public address".into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sender(plain_http: PlainHttp, loopback: Loopback) -> Sender {
        Sender::new(ReceiverPolicy { plain_http, loopback }).unwrap()
    }

    #[test]
    fn a_receivers_address_is_checked_when_it_is_given() {
        let live = sender(PlainHttp::OnLoopback, Loopback::Refused);
        assert_eq!(live.check("http://example.com/hook"), Err(UrlRefusal::NotEncrypted));
        let refused =
            ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/", "https://169.254.169.254/latest"];
        for url in refused {
            assert!(matches!(live.check(url), Err(UrlRefusal::Address(_))), "{url}");
        }
        for url in ["", "example.com", "ftp://example.com/", "https://user:pw@example.com/"] {
            assert_eq!(live.check(url), Err(UrlRefusal::Malformed), "{url}");
        }
        let encrypted = if cfg!(feature = "tls") { Ok(()) } else { Err(UrlRefusal::NoTls) };
        assert_eq!(live.check("https://example.com/hook?a=b"), encrypted);
    }

    #[test]
    fn plain_http_is_for_test_mode_and_for_this_machine() {
        assert_eq!(sender(PlainHttp::Anywhere, Loopback::Refused).check("http://example.com/"), Ok(()));
        let developing = sender(PlainHttp::OnLoopback, Loopback::Allowed);
        assert_eq!(developing.check("http://127.0.0.1:9999/"), Ok(()));
        assert_eq!(developing.check("http://example.com/"), Err(UrlRefusal::NotEncrypted));
        assert_eq!(developing.check("http://10.0.0.1/"), Err(UrlRefusal::Address("10.0.0.1".parse().unwrap())));
    }

    /// `localhost` is a name: what it resolves to is found out at the delivery, and no connection is made.
    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_followed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let sent = sender(PlainHttp::Anywhere, Loopback::Refused).send(&url, &[], "{}".into()).await;
        assert_eq!(sent.error.as_deref(), Some("the receiver's name has no public address"));
        assert!(listener.accept().is_err(), "somebody connected");
    }
}
