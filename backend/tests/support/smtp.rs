//! A mail server of the far side, over real SMTP with a password. It does what it is told to, and keeps what it has taken.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const USER: &str = "billing";
pub const PASSWORD: &str = "s3cret";
/// `\0billing\0s3cret`, as AUTH PLAIN sends it.
const PLAIN: &str = "AGJpbGxpbmcAczNjcmV0";

/// How it behaves towards one message; what nothing is said about, it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Nobody is let in, whatever the password.
    RefusePassword,
    /// Not now: 451 to the message as a whole.
    RefuseForNow,
    /// It has the message and is gone before it says so.
    TakeAndHangUp,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// As it came, with its headers.
    pub text: String,
    pub taken: bool,
}

impl Received {
    pub fn message_id(&self) -> &str {
        let line = self.text.lines().find_map(|line| line.strip_prefix("Message-ID: <"));
        line.and_then(|rest| rest.strip_suffix('>')).unwrap_or_default()
    }
}

#[derive(Default)]
struct Post {
    plan: VecDeque<Behaviour>,
    received: Vec<Received>,
    /// How often somebody was not let in.
    turned_away: usize,
}

#[derive(Clone)]
pub struct MailServer {
    port: u16,
    post: Arc<Mutex<Post>>,
}

impl MailServer {
    /// It ends with the test's process.
    pub fn start(plan: &[Behaviour]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let post = Arc::new(Mutex::new(Post { plan: plan.iter().copied().collect(), ..Post::default() }));
        let server = MailServer { port, post };
        let accepting = server.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let server = accepting.clone();
                std::thread::spawn(move || server.converses(connection));
            }
        });
        server
    }

    pub fn url(&self, password: &str) -> String {
        format!("smtp://{USER}:{password}@127.0.0.1:{}", self.port)
    }

    pub fn received(&self) -> Vec<Received> {
        self.post.lock().unwrap().received.clone()
    }

    pub fn turned_away(&self) -> usize {
        self.post.lock().unwrap().turned_away
    }

    fn next(&self, only: fn(Behaviour) -> bool) -> Option<Behaviour> {
        let mut post = self.post.lock().unwrap();
        let is_next = post.plan.front().is_some_and(|next| only(*next));
        if is_next { post.plan.pop_front() } else { None }
    }

    /// One connection, until it is over or somebody hangs up.
    fn converses(&self, connection: TcpStream) -> Option<()> {
        connection.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let mut reader = BufReader::new(connection.try_clone().ok()?);
        let mut writer = connection;
        let mut says = move |line: &str| writer.write_all(format!("{line}\r\n").as_bytes()).ok();
        let (mut let_in, mut from, mut to) = (false, String::new(), String::new());
        says("220 mail.agency.example ESMTP")?;
        loop {
            let line = line_of(&mut reader)?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => says("250-mail.agency.example\r\n250-8BITMIME\r\n250 AUTH PLAIN")?,
                "AUTH" => {
                    let is_shut = self.next(|next| next == Behaviour::RefusePassword).is_some();
                    let_in = !is_shut && rest == format!("PLAIN {PLAIN}");
                    if !let_in {
                        self.post.lock().unwrap().turned_away += 1;
                    }
                    says(if let_in { "235 2.7.0 come in" } else { "535 5.7.8 wrong password" })?;
                }
                "MAIL" | "RCPT" | "DATA" if !let_in => says("530 5.7.0 who are you?")?,
                "MAIL" => {
                    from = address(rest);
                    says("250 2.1.0 ok")?;
                }
                "RCPT" => {
                    to = address(rest);
                    says("250 2.1.5 ok")?;
                }
                "DATA" => {
                    says("354 go on")?;
                    let text = text_of(&mut reader)?;
                    let how = self.next(|next| next != Behaviour::RefusePassword);
                    let taken = how != Some(Behaviour::RefuseForNow);
                    let one = Received { from: from.clone(), to: to.clone(), text, taken };
                    self.post.lock().unwrap().received.push(one);
                    match how {
                        Some(Behaviour::TakeAndHangUp) => return None,
                        Some(_) => says("451 4.3.0 not now")?,
                        None => says("250 2.0.0 taken")?,
                    }
                }
                "QUIT" => return says("221 2.0.0 bye"),
                _ => says("250 2.0.0 ok")?,
            }
        }
    }
}

fn line_of(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

/// Until the lone point; a line that begins with one had one put before it.
fn text_of(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = line_of(reader)?;
        if line == "." {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}

/// `FROM:<billing@airsettle.example> BODY=8BITMIME`
fn address(rest: &str) -> String {
    let inside = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
