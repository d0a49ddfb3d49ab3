//! E-mail, the only place that knows how it leaves: by SMTP where that is configured, else into files, which is enough for development and tests. Whoever
//! sends gives the message its id; it is the same however often sending is tried, so that a receiver can tell.

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Message, MultiPart, SinglePart};
use lettre::transport::smtp::SmtpTransportBuilder;
#[cfg(not(feature = "tls"))]
use lettre::transport::smtp::authentication::Credentials;
use lettre::{FileTransport, SmtpTransport, Transport};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the mail server's address: {0}")]
    Server(String),
    #[error("{0} is not an e-mail address")]
    Address(String),
    #[error("the message cannot be built: {0}")]
    Message(String),
    #[error("not taken: {0}")]
    Refused(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Where e-mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// `smtp://user:password@host:port` or `smtps://…`; into files where it is not given.
    pub smtp_url: Option<String>,
    /// Whom it is from: `Airsettle <billing@example.com>`.
    pub from: String,
}

enum Way {
    Smtp(Box<SmtpTransport>),
    Folder(PathBuf),
}

pub struct Mailer {
    way: Way,
    from: lettre::message::Mailbox,
}

pub struct Mail<'m> {
    /// Without angle brackets.
    pub message_id: &'m str,
    pub to: &'m str,
    pub subject: &'m str,
    pub body: &'m str,
    /// The same for those who look at it in colours.
    pub html: Option<&'m str>,
    pub attachment: Option<Attached>,
}

pub struct Attached {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Mailer {
    /// Files go to `folder`.
    pub fn open(config: &MailConfig, folder: &Path) -> Result<Self, MailError> {
        let from = config.from.parse().map_err(|_| MailError::Address(config.from.clone()))?;
        let way = match &config.smtp_url {
            Some(url) => Way::Smtp(Box::new(server(url)?.timeout(Some(std::time::Duration::from_secs(20))).build())),
            None => {
                std::fs::create_dir_all(folder)?;
                Way::Folder(folder.to_owned())
            }
        };
        Ok(Mailer { way, from })
    }

    /// Hands a message over; afterwards it is the receiver's.
    pub fn send(&self, mail: Mail) -> Result<(), MailError> {
        let Mail { message_id, to, subject, body, html, attachment } = mail;
        let to = to.parse().map_err(|_| MailError::Address(to.to_owned()))?;
        let head = Message::builder().from(self.from.clone()).to(to).subject(subject);
        let head = head.message_id(Some(format!("<{message_id}>")));
        let message = match (html, attachment) {
            (None, None) => head.singlepart(SinglePart::plain(body.to_owned())),
            (html, attachment) => head.multipart(parts(body, html, attachment)?),
        };
        let message = message.map_err(|error| MailError::Message(error.to_string()))?;
        let refused = |error: String| MailError::Refused(error);
        match &self.way {
            Way::Smtp(server) => server.send(&message).map(drop).map_err(|error| refused(error.to_string())),
            Way::Folder(folder) => {
                FileTransport::new(folder).send(&message).map(drop).map_err(|error| refused(error.to_string()))
            }
        }
    }
}

/// The text, beside it the page if there is one, and then what is attached.
fn parts(body: &str, html: Option<&str>, attachment: Option<Attached>) -> Result<MultiPart, MailError> {
    let text = SinglePart::plain(body.to_owned());
    let page = html.map(|html| MultiPart::alternative().singlepart(text.clone()).singlepart(SinglePart::html(html.to_owned())));
    let Some(Attached { name, media_type, bytes }) = attachment else {
        return Ok(page.unwrap_or_else(|| MultiPart::mixed().singlepart(text)));
    };
    let media_type = ContentType::parse(media_type).map_err(|error| MailError::Message(error.to_string()))?;
    let written = match page {
        Some(page) => MultiPart::mixed().multipart(page),
        None => MultiPart::mixed().singlepart(text),
    };
    Ok(written.singlepart(Attachment::new(name).body(bytes, media_type)))
}

#[cfg(feature = "tls")]
fn server(url: &str) -> Result<SmtpTransportBuilder, MailError> {
    SmtpTransport::from_url(url).map_err(|error| MailError::Server(error.to_string()))
}

/// Without TLS, which is for a relay on the same machine or network: `smtp://user:password@host:port`.
#[cfg(not(feature = "tls"))]
fn server(url: &str) -> Result<SmtpTransportBuilder, MailError> {
    let wrong = || MailError::Server(format!("{url} is not smtp://host:port; smtps needs the feature `tls`"));
    let rest = url.strip_prefix("smtp://").ok_or_else(wrong)?.trim_end_matches('/');
    let (credentials, address) = match rest.rsplit_once('@') {
        Some((credentials, address)) => (Some(credentials.split_once(':').ok_or_else(wrong)?), address),
        None => (None, rest),
    };
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "25"));
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let server = SmtpTransport::builder_dangerous(host).port(port);
    Ok(match credentials {
        Some((user, password)) => server.credentials(Credentials::new(user.to_owned(), password.to_owned())),
        None => server,
    })
}

/// Whether somebody can be written to there.
pub fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_id_and_its_attachment() {
        let folder = tempfile::tempdir().unwrap();
        let config = MailConfig { smtp_url: None, from: "Airsettle <billing@airsettle.example>".into() };
        let mailer = Mailer::open(&config, folder.path()).unwrap();
        let mail = |to| Mail {
            message_id: "dun_1@airsettle",
            to,
            subject: "应付款提醒",
            body: "Please remit 970.00 CNY.",
            html: Some("<p>Please remit 970.00 CNY.</p>"),
            attachment: Some(Attached {
                name: "statement.csv".into(),
                media_type: "text/csv; charset=utf-8",
                bytes: b"kind\r\n".to_vec(),
            }),
        };
        mailer.send(mail("finance@agency.example")).unwrap();
        assert!(matches!(mailer.send(mail("nobody")), Err(MailError::Address(_))));
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        let text = std::fs::read_to_string(files.into_iter().next().unwrap().unwrap().path()).unwrap();
        assert!(text.contains("Message-ID: <dun_1@airsettle>") && text.contains("statement.csv"), "{text}");
        let order: Vec<_> = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/csv"]
            .map(|kind| text.find(kind))
            .into();
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "the text stands before the page: {text}");
        assert!(is_address("a@b.example") && !is_address("a b@c") && !is_address(""));
    }

    #[test]
    fn an_unusable_configuration_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let open = |smtp_url: Option<&str>, from: &str| {
            Mailer::open(&MailConfig { smtp_url: smtp_url.map(str::to_owned), from: from.into() }, folder.path())
        };
        assert!(matches!(open(Some("http://mail"), "a@b.example"), Err(MailError::Server(_))));
        assert!(matches!(open(None, "nobody"), Err(MailError::Address(_))));
        assert!(matches!(open(Some("smtp://mail:port"), "a@b.example"), Err(MailError::Server(_))));
        for url in ["smtp://127.0.0.1:2525", "smtp://user:secret@127.0.0.1"] {
            assert!(open(Some(url), "a@b.example").is_ok(), "{url}");
        }
    }
}
