//! The people of orders, and how far they may be corrected: the trade's rule a second time.

use super::{Holding, Model};
use crate::model::flights::Coupon;
use airsettle::ordering::Title;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traveller {
    pub title: Title,
    pub family_name: String,
    /// Where it is another one by now.
    pub on_ticket: Option<String>,
    pub email: Option<String>,
}

/// What is to be corrected.
#[derive(Clone, Copy, Debug)]
pub enum Edit {
    Email(&'static str),
    FamilyName(&'static str),
    Title(Title),
}

/// Everybody begins as the same.
pub(super) fn travellers(count: usize) -> Vec<Traveller> {
    let one = Traveller { title: Title::Ms, family_name: "Zhang".into(), on_ticket: None, email: None };
    vec![one; count]
}

/// The fewest letters to add, leave out or replace.
fn slips(from: &[u8], to: &[u8]) -> usize {
    match (from, to) {
        ([], rest) | (rest, []) => rest.len(),
        ([one, from @ ..], [other, to @ ..]) if one.eq_ignore_ascii_case(other) => slips(from, to),
        ([_, less @ ..], [_, fewer @ ..]) => 1 + slips(less, fewer).min(slips(less, to)).min(slips(from, fewer)),
    }
}

impl Traveller {
    fn corrects(&mut self, edit: Edit) {
        match edit {
            Edit::Email(email) => self.email = Some(email.into()),
            Edit::FamilyName(name) => self.family_name = name.into(),
            Edit::Title(title) => self.title = title,
        }
    }

    /// At most three letters of the name on the ticket, and no more than half of it.
    fn may_be(&self, name: &str) -> bool {
        let ticketed = self.on_ticket.as_ref().unwrap_or(&self.family_name);
        let slips = slips(ticketed.as_bytes(), name.as_bytes());
        slips <= 3 && slips * 2 <= ticketed.len()
    }
}

impl Model {
    /// Of an order with tickets.
    pub fn edits(&mut self, place: usize, passenger: usize, edit: Edit) -> Result<(), String> {
        let sale = &self.sales[place];
        if sale.voided || sale.cancelled {
            return Err("the order was cancelled at".into());
        }
        let (party, passenger) = (sale.party, passenger % sale.tickets.len());
        let coupons: Vec<Coupon> =
            (0..sale.tickets[passenger].coupons).map(|number| self.coupon(place, passenger, number)).collect();
        let traveller = &mut self.people[party][passenger];
        match edit {
            Edit::Title(title) if title != traveller.title => return Err("the title belongs to the ticket".into()),
            Edit::Title(_) | Edit::Email(_) => traveller.corrects(edit),
            Edit::FamilyName(name) => {
                if !traveller.may_be(name) {
                    return Err("the ticket's family name may not be corrected so far".into());
                }
                let taken = coupons.iter().position(|coupon| *coupon != Coupon::Open);
                if let Some(number) = taken.filter(|_| name != traveller.family_name) {
                    return Err(format!("coupon {} of ticket", number + 1));
                }
                let ticketed = traveller.on_ticket.clone().unwrap_or_else(|| traveller.family_name.clone());
                traveller.corrects(edit);
                traveller.on_ticket = (ticketed != name).then_some(ticketed);
            }
        }
        Ok(())
    }

    /// Of one that is held: no ticket carries anything yet.
    pub fn edits_hold(&mut self, place: usize, passenger: usize, edit: Edit) -> Result<(), String> {
        if self.state.holds[place] != Holding::Held {
            return Err("the order was cancelled at".into());
        }
        if self.is_overdue(place) {
            return Err("the order had to be paid by".into());
        }
        let party = &mut self.people[self.holds[place].party];
        let passenger = passenger % party.len();
        party[passenger].corrects(edit);
        Ok(())
    }
}
