//! Corrections of the people on an order: what may still be corrected is a pure decision; what is corrected is sealed anew under a new key, so that the
//! old data and the key that opened it are both gone from their rows.

use super::name_index::{forget_names, serialise_names};
use super::order::PassengerRow;
use super::personal::{Gender, Person, PersonDocument, PersonName, Sealed, Title, Vault};
use crate::catalogue::name_corrections::NameCorrection;
use crate::db::schema::{passenger, person_key};
use crate::db::{DbError, WriteTx};
use diesel::prelude::*;

/// What is to be corrected; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonEdit {
    pub title: Option<Title>,
    pub gender: Option<Gender>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    /// In the place of all documents.
    pub documents: Option<Vec<PersonDocument>>,
}

/// What the order has come to.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// No ticket carries the name yet.
    Held,
    /// The name stands on a ticket; the rule says how much of it may be corrected, and none that nothing may.
    Ticketed(Option<&'a NameCorrection>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditRefusal {
    #[error("the ticket's given name may not be corrected so far: that is another passenger")]
    GivenName,
    #[error("the ticket's family name may not be corrected so far: that is another passenger")]
    FamilyName,
    #[error("the title belongs to the ticket and stays as it was issued")]
    Title,
    #[error("the gender belongs to the ticket and stays as it was issued")]
    Gender,
}

/// The person after the correction. A name is measured against the one on the ticket, however often it was corrected.
pub fn edited(person: &Person, edit: &PersonEdit, stage: Stage<'_>) -> Result<Person, EditRefusal> {
    let mut after = Person {
        title: edit.title.unwrap_or(person.title),
        gender: edit.gender.unwrap_or(person.gender),
        given_name: edit.given_name.clone().unwrap_or_else(|| person.given_name.clone()),
        family_name: edit.family_name.clone().unwrap_or_else(|| person.family_name.clone()),
        email: edit.email.clone().or_else(|| person.email.clone()),
        phone_number: edit.phone_number.clone().or_else(|| person.phone_number.clone()),
        documents: edit.documents.clone().unwrap_or_else(|| person.documents.clone()),
        ..person.clone()
    };
    let Stage::Ticketed(rule) = stage else { return Ok(after) };
    if after.title != person.title {
        return Err(EditRefusal::Title);
    }
    if after.gender != person.gender {
        return Err(EditRefusal::Gender);
    }
    let on_ticket = person.on_ticket();
    let may_be = |ticketed: &str, name: &str| ticketed == name || rule.is_some_and(|rule| rule.allows(ticketed, name));
    if !may_be(&on_ticket.given_name, &after.given_name) {
        return Err(EditRefusal::GivenName);
    }
    if !may_be(&on_ticket.family_name, &after.family_name) {
        return Err(EditRefusal::FamilyName);
    }
    let corrected = (&after.given_name, &after.family_name) != (&on_ticket.given_name, &on_ticket.family_name);
    after.ticketed = corrected.then_some(on_ticket);
    Ok(after)
}

impl Person {
    /// The name that the ticket was issued in.
    pub fn on_ticket(&self) -> PersonName {
        let now = || PersonName { given_name: self.given_name.clone(), family_name: self.family_name.clone() };
        self.ticketed.clone().unwrap_or_else(now)
    }
}

/// Puts newly sealed data in the place of a passenger's, with its key in the place of the old one. The order's agency is locked.
pub fn reseal(tx: &mut WriteTx, person: &PassengerRow, sealed: &Sealed) -> Result<(), DbError> {
    let row = passenger::table.find(person.id);
    diesel::update(row).set(passenger::sealed.eq(sealed.data.clone())).execute(&mut *tx.db)?;
    let key = person_key::table.find(person.id);
    diesel::update(key).set(person_key::wrapped.eq(sealed.wrapped_key.clone())).execute(&mut *tx.db)?;
    Ok(())
}

/// Erases a person: without the key nothing of it can be read any more, and by its name it is not found.
pub fn erase(tx: &mut WriteTx, vault: &Vault, person: &PassengerRow) -> Result<(), DbError> {
    serialise_names(tx)?;
    let wrapped: Option<Vec<u8>> = person_key::table.find(person.id).select(person_key::wrapped).first(&mut *tx.db).optional()?;
    if let Some(wrapped_key) = wrapped {
        let sealed = passenger::table.find(person.id).select(passenger::sealed).first(&mut *tx.db)?;
        let known = vault.open(&Sealed { data: sealed, wrapped_key });
        let known = known.map_err(|error| DbError::Corrupt(format!("passenger {}: {error}", person.id)))?;
        forget_names(tx, vault, person, &known)?;
    }
    diesel::delete(person_key::table.find(person.id)).execute(&mut *tx.db)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::catalogue::{CarrierCode, Catalogue};

    fn person() -> Person {
        Person {
            title: Title::Ms,
            gender: Gender::F,
            given_name: "Xiaoming".into(),
            family_name: "Zhang".into(),
            born_on: chrono::NaiveDate::from_ymd_opt(1990, 2, 28).unwrap(),
            email: Some("old@example.com".into()),
            phone_number: None,
            infant: None,
            documents: Vec::new(),
            ticketed: None,
        }
    }

    fn renamed(family_name: &str) -> PersonEdit {
        PersonEdit { family_name: Some(family_name.into()), ..PersonEdit::default() }
    }

    #[test]
    fn before_the_ticket_everything_but_the_person_is_corrected() {
        let edit = PersonEdit {
            title: Some(Title::Mr),
            gender: Some(Gender::M),
            email: Some("new@example.com".into()),
            ..renamed("Ouyang")
        };
        let after = edited(&person(), &edit, Stage::Held).unwrap();
        assert_eq!(
            (after.title, after.family_name.as_str(), after.email.as_deref()),
            (Title::Mr, "Ouyang", Some("new@example.com"))
        );
        assert_eq!((after.given_name, after.born_on, after.ticketed), (person().given_name, person().born_on, None));
    }

    #[test]
    fn after_it_a_slip_is_corrected_and_the_name_on_the_ticket_is_kept() {
        let catalogue = Catalogue::load().unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let stage = Stage::Ticketed(catalogue.name_corrections.of(CarrierCode::parse("CA").unwrap(), day));
        let once = edited(&person(), &renamed("Zhong"), stage).unwrap();
        assert_eq!(once.on_ticket().family_name, "Zhang");
        assert_eq!(edited(&once, &renamed("Zhung"), stage).unwrap().on_ticket().family_name, "Zhang");
        // Step by step is no way to another name.
        assert_eq!(edited(&once, &renamed("Wang"), stage).map(|after| after.family_name), Ok("Wang".into()));
        assert_eq!(edited(&once, &renamed("Wong"), stage), Err(EditRefusal::FamilyName));
        assert_eq!(edited(&once, &renamed("Zhang"), stage).unwrap().ticketed, None, "back to what it was");
        assert_eq!(edited(&person(), &renamed("Zhong"), Stage::Ticketed(None)), Err(EditRefusal::FamilyName));
    }

    #[test]
    fn title_and_gender_stay_with_the_ticket_and_contacts_do_not() {
        let of = |edit: PersonEdit| edited(&person(), &edit, Stage::Ticketed(None));
        assert_eq!(of(PersonEdit { title: Some(Title::Mr), ..PersonEdit::default() }), Err(EditRefusal::Title));
        assert_eq!(of(PersonEdit { gender: Some(Gender::M), ..PersonEdit::default() }), Err(EditRefusal::Gender));
        let contact =
            PersonEdit { phone_number: Some("+8613800138000".into()), documents: Some(Vec::new()), ..PersonEdit::default() };
        assert_eq!(of(contact).unwrap().phone_number.as_deref(), Some("+8613800138000"));
    }
}
