//! People to sign in as in the demo world: one for every role, with one password for all of them that is made anew for every world.

use super::seed::{OPERATOR, SeedError};
use crate::app::Platform;
use crate::audit::{Actor, Cause};
use crate::db::{DbError, Window, WriteTx};
use crate::identity::{
    NewUser, Organisation, OrganisationKind, add_user, change_password, hash, organisations, roles, sandbox_of, set_sandbox,
    user_by_email,
};
use crate::notify::{Language, Sealing};
use serde::{Deserialize, Serialize};

/// With everything that is needed to sign in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    pub email: String,
    pub password: String,
    pub organisation: String,
    pub roles: Vec<String>,
}

/// Every role of the operator, of a bank, of one airline and of each agency; people who may act in test mode do so for the organisation of the same name.
pub fn seed_people(platform: &Platform) -> Result<Vec<SignIn>, SeedError> {
    let mut bytes = [0u8; 6];
    getrandom::fill(&mut bytes).map_err(|error| DbError::Unavailable(error.to_string()))?;
    let password = format!("demo-{}", hex::encode(bytes));
    // Hashing is slow on purpose: once is enough for people who do not exist.
    let hashed = hash(&password).map_err(|error| DbError::Unavailable(error.to_string()))?;
    let live = &platform.live;
    let mut shown = live.store.read(|db| organisations(db, Window::NEWEST, 1_000))?;
    shown.reverse();
    let mut airline_seen = false;
    shown.retain(|organisation| {
        let first = organisation.kind != OrganisationKind::Airline || !airline_seen;
        airline_seen |= organisation.kind == OrganisationKind::Airline;
        first
    });
    let made = live.store.write(|tx| {
        let mut made = Vec::new();
        for organisation in &shown {
            for role in roles(tx.db, Some(organisation.kind))? {
                let email = format!("{}@{}.example", role.name, domain(&organisation.name));
                let roles = vec![role.name];
                person(tx, &*live.vault, organisation, (&email, &roles), &hashed)?;
                made.push(SignIn { email, password: password.clone(), organisation: organisation.name.clone(), roles });
            }
        }
        Ok::<_, SeedError>(made)
    })?;
    platform.test.store.write(|tx| {
        let there = organisations(tx.db, Window::NEWEST, 1_000)?;
        for live in &shown {
            let same = there.iter().find(|one| one.kind == live.kind && one.name == live.name);
            if let Some(same) = same.filter(|_| matches!(sandbox_of(tx.db, live.id), Ok(None))) {
                set_sandbox(tx, same.id, live.id)?;
            }
        }
        Ok::<_, SeedError>(())
    })?;
    Ok(made)
}

/// A person of a world that is there already gets the new password.
fn person(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    organisation: &Organisation,
    (email, roles): (&str, &[String]),
    hash: &str,
) -> Result<(), SeedError> {
    if let Some(known) = user_by_email(tx.db, email)? {
        let cause = Cause { actor: Actor::platform(), request_id: "seed".to_owned() };
        return Ok(change_password(tx, sealing, &cause, &known, hash, None)?);
    }
    let name = format!("{} {}", organisation.name.split(' ').next().unwrap_or(OPERATOR), roles.join(" "));
    add_user(
        tx,
        NewUser {
            organisation: organisation.id,
            email: email.to_owned(),
            name,
            language: Language::English,
            roles: roles.to_vec(),
            password_hash: hash.to_owned(),
        },
    )?;
    Ok(())
}

/// `Beijing Blue Sky Travel` is at `beijing-blue-sky-travel`.
fn domain(name: &str) -> String {
    let words = name.to_lowercase();
    let words: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}
