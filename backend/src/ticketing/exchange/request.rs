//! Which orders can be changed, and choosing an offer. Nothing is reserved before the confirmation.

use super::error::ChangeError;
use super::stored::{OrderChangeRow, change_request_of_offer};
use crate::audit::{self, Cause};
use crate::db::{RowSet, WriteTx, insert};
use crate::ids::{Id, OrderChangeId, OrderChangeOfferId};
use crate::ticketing::coupon::CouponStatus;
use crate::ticketing::ticket::IssuedOrder;

/// Whether anything of the order can still be exchanged.
pub fn check_changeable(issued: &IssuedOrder) -> Result<(), ChangeError> {
    if let Some(at) = issued.order.cancelled_at {
        return Err(ChangeError::Cancelled { at: at.into() });
    }
    let open = |coupon: &crate::ticketing::CouponRow| coupon.status == CouponStatus::Open.text();
    if issued.coupons.iter().any(open) { Ok(()) } else { Err(ChangeError::NothingOpen) }
}

/// Chooses an offer: a change that can be confirmed until it expires.
pub fn choose_change(tx: &mut WriteTx, cause: &Cause, offer: OrderChangeOfferId) -> Result<OrderChangeRow, ChangeError> {
    let request = change_request_of_offer(tx.db, offer)?.ok_or(ChangeError::NotFound)?;
    if tx.now >= request.expires_at {
        return Err(ChangeError::Expired { at: request.expires_at });
    }
    let chosen = request.offer(offer).ok_or(ChangeError::NotFound)?;
    let row = OrderChangeRow {
        id: tx.ids.next::<OrderChangeId>().raw(),
        order_id: request.order.raw(),
        agency_id: request.agency.raw(),
        offer_id: offer.raw(),
        currency: chosen.currency()?.code().to_owned(),
        new_total_minor: chosen.journey.total()?.minor,
        penalty_minor: chosen.penalty()?.minor,
        change_minor: chosen.change_total()?.minor,
        expires_at: request.expires_at.naive(),
        created_at: tx.now.naive(),
        confirmed_at: None,
        voided_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    audit::record(tx, cause, "order.choose_change", OrderChangeId::of(row.id))?;
    Ok(row)
}
