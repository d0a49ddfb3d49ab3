//! Updates of an order: the client's own notes, and its passengers as far as their tickets allow.
//!
//! Protocol: the agency is locked, so that no payment comes in between; what is updated is read under that lock.

use super::actions::{ActionFacts, Obstacle, OrderAction};
use super::coupon::CouponStatus;
use super::journey::coupons_of;
use super::ticket::{CouponRow, IssuedOrder, issued_orders};
use super::void::cancellation_of;
use crate::audit::{self, Cause};
use crate::catalogue::{CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::db::{Change, Contended, DbError, WriteTx, lock, update};
use crate::ids::{AgencyId, Id, OrderId, PassengerId};
use crate::notify::{EventType, NewEvent, emit};
use crate::ordering::{
    DocumentFault, DocumentKind, EditRefusal, Person, PersonEdit, Sealed, Stage, Vault, VaultError, edited, forget_names, order,
    reseal, serialise_names,
};

#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error("there is no such order or passenger")]
    NotFound,
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    #[error(transparent)]
    Edit(#[from] EditRefusal),
    /// The document at this place of the list.
    #[error("{fault}")]
    Document { place: usize, fault: DocumentFault },
    #[error("the passenger's data were erased")]
    Erased,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Puts the client's notes (JSON) in the place of those that the order has.
pub fn update_metadata(tx: &mut WriteTx, cause: &Cause, id: OrderId, metadata: &str) -> Result<(), UpdateError> {
    let issued = lock_order(tx, id)?;
    update(tx, "air_order", &["metadata"], &[Change { id: issued.order.id, values: vec![metadata.into()] }])?;
    audit::record(tx, cause, "order.update", id)?;
    Ok(tell(tx, cause, &issued)?)
}

/// Corrects a passenger, whom clients know by the id of the offer.
pub fn update_passenger(
    tx: &mut WriteTx,
    (catalogue, vault): (&Catalogue, &Vault),
    cause: &Cause,
    id: OrderId,
    passenger: PassengerId,
    edit: &PersonEdit,
) -> Result<(), UpdateError> {
    serialise_names(tx)?;
    let issued = lock_order(tx, id)?;
    let found = issued.passengers.iter().find(|(row, _)| row.offer_passenger_id == passenger.raw());
    let (row, key) = found.ok_or(UpdateError::NotFound)?;
    if key.wrapped.is_empty() {
        return Err(UpdateError::Erased);
    }
    let person = vault.open(&Sealed { data: row.sealed.clone(), wrapped_key: key.wrapped.clone() })?;
    check_documents(&person, edit)?;
    // Those that the passenger flies on, not those that were given for them.
    let coupons: Vec<&CouponRow> = coupons_of(&issued, row.id);
    let ticket = coupons.last().and_then(|coupon| issued.tickets.iter().find(|ticket| ticket.id == coupon.ticket_id));
    let carrier = coupons.first().and_then(|coupon| CarrierCode::parse(&coupon.carrier));
    let rule = ticket.zip(carrier).and_then(|(ticket, carrier)| catalogue.name_corrections.of(carrier, ticket.issue_date));
    let after = edited(&person, edit, if ticket.is_some() { Stage::Ticketed(rule) } else { Stage::Held })?;
    let renamed = (&after.given_name, &after.family_name) != (&person.given_name, &person.family_name);
    if renamed {
        check_open(&issued, &coupons)?;
    }
    let sealed = vault.seal(&after)?;
    // From here on the correction must succeed. Under its new name the person is found when the event is read.
    forget_names(tx, vault, row, &person)?;
    reseal(tx, row, &sealed)?;
    audit::record(tx, cause, "order.update_passenger", id)?;
    Ok(tell(tx, cause, &issued)?)
}

fn tell(tx: &mut WriteTx, cause: &Cause, issued: &IssuedOrder) -> Result<(), DbError> {
    let event = NewEvent::new(EventType::OrderUpdated, OrderId::of(issued.order.id));
    emit(tx, event.of_agency(AgencyId::of(issued.order.agency_id)).caused_by(&cause.request_id))
}

fn lock_order(tx: &mut WriteTx, id: OrderId) -> Result<IssuedOrder, UpdateError> {
    let known = order(tx.db, id)?.ok_or(UpdateError::NotFound)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    let rows = order(tx.db, id)?.into_iter().collect();
    let issued = issued_orders(tx.db, rows)?.pop().ok_or(UpdateError::NotFound)?;
    let confirmed = cancellation_of(tx.db, &issued.order)?.and_then(|row| row.confirmed_at);
    let cancelled_at = confirmed.or(issued.order.cancelled_at).map(Timestamp::from);
    ActionFacts { issued: &issued, cancelled_at, void_window_ends_at: None, now: tx.now }.allows(OrderAction::Update)??;
    Ok(issued)
}

fn check_documents(person: &Person, edit: &PersonEdit) -> Result<(), UpdateError> {
    for (place, document) in edit.documents.iter().flatten().enumerate() {
        let kind = DocumentKind::parse(&document.kind);
        let checked = kind.map_or(Ok(()), |kind| kind.check(&document.unique_identifier, person.born_on));
        checked.map_err(|fault| UpdateError::Document { place, fault })?;
    }
    Ok(())
}

/// A name that an airline has begun to check in stays.
fn check_open(issued: &IssuedOrder, coupons: &[&CouponRow]) -> Result<(), UpdateError> {
    for coupon in coupons {
        if coupon.status()? != CouponStatus::Open {
            let (ticket, status) = (issued.number_of(coupon).to_owned(), coupon.status.clone());
            return Err(Obstacle::CouponNotOpen { ticket, coupon: coupon.number_on_document(), status }.into());
        }
    }
    Ok(())
}
