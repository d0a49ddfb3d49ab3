//! A keep-alive HTTP/1.1 client that costs next to nothing: it shares the cores of what it measures.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    request: Vec<u8>,
}

impl Connection {
    pub async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, buffer: Vec::with_capacity(16_384), request: Vec::with_capacity(2_048) }
    }

    /// Sends and reads one answer; the body stays in the buffer until the next request.
    pub async fn send(&mut self, method: &str, path: &str, key: &str, once: Option<&str>, body: &[u8]) -> (u16, &[u8]) {
        self.request.clear();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-length: {}\r\n",
            body.len()
        );
        self.request.extend_from_slice(head.as_bytes());
        if !body.is_empty() {
            self.request.extend_from_slice(b"content-type: application/json\r\n");
        }
        if let Some(once) = once {
            self.request.extend_from_slice(format!("idempotency-key: {once}\r\n").as_bytes());
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body);
        self.stream.write_all(&self.request).await.unwrap();
        self.buffer.clear();
        let (status, start, length) = loop {
            if let Some(head) = head_of(&self.buffer) {
                break head;
            }
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
        };
        while self.buffer.len() < start + length {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
        }
        (status, &self.buffer[start..start + length])
    }

    pub async fn json(&mut self, method: &str, path: &str, key: &str, once: Option<&str>, body: Option<&Value>) -> (u16, Value) {
        let text = body.map(|data| serde_json::json!({ "data": data }).to_string()).unwrap_or_default();
        let (status, body) = self.send(method, path, key, once, text.as_bytes()).await;
        (status, serde_json::from_slice(body).unwrap_or(Value::Null))
    }
}

/// Status, where the body starts, and how long it is.
fn head_of(buffer: &[u8]) -> Option<(u16, usize, usize)> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&buffer[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    Some((status, end + 4, length.unwrap_or(0)))
}
