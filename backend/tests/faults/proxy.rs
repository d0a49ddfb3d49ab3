//! Between the program and PostgreSQL: it understands just enough of the protocol to do something to one COMMIT, that of the transaction in which a
//! given text was sent (an idempotency key, for example). Everything else passes as it is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What happens to the COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCommit {
    /// It never arrives, and the connection is gone.
    LoseIt,
    /// It takes effect; then the connection is gone before the answer comes.
    LoseItsAnswer,
    /// It does not arrive and nothing is said, until released; then the connection is gone.
    Withhold,
    /// It takes effect and nothing is said about it, until released; then the connection is gone.
    WithholdItsAnswer,
    /// It takes effect and is answered; then nothing that is said on the connection arrives any more.
    StallAfterwards,
}

#[derive(Default)]
struct Plan {
    next: Option<(Vec<u8>, AtCommit)>,
    released: bool,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
    /// How many COMMITs something was done to.
    struck: AtomicU32,
    /// Nobody gets through any more, and who was through is cut off.
    closed: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn to(database_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.closed.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", database_port)) else { continue };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                serving.open.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                let shared = serving.clone();
                std::thread::spawn(move || Connection::new(client, server, shared).run());
            }
        });
        Proxy { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next COMMIT of a transaction in which `text` was sent is treated like this, once.
    pub fn strike(&self, text: &str, how: AtCommit) {
        *self.shared.plan.lock().unwrap() = Plan { next: Some((text.as_bytes().to_vec(), how)), released: false };
    }

    pub fn release(&self) {
        self.shared.plan.lock().unwrap().released = true;
        self.shared.changed.notify_all();
    }

    /// Waits until a COMMIT was met.
    #[track_caller]
    pub fn await_struck(&self, times: u32) {
        crate::books::await_that("the COMMIT is met", Duration::from_secs(20), || {
            self.shared.struck.load(Ordering::SeqCst) >= times
        });
    }

    /// The network is gone.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn reopen(&self) {
        self.shared.closed.store(false, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.release();
        self.close();
    }
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    /// What the server says does not reach the client any more.
    mute: Arc<AtomicBool>,
    /// The server has said something while it was mute.
    heard: Arc<(Mutex<bool>, Condvar)>,
    /// The text was sent in the open transaction.
    met: bool,
    stalled: bool,
}

impl Connection {
    fn new(client: TcpStream, server: TcpStream, shared: Arc<Shared>) -> Self {
        Connection { client, server, shared, mute: Arc::default(), heard: Arc::default(), met: false, stalled: false }
    }

    fn run(mut self) {
        let (mut from, mut to) = (self.server.try_clone().unwrap(), self.client.try_clone().unwrap());
        let (mute, heard) = (self.mute.clone(), self.heard.clone());
        std::thread::spawn(move || {
            let mut buffer = [0u8; 16 * 1024];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                if mute.load(Ordering::SeqCst) {
                    *heard.0.lock().unwrap() = true;
                    heard.1.notify_all();
                } else if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
        let _ = self.relay();
        let _ = self.server.shutdown(Shutdown::Both);
        let _ = self.client.shutdown(Shutdown::Both);
    }

    /// The start-up message has no type; every other has one, and then its length.
    fn relay(&mut self) -> std::io::Result<()> {
        let mut length = [0u8; 4];
        self.client.read_exact(&mut length)?;
        self.server.write_all(&length)?;
        self.pass(length)?;
        loop {
            let mut head = [0u8; 5];
            self.client.read_exact(&mut head)?;
            let length = u32::from_be_bytes(head[1..].try_into().unwrap());
            let mut message = vec![0u8; usize::try_from(length - 4).unwrap()];
            self.client.read_exact(&mut message)?;
            let is_query = head[0] == b'Q';
            if is_query && message.starts_with(b"BEGIN") {
                self.met = false;
            }
            self.met = self.met || self.contains(&message);
            if self.stalled {
                continue;
            }
            let struck = if is_query && message == b"COMMIT\0" && self.met { self.plan() } else { None };
            match struck {
                None => self.forward(&head, &message)?,
                Some(how) => self.strike(how, &head, &message)?,
            }
        }
    }

    fn strike(&mut self, how: AtCommit, head: &[u8], message: &[u8]) -> std::io::Result<()> {
        let gone = || Err(std::io::ErrorKind::ConnectionReset.into());
        if matches!(how, AtCommit::LoseItsAnswer | AtCommit::WithholdItsAnswer) {
            self.mute.store(true, Ordering::SeqCst);
            self.forward(head, message)?;
            let answered = self.heard.1.wait_while(self.heard.0.lock().unwrap(), |heard| !*heard).unwrap();
            drop(answered);
        }
        self.shared.struck.fetch_add(1, Ordering::SeqCst);
        match how {
            AtCommit::LoseIt | AtCommit::LoseItsAnswer => gone(),
            AtCommit::Withhold | AtCommit::WithholdItsAnswer => {
                let plan = self.shared.plan.lock().unwrap();
                drop(self.shared.changed.wait_while(plan, |plan| !plan.released).unwrap());
                gone()
            }
            AtCommit::StallAfterwards => {
                self.stalled = true;
                self.forward(head, message)
            }
        }
    }

    fn contains(&self, message: &[u8]) -> bool {
        let plan = self.shared.plan.lock().unwrap();
        plan.next.as_ref().is_some_and(|(text, _)| message.windows(text.len()).any(|part| part == text.as_slice()))
    }

    fn plan(&self) -> Option<AtCommit> {
        self.shared.plan.lock().unwrap().next.take().map(|(_, how)| how)
    }

    fn forward(&mut self, head: &[u8], message: &[u8]) -> std::io::Result<()> {
        self.server.write_all(&[head, message].concat())
    }

    fn pass(&mut self, length: [u8; 4]) -> std::io::Result<()> {
        let mut rest = vec![0u8; usize::try_from(u32::from_be_bytes(length) - 4).unwrap()];
        self.client.read_exact(&mut rest)?;
        self.server.write_all(&rest)
    }
}
