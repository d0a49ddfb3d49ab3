//! A receiver of webhooks over real HTTP, with scripted faults. It verifies signatures with its own arithmetic.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the receiver behaves towards one delivery.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// Takes the delivery and never answers.
    Never,
    /// Takes the delivery and hangs up.
    HangUp,
    Redirect(String),
    /// Answers with more than anybody wants to read.
    Huge,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// Whether this secret signed it, as Standard Webhooks have it.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = from_base64(secret.strip_prefix("whsec_").unwrap());
        let signed = format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body);
        let expected = format!("v1,{}", to_base64(&hmac(&key, signed.as_bytes())));
        self.headers["webhook-signature"].split(' ').any(|signature| signature == expected)
    }

    /// The same for `X-Duffel-Signature`.
    pub fn is_signed_for_duffel_by(&self, secret: &str) -> bool {
        let mut parts = self.headers["x-duffel-signature"].split(',');
        let time = parts.next().unwrap().strip_prefix("t=").unwrap();
        let expected = hex::encode(hmac(secret.as_bytes(), format!("{time}.{}", self.body).as_bytes()));
        parts.any(|part| part.strip_prefix("v1=") == Some(expected.as_str()))
    }
}

/// HMAC-SHA256 as RFC 2104 writes it down, on the bare digest.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let symbol = BASE64[(word >> (18 - 6 * place) & 63) as usize] as char;
            text.push(if place <= chunk.len() { symbol } else { '=' });
        }
    }
    text
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut bits = String::new();
    for symbol in text.bytes().filter(|symbol| *symbol != b'=') {
        let value = BASE64.iter().position(|known| *known == symbol).unwrap();
        bits.push_str(&format!("{value:06b}"));
    }
    bits.as_bytes().chunks_exact(8).map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
}

pub struct WebhookReceiver {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<VecDeque<Reply>>>,
}

impl WebhookReceiver {
    /// Accepts everything, once the script is over.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (received, script) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(VecDeque::new())));
        let (log, replies) = (received.clone(), script.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, replies) = (log.clone(), replies.clone());
                std::thread::spawn(move || serve(stream, &log, &replies));
            }
        });
        WebhookReceiver { url, received, script }
    }

    pub fn behaves(self, script: impl IntoIterator<Item = Reply>) -> Self {
        self.script.lock().unwrap().extend(script);
        self
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

/// One delivery per connection.
fn serve(mut stream: TcpStream, log: &Mutex<Vec<Received>>, replies: &Mutex<VecDeque<Reply>>) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let Some(received) = read(&mut stream) else { return };
    let reply = replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(200));
    log.lock().unwrap().push(received);
    let head = |status: u16, more: &str, length: usize| {
        format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n")
    };
    let answer = match reply {
        Reply::Status(status) => head(status, "", 4) + "seen",
        Reply::Never => {
            std::thread::sleep(Duration::from_secs(30));
            return;
        }
        Reply::HangUp => return,
        Reply::Redirect(to) => head(302, &format!("location: {to}\r\n"), 0),
        Reply::Huge => head(200, "", 1 << 30) + &"x".repeat(1 << 20),
    };
    let _ = stream.write_all(answer.as_bytes());
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let (mut bytes, mut chunk) = (Vec::new(), [0u8; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
            let headers: BTreeMap<String, String> = lines.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
            if body.len() >= headers["content-length"].parse::<usize>().unwrap() {
                return Some(Received { headers, body: body.to_owned() });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
