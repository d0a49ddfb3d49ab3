//! The proof of what limits are made of and of what stands still: the copies that a sale reads are what the registers say.

use super::guarantee::first_miscounted;
use super::limit_terms::LimitTerms;
use crate::agencies::{Agency, AgencyRow};
use crate::db::schema::{agency, kill_switch};
use crate::db::{Db, DbError};
use crate::ids::Id;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use std::collections::BTreeSet;

const COUNTED: &str = "a guarantee counts with what was not called of it, after its haircut";
const TERMS: &str = "what an agency's limit is made of is what its guarantees, temporary limits and last review say";
const FROZEN: &str = "what of an agency stands still is what its kill switches say";

/// How many rules [`first_wrong_credit`] proves.
pub const CREDIT_RULES: usize = RULES.len() + 3;

const RULES: &[(&str, &str)] = &[
    (
        "a temporary limit was approved by two",
        "SELECT CAST(t.id AS TEXT) AS wrong FROM temporary_limit t
         LEFT JOIN approval a ON a.id = t.approval_id AND a.kind = 'temporary_limit' AND a.status = 'approved'
         WHERE a.id IS NULL LIMIT 1",
    ),
    (
        "a kill switch was lifted by two",
        "SELECT CAST(k.id AS TEXT) AS wrong FROM kill_switch k
         LEFT JOIN approval a ON a.id = k.approval_id AND a.status = 'approved'
            AND a.kind = CASE k.grounds WHEN 'default' THEN 'reinstate' ELSE 'unfreeze' END
         WHERE k.lifted_at IS NOT NULL AND a.id IS NULL LIMIT 1",
    ),
    (
        "an airline and a bank line whose kill switch is on stand still",
        "SELECT CAST(k.id AS TEXT) AS wrong FROM kill_switch k LEFT JOIN airline l ON l.id = k.airline_id
         LEFT JOIN facility f ON f.id = k.facility_id
         WHERE k.lifted_at IS NULL AND (l.status = 'active' OR f.status = 'open') LIMIT 1",
    ),
    (
        "what a score takes from a limit is what the last decision says",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM agency a LEFT JOIN score s ON s.id =
            (SELECT l.id FROM score l WHERE l.agency_id = a.id ORDER BY l.taken_at DESC, l.id DESC LIMIT 1)
         WHERE a.caution <> COALESCE(s.grade || '/' || s.multiplier || '/' || COALESCE(CAST(s.cap_minor AS TEXT), '-') || '/' || s.status, '')
         LIMIT 1",
    ),
    (
        "an alert was given when its part of the limit was used",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM limit_alert a
         WHERE a.exposure_minor <= 0 OR 1.0 * a.exposure_minor * 100 < 1.0 * a.limit_minor * a.percent LIMIT 1",
    ),
];

#[derive(QueryableByName)]
struct Wrong {
    #[diesel(sql_type = Text)]
    wrong: String,
}

/// The first row that breaks a rule, with the rule.
pub fn first_wrong_credit(db: &mut Db) -> Result<Option<(&'static str, String)>, DbError> {
    for (rule, query) in RULES {
        let wrong: Vec<Wrong> = sql_query(*query).load(db)?;
        if let Some(row) = wrong.into_iter().next() {
            return Ok(Some((rule, row.wrong)));
        }
    }
    let rows: Vec<AgencyRow> = agency::table.order(agency::id).select(AgencyRow::as_select()).load(db)?;
    for row in rows {
        let agency = Agency::try_from(row)?;
        if LimitTerms::in_register(db, agency.id, agency.currency)?.text() != agency.limit_terms {
            return Ok(Some((TERMS, agency.id.to_string())));
        }
        let on = kill_switch::table.filter(kill_switch::agency_id.eq(agency.id.raw())).filter(kill_switch::lifted_at.is_null());
        let scopes: Vec<String> = on.select(kill_switch::scopes).load(db)?;
        let scopes: BTreeSet<&str> = scopes.iter().flat_map(|scopes| scopes.split(' ')).collect();
        if scopes.into_iter().collect::<Vec<_>>().join(" ") != agency.frozen.text() {
            return Ok(Some((FROZEN, agency.id.to_string())));
        }
    }
    Ok(first_miscounted(db)?.map(|id| (COUNTED, id.to_string())))
}
