//! Corrections of people.

use super::History;
use crate::model::{Edit, Holding, Traveller};
use crate::world::World;
use airsettle::ids::{Id, OrderId, PassengerId};
use airsettle::ordering::{Gender, Person, PersonEdit, Sealed, Title, Vault, passengers_of};
use airsettle::ticketing::update_passenger;
use chrono::NaiveDate;
use std::cell::RefCell;
use std::collections::HashMap;

/// Their data, under lock.
pub(super) struct People {
    vault: Vault,
    /// Everybody begins as the same.
    pub(super) stranger: Sealed,
    /// What was opened already, by what it was opened from.
    opened: RefCell<HashMap<Vec<u8>, Traveller>>,
}

impl People {
    pub(super) fn begin() -> Self {
        let vault = Vault::from_hex(&"01".repeat(32)).unwrap();
        let person = Person {
            title: Title::Ms,
            gender: Gender::F,
            given_name: "Xiaoming".into(),
            family_name: "Zhang".into(),
            born_on: NaiveDate::from_ymd_opt(1990, 2, 28).unwrap(),
            email: None,
            phone_number: None,
            infant: None,
            documents: Vec::new(),
            ticketed: None,
        };
        let stranger = vault.seal(&person).unwrap();
        People { vault, stranger, opened: RefCell::default() }
    }

    /// The people of these orders, as the database has them.
    pub(super) fn now(&self, world: &World, orders: &[OrderId]) -> Vec<Vec<Traveller>> {
        let rows = world.read(|db| passengers_of(db, orders));
        let mut opened = self.opened.borrow_mut();
        let mut people = vec![Vec::new(); orders.len()];
        for (row, key) in rows {
            let place = orders.iter().position(|order| order.raw() == row.order_id).unwrap();
            let sealed = Sealed { data: row.sealed, wrapped_key: key.wrapped };
            let traveller = opened.entry(sealed.data.clone()).or_insert_with(|| {
                let person = self.vault.open(&sealed).unwrap();
                let Person { title, family_name, email, ticketed, .. } = person;
                Traveller { title, family_name, on_ticket: ticketed.map(|name| name.family_name), email }
            });
            people[place].push(traveller.clone());
        }
        people
    }
}

fn correction(edit: Edit) -> (&'static str, PersonEdit) {
    let none = PersonEdit::default();
    match edit {
        Edit::Email(email) => ("correct a contact", PersonEdit { email: Some(email.into()), ..none }),
        Edit::FamilyName(name) => ("correct a name", PersonEdit { family_name: Some(name.into()), ..none }),
        Edit::Title(title) => ("correct a title", PersonEdit { title: Some(title), ..none }),
    }
}

impl History {
    pub(super) fn edits(&mut self, index: usize, passenger: usize, edit: Edit) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let expected = self.model.edits(place, passenger, edit);
        self.corrects(self.sold[place], passenger, edit, expected);
    }

    /// One that was paid has tickets and is corrected by the other verb.
    pub(super) fn edits_hold(&mut self, index: usize, passenger: usize, edit: Edit) {
        let Some(place) = self.held.len().checked_sub(1 + index) else { return };
        if self.model.state.holds[place] == Holding::Paid {
            return;
        }
        let expected = self.model.edits_hold(place, passenger, edit);
        self.corrects(OrderId::of(self.held[place].0.order.id), passenger, edit, expected);
    }

    fn corrects(&mut self, order: OrderId, passenger: usize, edit: Edit, expected: Result<(), String>) {
        let world = &self.world;
        let people = world.read(|db| passengers_of(db, &[order]));
        let who = PassengerId::of(people[passenger % people.len()].0.offer_passenger_id);
        let (what, correction) = correction(edit);
        let desk = (world.catalogue(), &self.people.vault);
        let done = world.store.write(|tx| update_passenger(tx, desk, &world.cause(), order, who, &correction));
        self.agrees(what, done, expected);
    }
}
