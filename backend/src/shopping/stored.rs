//! Searches and their offers as they are kept: one row per search, immutable. Ids come in one block: the search, its passengers, its offers;
//! so the search of an offer is the last one that begins before it. An offer that is priced again gets a row of its own beside the search; the
//! latest one is what the offer is, under the same ids.

use super::offer::PricedOffer;
use super::request::SearchRequest;
use crate::clock::Timestamp;
use crate::db::schema::{offer_pricing, offer_request};
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

    pub struct OfferPricingRow in offer_pricing {
        id: i64,
        offer_request_id: i64,
        offer_id: i64,
        offer: String,
        created_at: NaiveDateTime,
        expires_at: NaiveDateTime,
    }
}

/// How long an offer can be ordered after it was made or priced again.
pub const OFFER_LIFETIME_MINUTES: i64 = 30;

#[derive(Clone, Debug)]
pub struct StoredSearch {
    pub id: OfferRequestId,
    pub organisation: OrganisationId,
    pub agency: AgencyId,
    pub request: SearchRequest,
    /// At their latest prices.
    pub offers: Vec<PricedOffer>,
    pub created_at: Timestamp,
    expires_at: Timestamp,
    /// By position: when an offer was last priced again.
    priced_again: BTreeMap<usize, Priced>,
}

/// When the price of an offer was calculated, and until when it can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

impl StoredSearch {
    /// The offer of this id, if it is one of this search's.
    pub fn offer(&self, id: OfferId) -> Option<&PricedOffer> {
        self.offers.get(self.position(id)?)
    }

    /// Where in the search the offer of this id stands.
    pub fn position(&self, id: OfferId) -> Option<usize> {
        let first = self.id.raw() + 1 + i64::try_from(self.request.passengers.len()).ok()?;
        usize::try_from(id.raw() - first).ok().filter(|position| *position < self.offers.len())
    }

    pub fn priced(&self, position: usize) -> Priced {
        let first = Priced { at: self.created_at, expires_at: self.expires_at };
        self.priced_again.get(&position).copied().unwrap_or(first)
    }

    /// When the price of this offer was calculated last.
    pub fn priced_at(&self, offer: OfferId) -> Timestamp {
        self.position(offer).map_or(self.created_at, |position| self.priced(position).at)
    }

    pub fn is_expired(&self, offer: OfferId, now: Timestamp) -> bool {
        self.position(offer).is_none_or(|position| now >= self.priced(position).expires_at)
    }

    /// With the offers as they were last priced; rows in the order of their ids.
    fn at_latest(mut self, rows: Vec<OfferPricingRow>) -> Result<Self, DbError> {
        for row in rows {
            let corrupt = || DbError::Corrupt(format!("offer pricing {}", row.id));
            let position = self.position(OfferId::of(row.offer_id)).ok_or_else(corrupt)?;
            let offer = self.offers.get_mut(position).ok_or_else(corrupt)?;
            *offer = serde_json::from_str(&row.offer).map_err(|_| corrupt())?;
            let priced = Priced { at: Timestamp::from(row.created_at), expires_at: Timestamp::from(row.expires_at) };
            self.priced_again.insert(position, priced);
        }
        Ok(self)
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
            priced_again: BTreeMap::new(),
        })
    }
}

/// Searches that were made or ordered from lately, as they were last read: an offer may have been priced again on another node since. That authorises
/// nothing: the price is calculated anew at the order. Bounded: the oldest search makes room.
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

    /// The search that an offer belongs to, at the latest prices.
    pub fn of_offer(&self, db: &mut Db, offer: OfferId) -> Result<Option<Arc<StoredSearch>>, DbError> {
        let found = match self.recall(offer) {
            Some(search) => Some(search),
            None => search_as_made(db, offer)?.map(Arc::new),
        };
        let Some(search) = found else { return Ok(None) };
        let pricings = pricings_of(db, search.id)?;
        let latest = if pricings.is_empty() { search } else { Arc::new(Arc::unwrap_or_clone(search).at_latest(pricings)?) };
        self.remember(latest.clone());
        Ok(Some(latest))
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
    Ok(StoredSearch { id, organisation, agency, request, offers, created_at, expires_at, priced_again: BTreeMap::new() })
}

/// Keeps a new price of one of the search's offers, which can be ordered from now on for as long as a new one.
pub fn keep_pricing(tx: &mut WriteTx, search: OfferRequestId, offer: OfferId, priced: &PricedOffer) -> Result<Priced, DbError> {
    let (at, expires_at) = (tx.now, tx.now.plus(Duration::minutes(OFFER_LIFETIME_MINUTES)));
    let row = OfferPricingRow {
        id: tx.ids.block(1),
        offer_request_id: search.raw(),
        offer_id: offer.raw(),
        offer: serde_json::to_string(priced).map_err(|error| DbError::Corrupt(error.to_string()))?,
        created_at: at.naive(),
        expires_at: expires_at.naive(),
    };
    insert(tx, &[RowSet::of(&[row])])?;
    Ok(Priced { at, expires_at })
}

/// In the order in which they were made: ids of one search's pricings come from any node, so that time decides first.
fn pricings_of(db: &mut Db, search: OfferRequestId) -> Result<Vec<OfferPricingRow>, DbError> {
    let rows = offer_pricing::table.filter(offer_pricing::offer_request_id.eq(search.raw()));
    let ordered = rows.order((offer_pricing::created_at.asc(), offer_pricing::id.asc()));
    Ok(ordered.select(OfferPricingRow::as_select()).load(db)?)
}

/// A search with its offers at the latest prices.
pub fn search(db: &mut Db, id: OfferRequestId) -> Result<Option<StoredSearch>, DbError> {
    let row: Option<OfferRequestRow> =
        offer_request::table.find(id.raw()).select(OfferRequestRow::as_select()).first(db).optional()?;
    let Some(row) = row else { return Ok(None) };
    let pricings = pricings_of(db, id)?;
    StoredSearch::try_from(row)?.at_latest(pricings).map(Some)
}

/// The search that an offer belongs to, at the latest prices.
pub fn search_of_offer(db: &mut Db, offer: OfferId) -> Result<Option<StoredSearch>, DbError> {
    let Some(search) = search_as_made(db, offer)? else { return Ok(None) };
    let pricings = pricings_of(db, search.id)?;
    search.at_latest(pricings).map(Some)
}

fn search_as_made(db: &mut Db, offer: OfferId) -> Result<Option<StoredSearch>, DbError> {
    let before = offer_request::table.filter(offer_request::id.lt(offer.raw())).order(offer_request::id.desc());
    let row: Option<OfferRequestRow> = before.select(OfferRequestRow::as_select()).first(db).optional()?;
    let search = row.map(StoredSearch::try_from).transpose()?;
    Ok(search.filter(|search| search.offer(offer).is_some()))
}

/// The searches of these agencies, their offers as they were made.
pub fn searches_of(db: &mut Db, agencies: &[AgencyId], window: Window, limit: i64) -> Result<Vec<StoredSearch>, DbError> {
    let raw: Vec<i64> = agencies.iter().map(|id| id.raw()).collect();
    let of_agencies = offer_request::table.filter(offer_request::agency_id.eq_any(raw)).into_boxed();
    let query = windowed!(of_agencies, offer_request::id, window, limit);
    let rows: Vec<OfferRequestRow> = query.select(OfferRequestRow::as_select()).load(db)?;
    rows.into_iter().map(StoredSearch::try_from).collect()
}
