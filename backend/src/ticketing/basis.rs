//! What an order is prepared from: the key of its caller, the agency that sells, and the terms that agency has signed. To read these for every order
//! would cost more than the order itself, so they are remembered; but no memory authorises a sale. The commit that issues an order reads again whether
//! its basis still stands, before it takes even the key of the order, and hands back an order that was prepared from something else.
//!
//! What can change: a key's row; where a person sells, the session and what its user may do; which agency a key without one sells for (its organisation's only one) and its tier; the agency's contracts, whose
//! versions are added and never changed, so that their number tells; the commission rules, whose generation tells. Everything else of the agency and
//! the airline that a sale depends on is read under lock.

use crate::agencies::{Agency, Signed, signed_by};
use crate::airlines::Airline;
use crate::commission::{Terms, rules_generation};
use crate::db::{DbError, WriteTx};
use crate::identity::{ApiKey, KeyMode, SignedIn, keys_by_id, sessions_by_id};
use crate::ids::{AgencyId, KeyId, OrganisationId};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// As it was read, all of it after the key.
#[derive(Clone, Debug)]
pub struct Basis {
    pub key: Arc<ApiKey>,
    pub seller: Agency,
    /// Every version that the seller has signed, and the commission rules.
    pub terms: Terms,
}

/// Bases of late, and airlines, whose names and codes never change.
#[derive(Debug, Default)]
pub struct RecentBases {
    bases: Mutex<HashMap<KeyId, Arc<Basis>>>,
    airlines: Mutex<HashMap<String, Arc<Airline>>>,
}

const MOST_RECENT: usize = 8_192;

impl RecentBases {
    pub fn remember(&self, basis: Arc<Basis>, airline: Arc<Airline>) {
        self.airlines.lock().insert(airline.iata_code.clone(), airline);
        let mut bases = self.bases.lock();
        if bases.len() >= MOST_RECENT {
            bases.clear();
        }
        bases.insert(basis.key.id, basis);
    }

    /// What was read with this very key.
    pub fn recall(&self, key: &ApiKey) -> Option<Arc<Basis>> {
        self.bases.lock().get(&key.id).filter(|basis| *basis.key == *key).cloned()
    }

    pub fn airline(&self, iata_code: &str) -> Option<Arc<Airline>> {
        self.airlines.lock().get(iata_code).cloned()
    }
}

/// What the bases of a batch are compared with.
pub(super) struct Grounds {
    keys: HashMap<KeyId, ApiKey>,
    /// People who sell in the place of a key.
    sessions: Vec<SignedIn>,
    /// The sellers, and every agency of an organisation whose key names none.
    agencies: Vec<Signed>,
    /// Of the commission rules.
    generation: i64,
}

impl Grounds {
    /// Three statements, whatever the number of bases; some more for each person that sells.
    pub(super) fn read<'a>(tx: &mut WriteTx, bases: impl Iterator<Item = &'a Arc<Basis>>) -> Result<Self, DbError> {
        let (mut keys, mut sellers, mut unbound) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut sessions = BTreeSet::new();
        for basis in bases {
            match basis.key.session {
                None => drop(keys.insert(basis.key.id)),
                Some(desk) => drop(sessions.insert(desk.session)),
            }
            sellers.insert(basis.seller.id);
            if basis.key.agency.is_none() {
                unbound.insert(basis.key.organisation);
            }
        }
        if sellers.is_empty() {
            return Ok(Grounds { keys: HashMap::new(), sessions: Vec::new(), agencies: Vec::new(), generation: 0 });
        }
        let now = tx.now;
        let sessions = match sessions.is_empty() {
            true => Vec::new(),
            false => sessions_by_id(tx.db, &sessions.into_iter().collect::<Vec<_>>(), now)?,
        };
        let keys = keys_by_id(tx.db, &keys.into_iter().collect::<Vec<_>>())?;
        let (sellers, unbound): (Vec<AgencyId>, Vec<OrganisationId>) =
            (sellers.into_iter().collect(), unbound.into_iter().collect());
        let mut agencies = signed_by(tx.db, &sellers, &unbound)?;
        agencies.sort_unstable_by_key(|signed| signed.agency);
        let generation = rules_generation(tx.db)?;
        Ok(Grounds { keys: keys.into_iter().map(|key| (key.id, key)).collect(), sessions, agencies, generation })
    }

    /// Whether an order that was prepared from this may be decided now.
    pub(super) fn supports(&self, tx: &WriteTx, basis: &Basis) -> bool {
        let Basis { key, seller, terms } = basis;
        let usable = self.still_holds(key) && key.is_alive(tx.now);
        let place = self.agencies.binary_search_by_key(&seller.id, |signed| signed.agency);
        let Some(signed) = place.ok().and_then(|place| self.agencies.get(place)) else { return false };
        let same_terms = signed.organisation == key.organisation
            && signed.tier == seller.tier
            && i64::try_from(terms.contracts.len()) == Ok(signed.versions)
            && terms.rules.generation() == self.generation;
        usable && same_terms && (key.agency == Some(seller.id) || self.is_the_only_one(signed, key))
    }

    fn still_holds(&self, key: &ApiKey) -> bool {
        match key.session {
            // Where from it is used was checked against the same row.
            None => self.keys.get(&key.id).is_some_and(|known| known == key),
            // People are not in the database of test mode; their session was read for this request.
            Some(desk) if desk.mode == KeyMode::Test => true,
            Some(desk) => self.sessions.iter().any(|now| {
                now.session.id == desk.session && now.permissions == key.scopes && now.user.organisation == key.organisation
            }),
        }
    }

    fn is_the_only_one(&self, seller: &Signed, key: &ApiKey) -> bool {
        let mut others =
            self.agencies.iter().filter(|one| one.organisation == seller.organisation && one.agency != seller.agency);
        key.agency.is_none() && others.next().is_none()
    }
}
