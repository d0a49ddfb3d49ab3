//! What has met a velocity rule, as it is kept.

use super::watch::Hit;
use crate::audit::ActorId;
use crate::db::schema::velocity_hit as table;
use crate::db::{Db, DbError, Window, WriteTx, rows, windowed};
use crate::ids::{AgencyId, AirlineId, Id, OrderId, VelocityHitId, VelocityRuleId};
use crate::notify::{EventRow, EventType, NewEvent};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct VelocityHitRow in velocity_hit {
        id: i64,
        rule_id: i64,
        agency_id: i64,
        key_id: i64,
        airline_id: i64,
        route: String,
        /// None where the sale was refused.
        order_id: Option<i64>,
        reached: i64,
        most: i64,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug)]
pub struct VelocityHit {
    pub id: VelocityHitId,
    pub rule: VelocityRuleId,
    pub agency: AgencyId,
    pub by: ActorId,
    pub airline: AirlineId,
    pub route: String,
    pub order: Option<OrderId>,
    pub reached: i64,
    pub most: i64,
    pub created_at: NaiveDateTime,
}

impl From<VelocityHitRow> for VelocityHit {
    fn from(row: VelocityHitRow) -> Self {
        VelocityHit {
            id: VelocityHitId::of(row.id),
            rule: VelocityRuleId::of(row.rule_id),
            agency: AgencyId::of(row.agency_id),
            by: ActorId::of(row.key_id),
            airline: AirlineId::of(row.airline_id),
            route: row.route,
            order: row.order_id.map(OrderId::of),
            reached: row.reached,
            most: row.most,
            created_at: row.created_at,
        }
    }
}

/// The row of a hit and its event, which names no agency as concerned: only the operator hears of it.
pub fn hit_row(tx: &WriteTx, hit: &Hit, order: Option<OrderId>) -> Option<(VelocityHitRow, EventRow)> {
    let rule = hit.rule()?;
    let id: VelocityHitId = tx.ids.next();
    let row = VelocityHitRow {
        id: id.raw(),
        rule_id: rule.id.raw(),
        agency_id: hit.sale.agency.raw(),
        key_id: hit.sale.by.stored(),
        airline_id: hit.sale.airline.raw(),
        route: hit.sale.route.to_string(),
        order_id: order.map(Id::raw),
        reached: hit.reached,
        most: hit.most,
        created_at: tx.now.naive(),
    };
    let event = NewEvent::new(EventType::VelocityHit, id).naming("velocity_rule_id", rule.id);
    Some((row, EventRow::first(tx, event)))
}

/// Of one agency, or of all; newest first.
pub fn velocity_hits(db: &mut Db, of: Option<AgencyId>, window: Window, limit: i64) -> Result<Vec<VelocityHit>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agency) = of {
        query = query.filter(table::agency_id.eq(agency.raw()));
    }
    let rows: Vec<VelocityHitRow> = query.select(VelocityHitRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(VelocityHit::from).collect())
}
