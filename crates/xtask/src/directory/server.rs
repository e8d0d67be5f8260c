//! The LDAP server: simple bind, search, unbind, over TCP, on the protocol crate of the Kanidm project.
//!
//! It answers as OpenLDAP does where VMS can tell the difference, also when it refuses: an empty password, a base that
//! does not exist, StartTLS (which it does not offer), anything that would change an entry.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use anyhow::{Context as _, Result};
use futures::{SinkExt as _, StreamExt as _};
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapBindResponse, LdapExtendedResponse, LdapMsg, LdapOp,
    LdapPartialAttribute, LdapResult, LdapResultCode, LdapSearchRequest, LdapSearchResultEntry,
    LdapSearchScope,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::codec::Framed;

use super::people::Directory;
use super::tree::Tree;

/// A running server. Dropping it ends it and its connections.
#[derive(Debug)]
pub struct DirectoryServer {
    address: SocketAddr,
    directory: Directory,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// How much the server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Binds, anonymous ones and refused ones too.
    pub binds: usize,
    /// Searches.
    pub searches: usize,
}

#[derive(Debug)]
struct Shared {
    tree: RwLock<Tree>,
    base_dn: String,
    binds: AtomicUsize,
    searches: AtomicUsize,
}

impl DirectoryServer {
    /// Listens on `address` (port 0: a free one) and serves these people.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(directory: Directory, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("the directory cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            tree: RwLock::new(Tree::new(directory.entries())),
            base_dn: directory.base_dn.clone(),
            binds: AtomicUsize::new(0),
            searches: AtomicUsize::new(0),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, directory, shared, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL: `ldap://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// The `[directory]` section of a `vms.toml` that logs in here.
    #[must_use]
    pub fn vms_config(&self) -> String {
        self.directory.vms_config(&self.url())
    }

    /// Serves these people from now on: somebody came, or left.
    pub fn replace(&self, directory: &Directory) {
        let tree = Tree::new(directory.entries());
        *self.shared.tree.write().unwrap_or_else(PoisonError::into_inner) = tree;
    }

    /// How much it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked {
            binds: self.shared.binds.load(Ordering::Relaxed),
            searches: self.shared.searches.load(Ordering::Relaxed),
        }
    }

    /// Ends it and all connections, and waits until the port is free again.
    pub async fn stop(mut self) {
        self.task.abort();
        // The error is the abort itself.
        drop((&mut self.task).await);
    }
}

impl Drop for DirectoryServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with this task: a JoinSet aborts what it holds.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move { shared.converse(stream).await });
                }
                // Out of file descriptors, or the peer is gone already: neither ends the server.
                Err(error) => {
                    crate::ui::say(format!("the directory could not accept a connection: {error}"));
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    crate::ui::say(format!("a connection of the directory ended badly: {error}"));
                }
            }
        }
    }
}

impl Shared {
    /// Answers one connection until it says goodbye, breaks off, or sends what is not LDAP.
    async fn converse(&self, stream: TcpStream) {
        let mut messages = Framed::new(stream, LdapCodec::default());
        while let Some(Ok(LdapMsg { msgid, op, .. })) = messages.next().await {
            let Some(answers) = self.answer(op) else { return };
            for op in answers {
                // Only fails when the client is gone.
                if messages.send(LdapMsg { msgid, op, ctrl: Vec::new() }).await.is_err() {
                    return;
                }
            }
        }
    }

    /// The answers to one request; `None` ends the connection.
    fn answer(&self, request: LdapOp) -> Option<Vec<LdapOp>> {
        let read_only = || result(LdapResultCode::UnwillingToPerform, "this directory is read-only");
        Some(match request {
            LdapOp::BindRequest(bind) => {
                self.binds.fetch_add(1, Ordering::Relaxed);
                vec![LdapOp::BindResponse(LdapBindResponse { res: self.bind(&bind), saslcreds: None })]
            }
            LdapOp::SearchRequest(search) => {
                self.searches.fetch_add(1, Ordering::Relaxed);
                self.search(&search)
            }
            LdapOp::ExtendedRequest(extended) => vec![LdapOp::ExtendedResponse(LdapExtendedResponse {
                res: result(LdapResultCode::ProtocolError, &format!("{} is not offered", extended.name)),
                name: None,
                value: None,
            })],
            LdapOp::AddRequest(_) => vec![LdapOp::AddResponse(read_only())],
            LdapOp::ModifyRequest(_) => vec![LdapOp::ModifyResponse(read_only())],
            LdapOp::DelRequest(_) => vec![LdapOp::DelResponse(read_only())],
            LdapOp::ModifyDNRequest(_) => vec![LdapOp::ModifyDNResponse(read_only())],
            LdapOp::CompareRequest(_) => vec![LdapOp::CompareResult(read_only())],
            LdapOp::AbandonRequest(_) => Vec::new(),
            // Unbind, and what only servers say.
            _ => return None,
        })
    }

    /// A poisoned lock only says that another connection panicked; a tree is replaced whole.
    fn tree(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn bind(&self, request: &LdapBindRequest) -> LdapResult {
        let LdapBindCred::Simple(password) = &request.cred else {
            return result(LdapResultCode::AuthMethodNotSupported, "only simple binds");
        };
        if request.version != 3 {
            return result(LdapResultCode::ProtocolError, "only LDAP version 3");
        }
        match (request.dn.is_empty(), password.is_empty()) {
            (true, true) => result(LdapResultCode::Success, ""),
            (false, true) => result(
                LdapResultCode::UnwillingToPerform,
                "unauthenticated bind (DN with no password) disallowed",
            ),
            _ if self.tree().password_is(&request.dn, password) => result(LdapResultCode::Success, ""),
            _ => result(LdapResultCode::InvalidCredentials, ""),
        }
    }

    fn search(&self, request: &LdapSearchRequest) -> Vec<LdapOp> {
        if request.base.is_empty() && request.scope == LdapSearchScope::Base {
            return vec![self.root(), LdapOp::SearchResultDone(result(LdapResultCode::Success, ""))];
        }
        let tree = self.tree();
        let Some(found) = tree.search(&request.base, &request.scope, &request.filter) else {
            return vec![LdapOp::SearchResultDone(result(LdapResultCode::NoSuchObject, ""))];
        };
        // 0 is no limit.
        let limit = usize::try_from(request.sizelimit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let code =
            if found.len() > limit { LdapResultCode::SizeLimitExceeded } else { LdapResultCode::Success };
        found
            .into_iter()
            .take(limit)
            .map(|entry| {
                LdapOp::SearchResultEntry(LdapSearchResultEntry {
                    dn: entry.dn.clone(),
                    attributes: entry.select(&request.attrs, request.typesonly),
                })
            })
            .chain([LdapOp::SearchResultDone(result(code, ""))])
            .collect()
    }

    /// The root DSE: what the server says about itself.
    fn root(&self) -> LdapOp {
        let attribute = |name: &str, value: &str| LdapPartialAttribute {
            atype: name.to_owned(),
            vals: vec![value.as_bytes().to_vec()],
        };
        LdapOp::SearchResultEntry(LdapSearchResultEntry {
            dn: String::new(),
            attributes: vec![
                attribute("objectClass", "top"),
                attribute("namingContexts", &self.base_dn),
                attribute("supportedLDAPVersion", "3"),
            ],
        })
    }
}

fn result(code: LdapResultCode, message: &str) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: message.to_owned(), referral: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_gives_the_port_back_when_it_is_stopped() {
        let server = DirectoryServer::start(Directory::school(), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = server.address();
        let open = TcpStream::connect(address).await.unwrap();
        assert!(server.vms_config().contains(&format!("url = \"ldap://{address}\"")));
        server.stop().await;
        drop(open);
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn it_refuses_as_openldap_does() {
        let server = DirectoryServer::start(Directory::school(), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let bind = |dn: &str, cred: LdapBindCred, version| {
            server.shared.bind(&LdapBindRequest { version, dn: dn.to_owned(), cred }).code
        };
        let simple = |text: &str| LdapBindCred::Simple(text.to_owned());
        let bruno = "uid=Bruno, ou=people,dc=escola,dc=example";
        assert_eq!(bind(bruno, simple("bruno"), 3), LdapResultCode::Success);
        assert_eq!(bind(bruno, simple("Bruno"), 3), LdapResultCode::InvalidCredentials);
        assert_eq!(bind(bruno, simple(""), 3), LdapResultCode::UnwillingToPerform);
        assert_eq!(bind("", simple(""), 3), LdapResultCode::Success);
        assert_eq!(bind("", simple("bruno"), 3), LdapResultCode::InvalidCredentials);
        assert_eq!(bind(bruno, simple("bruno"), 2), LdapResultCode::ProtocolError);
        assert_eq!(bind(bruno, LdapBindCred::Unsupported, 3), LdapResultCode::AuthMethodNotSupported);
    }
}
