//! A velocity rule: which sales count, by what they are gathered, and how many are too many. A version is immutable; a change is the next version.

use super::sale::Sale;
use crate::db::schema::velocity_rule as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{Id, VelocityRuleId};
use crate::money::{Currency, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

rows! {
    pub struct VelocityRuleRow in velocity_rule {
        id: i64,
        code: String,
        version: i64,
        effective_from: NaiveDate,
        mode: String,
        terms: String,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Off,
    /// Noted, and the sale goes on.
    Shadow,
    /// The sale is refused.
    Refuse,
    /// The sale is refused, and the agency sells nothing any more until a person looks at it.
    Freeze,
}

impl Mode {
    pub const ALL: [Mode; 4] = [Mode::Off, Mode::Shadow, Mode::Refuse, Mode::Freeze];

    pub fn text(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Shadow => "shadow",
            Mode::Refuse => "refuse",
            Mode::Freeze => "freeze",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|mode| mode.text() == text)
    }
}

/// What sales are gathered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Agency,
    /// The API key that sells.
    Key,
    Airline,
    Route,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Tickets,
    /// Prices in minor units of the rule's currency: all of it comes back while a ticket can be voided.
    Amount,
}

/// Which sales count: those to which everything applies that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// From the first hour up to and without the second one, on the agency's wall clock; 22 to 6 goes over midnight.
    pub hours: Option<(u32, u32)>,
    pub departs_within_minutes: Option<i64>,
    /// The agency has not sold it in the thirteen weeks before.
    pub new_route: bool,
    pub price_from_minor: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub subject: Subject,
    pub measure: Measure,
    pub window_minutes: i64,
    /// More than this is too much.
    pub most: i64,
    /// And more than so many times the agency's own usual for such a time: its average of the four weeks before.
    pub usual_factor: Option<String>,
    pub only: Only,
    /// Sales in others do not count.
    pub currency: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: VelocityRuleId,
    pub code: String,
    pub version: i64,
    pub effective_from: NaiveDate,
    pub mode: Mode,
    pub terms: Terms,
    /// Parsed.
    pub currency: Option<Currency>,
    pub usual_factor: Option<Rate>,
    pub created_at: NaiveDateTime,
}

impl TryFrom<VelocityRuleRow> for Rule {
    type Error = DbError;

    fn try_from(row: VelocityRuleRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("velocity rule {}", row.id));
        let terms: Terms = serde_json::from_str(&row.terms).map_err(|_| corrupt())?;
        let currency = terms.currency.as_deref().map(Currency::parse).transpose().map_err(|_| corrupt())?;
        let usual_factor = terms.usual_factor.as_deref().map(Rate::parse).transpose().map_err(|_| corrupt())?;
        Ok(Rule {
            id: VelocityRuleId::of(row.id),
            mode: Mode::parse(&row.mode).ok_or_else(corrupt)?,
            code: row.code,
            version: row.version,
            effective_from: row.effective_from,
            terms,
            currency,
            usual_factor,
            created_at: row.created_at,
        })
    }
}

impl Rule {
    /// Whether a sale counts; `is_new_route` is asked only where it matters.
    pub fn counts(&self, sale: &Sale, is_new_route: impl FnOnce() -> bool) -> bool {
        let only = &self.terms.only;
        let in_currency = self.currency.is_none_or(|currency| currency == sale.currency);
        let in_hours = only.hours.is_none_or(|(from, until)| match from < until {
            true => (from..until).contains(&sale.hour),
            false => sale.hour >= from || sale.hour < until,
        });
        let is_near = only.departs_within_minutes.is_none_or(|most| sale.departs_at.since(sale.at).num_minutes() < most);
        let is_dear = only.price_from_minor.is_none_or(|least| sale.price_minor >= least);
        in_currency && in_hours && is_near && is_dear && (!only.new_route || is_new_route())
    }

    pub fn measured(&self, sale: &Sale) -> i64 {
        match self.terms.measure {
            Measure::Tickets => 1,
            Measure::Amount => sale.price_minor,
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewRule {
    pub code: String,
    pub effective_from: NaiveDate,
    pub mode: Mode,
    pub terms: Terms,
}

#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("a code is 1 to 40 small letters, digits and _")]
    Code,
    #[error("a window is 1 minute to 1 day")]
    WindowLength,
    #[error("what is too much is not negative")]
    Most,
    #[error("a factor is above 0 and at most 1000, and is of an agency's own usual")]
    UsualFactor,
    #[error("hours are two different ones of 0 to 24")]
    Hours,
    #[error("minutes before departure, and prices, are above 0")]
    Conditions,
    #[error("amounts need a currency")]
    NoCurrency,
    #[error("a rule cannot begin on {from}, before {today}")]
    Past { from: NaiveDate, today: NaiveDate },
    #[error("version {latest} is effective from {from}; a new version cannot begin before it")]
    BeforeLatest { latest: i64, from: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A day: as far back as sales are remembered.
pub(super) const LONGEST_MINUTES: i64 = 24 * 60;

impl NewRule {
    fn check(&self) -> Result<(), RuleError> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=40).contains(&self.code.len()) || !self.code.bytes().all(is_word) {
            return Err(RuleError::Code);
        }
        let Terms { subject, measure, window_minutes, most, usual_factor, only, currency } = &self.terms;
        if !(1..=LONGEST_MINUTES).contains(window_minutes) {
            return Err(RuleError::WindowLength);
        }
        if *most < 0 {
            return Err(RuleError::Most);
        }
        if let Some(factor) = usual_factor {
            let factor = Rate::parse(factor).map_err(|_| RuleError::UsualFactor)?.decimal();
            let is_sound = factor > rust_decimal::Decimal::ZERO && factor <= rust_decimal::Decimal::ONE_THOUSAND;
            if !is_sound || *subject != Subject::Agency {
                return Err(RuleError::UsualFactor);
            }
        }
        if only.hours.is_some_and(|(from, until)| from > 24 || until > 24 || from == until) {
            return Err(RuleError::Hours);
        }
        if [only.departs_within_minutes, only.price_from_minor].into_iter().flatten().any(|least| least <= 0) {
            return Err(RuleError::Conditions);
        }
        let of_money = *measure == Measure::Amount || only.price_from_minor.is_some();
        let is_known = currency.as_deref().is_some_and(|code| Currency::parse(code).is_ok());
        if (of_money || currency.is_some()) && !is_known { Err(RuleError::NoCurrency) } else { Ok(()) }
    }
}

/// The next version of its code.
pub fn adopt_rule(tx: &mut WriteTx, new: &NewRule) -> Result<Rule, RuleError> {
    new.check()?;
    if new.effective_from < tx.ledger_date {
        return Err(RuleError::Past { from: new.effective_from, today: tx.ledger_date });
    }
    let of_code = table::table.filter(table::code.eq(&new.code)).order(table::id.desc());
    let latest: Option<(i64, NaiveDate)> =
        of_code.select((table::version, table::effective_from)).first(&mut *tx.db).optional().map_err(DbError::from)?;
    if let Some((latest, from)) = latest.filter(|(_, from)| *from > new.effective_from) {
        return Err(RuleError::BeforeLatest { latest, from });
    }
    let row = VelocityRuleRow {
        id: tx.ids.next::<VelocityRuleId>().raw(),
        code: new.code.clone(),
        version: latest.map_or(1, |(latest, _)| latest.saturating_add(1)),
        effective_from: new.effective_from,
        mode: new.mode.text().to_owned(),
        terms: serde_json::to_string(&new.terms).map_err(|error| DbError::Corrupt(error.to_string()))?,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let rule = Rule::try_from(row)?;
    emit(tx, NewEvent::new(EventType::VelocityRuleAdopted, rule.id))?;
    Ok(rule)
}

/// The last version of each code that has begun, but those that are off; by id.
pub fn rules_in_force(db: &mut Db, date: NaiveDate) -> Result<Vec<Rule>, DbError> {
    let begun = table::table.filter(table::effective_from.le(date)).order(table::id);
    let rows: Vec<VelocityRuleRow> = begun.select(VelocityRuleRow::as_select()).load(db)?;
    let mut latest: BTreeMap<String, Rule> = BTreeMap::new();
    for row in rows {
        latest.insert(row.code.clone(), Rule::try_from(row)?);
    }
    let mut rules: Vec<Rule> = latest.into_values().filter(|rule| rule.mode != Mode::Off).collect();
    rules.sort_unstable_by_key(|rule| rule.id);
    Ok(rules)
}

/// Every version, newest first.
pub fn velocity_rules(db: &mut Db, window: Window, limit: i64) -> Result<Vec<Rule>, DbError> {
    let query = windowed!(table::table.into_boxed(), table::id, window, limit);
    let rows: Vec<VelocityRuleRow> = query.select(VelocityRuleRow::as_select()).load(db)?;
    rows.into_iter().map(Rule::try_from).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::super::sale::Route;
    use super::*;
    use crate::audit::ActorId;
    use crate::clock::Timestamp;
    use crate::ids::{AgencyId, AirlineId, KeyId};

    pub fn new_rule(measure: Measure, window_minutes: i64, most: i64) -> NewRule {
        let terms = Terms {
            subject: Subject::Agency,
            measure,
            window_minutes,
            most,
            usual_factor: None,
            only: Only::default(),
            currency: Some("CNY".into()),
        };
        NewRule { code: "too_much".into(), effective_from: NaiveDate::MIN, mode: Mode::Shadow, terms }
    }

    pub fn rule(new: &NewRule) -> Rule {
        let row = VelocityRuleRow {
            id: 1,
            code: new.code.clone(),
            version: 1,
            effective_from: new.effective_from,
            mode: new.mode.text().to_owned(),
            terms: serde_json::to_string(&new.terms).unwrap(),
            created_at: NaiveDateTime::MIN,
        };
        Rule::try_from(row).unwrap()
    }

    pub fn sale(minute: i64) -> Sale {
        let at = Timestamp::from_millis(1_800_000_000_000 + minute * 60_000).unwrap();
        Sale {
            agency: AgencyId::of(1),
            by: ActorId::Key(KeyId::of(2)),
            airline: AirlineId::of(3),
            route: Route::of("PEK", "SHA"),
            currency: Currency::CNY,
            price_minor: 100_000,
            at,
            hour: 12,
            departs_at: at.plus(chrono::Duration::days(3)),
        }
    }

    fn counted(only: Only, sale: &Sale) -> bool {
        let mut new = new_rule(Measure::Tickets, 60, 3);
        new.terms.only = only;
        rule(&new).counts(sale, || sale.route == Route::of("PEK", "CAN"))
    }

    #[test]
    fn what_counts_is_what_everything_applies_to() {
        let usual = sale(0);
        assert!(counted(Only::default(), &usual));
        let night = Only { hours: Some((22, 6)), ..Only::default() };
        let at = |hour| counted(night.clone(), &Sale { hour, ..usual });
        assert_eq!([21, 22, 0, 5, 6].map(at), [false, true, true, true, false]);
        let near = Only { departs_within_minutes: Some(120), ..Only::default() };
        let leaves =
            |minutes| counted(near.clone(), &Sale { departs_at: usual.at.plus(chrono::Duration::minutes(minutes)), ..usual });
        assert_eq!([119, 120].map(leaves), [true, false]);
        let dear = Only { price_from_minor: Some(100_001), ..Only::default() };
        assert!(!counted(dear.clone(), &usual));
        assert!(counted(dear.clone(), &Sale { price_minor: 100_001, ..usual }));
        assert!(!counted(Only { new_route: true, ..Only::default() }, &usual));
        let all = Only { new_route: true, ..dear };
        assert!(!counted(all.clone(), &Sale { route: Route::of("PEK", "CAN"), ..usual }));
        assert!(counted(all, &Sale { route: Route::of("PEK", "CAN"), price_minor: 200_000, ..usual }));
        let yen = Sale { currency: Currency::parse("JPY").unwrap(), ..usual };
        assert!(!counted(Only::default(), &yen));
    }

    #[test]
    fn rules_say_what_they_may() {
        let check = |change: &dyn Fn(&mut NewRule)| {
            let mut new = new_rule(Measure::Amount, 60, 3);
            change(&mut new);
            new.check()
        };
        assert!(check(&|_| {}).is_ok());
        assert!(matches!(check(&|new| new.code = "Too much".into()), Err(RuleError::Code)));
        assert!(matches!(check(&|new| new.terms.window_minutes = 0), Err(RuleError::WindowLength)));
        assert!(matches!(check(&|new| new.terms.window_minutes = 1_441), Err(RuleError::WindowLength)));
        assert!(matches!(check(&|new| new.terms.most = -1), Err(RuleError::Most)));
        assert!(matches!(check(&|new| new.terms.currency = None), Err(RuleError::NoCurrency)));
        assert!(matches!(check(&|new| new.terms.usual_factor = Some("0".into())), Err(RuleError::UsualFactor)));
        let of_airline = |new: &mut NewRule| {
            new.terms.usual_factor = Some("3".into());
            new.terms.subject = Subject::Airline;
        };
        assert!(matches!(check(&of_airline), Err(RuleError::UsualFactor)));
        assert!(matches!(check(&|new| new.terms.only.hours = Some((5, 5))), Err(RuleError::Hours)));
        assert!(matches!(check(&|new| new.terms.only.price_from_minor = Some(0)), Err(RuleError::Conditions)));
    }
}
