//! Searches and their offers as they are kept: one row per search, immutable. Ids come in one block: the search, its passengers, its offers;
//! so the search of an offer is the last one that begins before it.

use super::offer::PricedOffer;
use super::request::SearchRequest;
use crate::clock::Timestamp;
use crate::db::schema::offer_request;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, OfferId, OfferRequestId, OrganisationId};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

rows! {
    pub struct OfferRequestRow in offer_request {
        id: i64,
        organisation_id: i64,
        agency_id: i64,
        passenger_count: i64,
        offer_count: i64,
        request: String,
        offers: String,
        created_at: NaiveDateTime,
        expires_at: NaiveDateTime,
    }
}

/// How long an offer can be ordered.
pub const OFFER_LIFETIME_MINUTES: i64 = 30;

#[derive(Clone, Debug)]
pub struct StoredSearch {
    pub id: OfferRequestId,
    pub organisation: OrganisationId,
    pub agency: AgencyId,
    pub request: SearchRequest,
    pub offers: Vec<PricedOffer>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl StoredSearch {
    /// The offer of this id, if it is one of this search's.
    pub fn offer(&self, id: OfferId) -> Option<&PricedOffer> {
        let first = self.id.raw() + 1 + i64::try_from(self.request.passengers.len()).ok()?;
        self.offers.get(usize::try_from(id.raw() - first).ok()?)
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

impl TryFrom<OfferRequestRow> for StoredSearch {
    type Error = DbError;

    fn try_from(row: OfferRequestRow) -> Result<Self, DbError> {
        let corrupt = |_| DbError::Corrupt(format!("offer request {}", row.id));
        Ok(StoredSearch {
            id: OfferRequestId::of(row.id),
            organisation: OrganisationId::of(row.organisation_id),
            agency: AgencyId::of(row.agency_id),
            request: serde_json::from_str(&row.request).map_err(corrupt)?,
            offers: serde_json::from_str(&row.offers).map_err(corrupt)?,
            created_at: Timestamp::from(row.created_at),
            expires_at: Timestamp::from(row.expires_at),
        })
    }
}

/// Searches that were made or ordered from lately. They never change, so that remembering one authorises nothing; the price is calculated anew at
/// the order. Bounded: the oldest search makes room.
#[derive(Debug, Default)]
pub struct RecentSearches(Mutex<BTreeMap<i64, Arc<StoredSearch>>>);

const MOST_RECENT: usize = 512;

impl RecentSearches {
    pub fn remember(&self, search: Arc<StoredSearch>) {
        let mut recent = self.0.lock();
        recent.insert(search.id.raw(), search);
        while recent.len() > MOST_RECENT {
            recent.pop_first();
        }
    }

    /// The search that an offer belongs to, if it is remembered.
    pub fn recall(&self, offer: OfferId) -> Option<Arc<StoredSearch>> {
        let known = self.0.lock().range(..offer.raw()).next_back().map(|(_, search)| search.clone());
        known.filter(|search| search.offer(offer).is_some())
    }

    /// The search that an offer belongs to.
    pub fn of_offer(&self, db: &mut Db, offer: OfferId) -> Result<Option<Arc<StoredSearch>>, DbError> {
        if let Some(search) = self.recall(offer) {
            return Ok(Some(search));
        }
        let found = search_of_offer(db, offer)?.map(Arc::new);
        if let Some(search) = &found {
            self.remember(search.clone());
        }
        Ok(found)
    }
}

/// Keeps a search. The block of ids begins with the search's own.
pub fn keep_search(
    tx: &mut WriteTx,
    organisation: OrganisationId,
    agency: AgencyId,
    request: SearchRequest,
    offers: Vec<PricedOffer>,
) -> Result<StoredSearch, DbError> {
    let json = |error: serde_json::Error| DbError::Corrupt(error.to_string());
    let row = OfferRequestRow {
        id: tx.ids.block(1 + request.passengers.len() + offers.len()),
        organisation_id: organisation.raw(),
        agency_id: agency.raw(),
        passenger_count: i64::try_from(request.passengers.len()).unwrap_or(i64::MAX),
        offer_count: i64::try_from(offers.len()).unwrap_or(i64::MAX),
        request: serde_json::to_string(&request).map_err(json)?,
        offers: serde_json::to_string(&offers).map_err(json)?,
        created_at: tx.now.naive(),
        expires_at: tx.now.plus(Duration::minutes(OFFER_LIFETIME_MINUTES)).naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let (created_at, expires_at) = (Timestamp::from(row.created_at), Timestamp::from(row.expires_at));
    let id = OfferRequestId::of(row.id);
    Ok(StoredSearch { id, organisation, agency, request, offers, created_at, expires_at })
}

pub fn search(db: &mut Db, id: OfferRequestId) -> Result<Option<StoredSearch>, DbError> {
    let row: Option<OfferRequestRow> =
        offer_request::table.find(id.raw()).select(OfferRequestRow::as_select()).first(db).optional()?;
    row.map(StoredSearch::try_from).transpose()
}

/// The search that an offer belongs to.
pub fn search_of_offer(db: &mut Db, offer: OfferId) -> Result<Option<StoredSearch>, DbError> {
    let before = offer_request::table.filter(offer_request::id.lt(offer.raw())).order(offer_request::id.desc());
    let row: Option<OfferRequestRow> = before.select(OfferRequestRow::as_select()).first(db).optional()?;
    let search = row.map(StoredSearch::try_from).transpose()?;
    Ok(search.filter(|search| search.offer(offer).is_some()))
}

/// The searches of these agencies.
pub fn searches_of(db: &mut Db, agencies: &[AgencyId], window: Window, limit: i64) -> Result<Vec<StoredSearch>, DbError> {
    let raw: Vec<i64> = agencies.iter().map(|id| id.raw()).collect();
    let of_agencies = offer_request::table.filter(offer_request::agency_id.eq_any(raw)).into_boxed();
    let query = windowed!(of_agencies, offer_request::id, window, limit);
    let rows: Vec<OfferRequestRow> = query.select(OfferRequestRow::as_select()).load(db)?;
    rows.into_iter().map(StoredSearch::try_from).collect()
}
