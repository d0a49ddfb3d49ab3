//! The configuration: environment variables beginning with `AIRSETTLE_`, parsed once. An unknown one is refused, so that a
//! misspelt setting is not silently without effect.

use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not a setting; the settings are {known}", known = KNOWN.join(", "))]
    Unknown(String),
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("{name}: {reason}")]
    Invalid { name: &'static str, reason: String },
}

const KNOWN: &[&str] = &[
    "AIRSETTLE_BANK_CALLBACK_SECRET",
    "AIRSETTLE_BANK_URL",
    "AIRSETTLE_DATA",
    "AIRSETTLE_DATABASE_URL",
    "AIRSETTLE_LISTEN",
    "AIRSETTLE_MAIL_FROM",
    "AIRSETTLE_MASTER_KEY",
    "AIRSETTLE_PUBLIC_URL",
    "AIRSETTLE_SMTP_URL",
    "AIRSETTLE_TEST_BANK_URL",
    "AIRSETTLE_TEST_DATABASE_URL",
    "AIRSETTLE_WEBHOOK_RECEIVERS",
    "AIRSETTLE_ZONE",
];
/// Read by the tests and their scripts, not by the program.
const OF_TESTS: &[&str] = &["AIRSETTLE_TEST_LONG", "AIRSETTLE_TEST_POSTGRES", "AIRSETTLE_TEST_SEED"];

/// Everything that `serve` needs.
#[derive(Clone, Debug)]
pub struct Config {
    pub live: ModeConfig,
    pub test: ModeConfig,
    pub listen: SocketAddr,
    /// Anchors and other files that are not in the database.
    pub data: PathBuf,
    /// Where clients and the bank reach this server.
    pub public_url: String,
    pub bank_callback_secret: String,
    /// 64 hexadecimal digits.
    pub master_key: String,
    /// The operator's zone: it decides ledger dates.
    pub zone: Tz,
    pub receivers: Receivers,
    /// `smtp://user:password@host:port` or `smtps://…`; without it e-mail is written to files in the data folder.
    pub smtp_url: Option<String>,
    pub mail_from: String,
}

/// Where webhooks may be delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receivers {
    /// Public addresses.
    Public,
    /// Also this machine, without TLS: for development.
    Local,
}

/// One of the two databases with its bank.
#[derive(Clone, Debug)]
pub struct ModeConfig {
    pub database_url: String,
    pub bank_url: String,
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        Config::from_variables(std::env::vars())
    }

    pub fn from_variables(variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let ours: BTreeMap<String, String> = variables.filter(|(name, _)| name.starts_with("AIRSETTLE_")).collect();
        let known = |name: &str| KNOWN.contains(&name) || OF_TESTS.contains(&name);
        if let Some(name) = ours.keys().find(|name| !known(name)) {
            return Err(ConfigError::Unknown(name.clone()));
        }
        let optional = |name: &str| ours.get(name).filter(|value| !value.is_empty()).cloned();
        let required = |name: &'static str| optional(name).ok_or(ConfigError::Missing(name));
        let listen: SocketAddr = optional("AIRSETTLE_LISTEN")
            .unwrap_or_else(|| "127.0.0.1:8080".to_owned())
            .parse()
            .map_err(|_| ConfigError::Invalid { name: "AIRSETTLE_LISTEN", reason: "not an address and port".to_owned() })?;
        let zone = optional("AIRSETTLE_ZONE").unwrap_or_else(|| "Asia/Shanghai".to_owned());
        let receivers = match optional("AIRSETTLE_WEBHOOK_RECEIVERS").as_deref() {
            None | Some("public") => Receivers::Public,
            Some("local") => Receivers::Local,
            Some(_) => {
                let reason = "`public` or `local`".to_owned();
                return Err(ConfigError::Invalid { name: "AIRSETTLE_WEBHOOK_RECEIVERS", reason });
            }
        };
        Ok(Config {
            live: ModeConfig { database_url: required("AIRSETTLE_DATABASE_URL")?, bank_url: required("AIRSETTLE_BANK_URL")? },
            test: ModeConfig {
                database_url: required("AIRSETTLE_TEST_DATABASE_URL")?,
                bank_url: required("AIRSETTLE_TEST_BANK_URL")?,
            },
            data: required("AIRSETTLE_DATA")?.into(),
            public_url: optional("AIRSETTLE_PUBLIC_URL").unwrap_or_else(|| format!("http://{listen}")),
            bank_callback_secret: required("AIRSETTLE_BANK_CALLBACK_SECRET")?,
            master_key: required("AIRSETTLE_MASTER_KEY")?,
            zone: zone
                .parse()
                .map_err(|_| ConfigError::Invalid { name: "AIRSETTLE_ZONE", reason: format!("{zone} is not an IANA zone") })?,
            listen,
            receivers,
            smtp_url: optional("AIRSETTLE_SMTP_URL"),
            mail_from: optional("AIRSETTLE_MAIL_FROM").unwrap_or_else(|| "Airsettle <billing@localhost.localdomain>".to_owned()),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn variables(extra: &[(&str, &str)]) -> Vec<(String, String)> {
        let required = [
            ("AIRSETTLE_DATABASE_URL", "sqlite:live.sqlite"),
            ("AIRSETTLE_TEST_DATABASE_URL", "sqlite:test.sqlite"),
            ("AIRSETTLE_BANK_URL", "http://127.0.0.1:1"),
            ("AIRSETTLE_TEST_BANK_URL", "http://127.0.0.1:2"),
            ("AIRSETTLE_DATA", "."),
            ("AIRSETTLE_BANK_CALLBACK_SECRET", "0123456789abcdef"),
            ("AIRSETTLE_MASTER_KEY", "00"),
            ("PATH", "/bin"),
        ];
        required.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_misspelt_setting_is_refused_by_name() {
        let refused = Config::from_variables(variables(&[("AIRSETTLE_LISTNE", "x")]).into_iter());
        assert_eq!(refused.unwrap_err(), ConfigError::Unknown("AIRSETTLE_LISTNE".into()));
    }

    #[test]
    fn what_is_missing_is_named_and_defaults_are_local() {
        let without = variables(&[]).into_iter().filter(|(name, _)| name != "AIRSETTLE_DATA");
        assert_eq!(Config::from_variables(without).unwrap_err(), ConfigError::Missing("AIRSETTLE_DATA"));
        let config = Config::from_variables(variables(&[]).into_iter()).unwrap();
        assert_eq!(config.public_url, "http://127.0.0.1:8080");
        assert_eq!(config.zone, chrono_tz::Asia::Shanghai);
        assert_eq!(config.receivers, Receivers::Public);
        let wrong = Config::from_variables(variables(&[("AIRSETTLE_WEBHOOK_RECEIVERS", "all")]).into_iter());
        assert!(matches!(wrong, Err(ConfigError::Invalid { name: "AIRSETTLE_WEBHOOK_RECEIVERS", .. })));
    }
}
