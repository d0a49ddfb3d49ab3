//! Passwords: argon2id, a rule of what is too easily guessed, and the same work for an address that nobody has. Hashing takes tens of milliseconds and 19 MB:
//! never inside a transaction, never on a thread that serves.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Of nobody: checked where there is no user, so that an unknown address takes as long as a known one.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$YWlyc2V0dGxlLWRlY295$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const FEWEST_CHARACTERS: usize = 10;
/// Nobody keeps the machine busy with a book.
pub const MOST_CHARACTERS: usize = 128;
const FEWEST_DIFFERENT: usize = 5;
/// A part of a name that is shorter says nothing.
const FEWEST_OF_A_NAME: usize = 4;
/// So many neighbours of a row of keys in a row are no password.
const LONGEST_RUN: usize = 6;
const ROWS: [&str; 6] = ["abcdefghijklmnopqrstuvwxyz", "0123456789", "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../../fixtures/common_passwords.txt").lines().filter(|line| !line.is_empty()).collect());

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("{}", .0.text())]
    Weak(Weakness),
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    TooShort,
    TooLong,
    Common,
    TooSimple,
    OwnName,
}

impl Weakness {
    pub fn text(self) -> &'static str {
        match self {
            Weakness::TooShort => "a password has at least 10 characters",
            Weakness::TooLong => "a password has at most 128 characters",
            Weakness::Common => "this password is on every list of common ones",
            Weakness::TooSimple => "a password is not made of a few characters or of neighbouring keys",
            Weakness::OwnName => "a password does not contain the e-mail address or the name",
        }
    }
}

/// What makes a password too easily guessed, if anything does.
pub fn weakness(password: &str, email: &str, name: &str) -> Option<Weakness> {
    let length = password.chars().count();
    if length < FEWEST_CHARACTERS {
        return Some(Weakness::TooShort);
    }
    if length > MOST_CHARACTERS {
        return Some(Weakness::TooLong);
    }
    let small = password.to_lowercase();
    // What people add to a common word.
    let word = plain(&small);
    if [small.as_str(), word.as_str(), word.trim_matches(|c: char| !c.is_alphabetic())].iter().any(|word| COMMON.contains(word)) {
        return Some(Weakness::Common);
    }
    let different: HashSet<char> = small.chars().collect();
    if different.len() < FEWEST_DIFFERENT || longest_run(&small) >= LONGEST_RUN {
        return Some(Weakness::TooSimple);
    }
    let of_email = email.split(['@', '.', '-', '_', '+']);
    let own = of_email.chain(name.split_whitespace()).map(str::to_lowercase);
    let named = own.filter(|part| part.chars().count() >= FEWEST_OF_A_NAME).any(|part| small.contains(&part));
    named.then_some(Weakness::OwnName)
}

/// Without what looks like a letter, and without digits and signs at the end.
fn plain(small: &str) -> String {
    let trimmed = small.trim_end_matches(|c: char| !c.is_alphabetic());
    trimmed
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'l',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// The longest stretch that lies on a row of keys, forwards or backwards.
fn longest_run(text: &str) -> usize {
    let chars: Vec<char> = text.chars().collect();
    let mut longest = 0;
    for start in 0..chars.len() {
        for end in start + 1..=chars.len() {
            let Some(part) = chars.get(start..end) else { break };
            let (forwards, backwards): (String, String) = (part.iter().collect(), part.iter().rev().collect());
            if !ROWS.iter().any(|row| row.contains(&forwards) || row.contains(&backwards)) {
                break;
            }
            longest = longest.max(end - start);
        }
    }
    longest
}

/// Refuses a weak one; the hash of any other.
pub fn new_hash(password: &str, email: &str, name: &str) -> Result<String, PasswordError> {
    if let Some(weak) = weakness(password, email, name) {
        return Err(PasswordError::Weak(weak));
    }
    hash(password)
}

/// A PHC string of argon2id with a salt of its own.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Whether it is the password of this hash; without one the same work is done for nothing.
pub fn is_password(password: &str, stored: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(DECOY)) else { return false };
    let short: String = password.chars().take(MOST_CHARACTERS).collect();
    let fits = Argon2::default().verify_password(short.as_bytes(), &hash).is_ok();
    fits && stored.is_some() && short.len() == password.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_is_easily_guessed_is_not_taken() {
        let of = |password: &str| weakness(password, "lan.chen@bluesky.example", "Chen Xiaolan");
        for (password, why) in [
            ("short", Weakness::TooShort),
            ("ninechars", Weakness::TooShort),
            ("Password2026", Weakness::Common),
            ("P@ssw0rd!!", Weakness::Common),
            ("iloveyou123", Weakness::Common),
            ("administrator", Weakness::Common),
            ("aaaaaaaaaaaa", Weakness::TooSimple),
            ("asdfghjk-99", Weakness::TooSimple),
            ("x9876543210x", Weakness::TooSimple),
            ("xiaolan-7-rivers", Weakness::OwnName),
            ("my-BlueSky-3rd", Weakness::OwnName),
        ] {
            assert_eq!(of(password), Some(why), "{password}");
        }
        assert_eq!(of(&"ab-c9 xyz".repeat(20)), Some(Weakness::TooLong));
        for good in ["correct horse battery", "七个汉字也可以是密码的", "Tr4in-to-Harbin"] {
            assert_eq!(of(good), None, "{good}");
        }
    }

    #[test]
    fn only_the_password_opens_its_hash_and_no_two_hashes_are_the_same() {
        let stored = hash("Tr4in-to-Harbin").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(is_password("Tr4in-to-Harbin", Some(&stored)));
        assert!(!is_password("Tr4in-to-harbin", Some(&stored)) && !is_password("", Some(&stored)));
        assert_ne!(stored, hash("Tr4in-to-Harbin").unwrap());
        assert!(!is_password("x", Some("not a hash")));
    }

    #[test]
    fn nobody_is_checked_as_long_as_somebody() {
        let stored = hash("Tr4in-to-Harbin").unwrap();
        let time = |stored: Option<&str>| {
            let tries = (0..5).map(|_| {
                let began = Instant::now();
                assert!(!is_password("Tr4in-to-Moscow", stored));
                began.elapsed()
            });
            tries.min().unwrap()
        };
        let (known, unknown) = (time(Some(&stored)), time(None));
        assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} {unknown:?}");
    }

    #[test]
    fn the_list_is_in_small_letters_and_has_nothing_twice() {
        let lines: Vec<&str> = include_str!("../../../fixtures/common_passwords.txt").lines().collect();
        assert_eq!(lines.len(), COMMON.len());
        assert!(lines.iter().all(|line| *line == line.to_lowercase() && line.trim() == *line) && lines.len() > 300);
    }
}
