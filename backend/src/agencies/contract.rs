//! The terms between an agency, an airline and the platform. A version is immutable; a ticket keeps the id of the one it was sold under.

use super::{AirlinePayment, CycleRule, DueRule, PaymentTerms, Tier};
use crate::db::schema::{agency, contract};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, AirlineId, ContractId, Id, OrganisationId};
use crate::money::{Currency, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::count;
use diesel::prelude::*;

rows! {
    pub struct ContractRow in contract {
        id: i64,
        agency_id: i64,
        airline_id: Option<i64>,
        currency: String,
        version: i64,
        effective_from: NaiveDate,
        commission_rate: String,
        commission_base: String,
        fee_rate: String,
        tax_remitter: String,
        cycle_rule: String,
        payment_days: i64,
        clawback: String,
        fee_on_refund: String,
        airline_return: String,
        created_at: NaiveDateTime,
        due_rule: String,
        free_days: i64,
        financing_rate: String,
        late_fee_rate: String,
        airline_financing_rate: String,
        vat_rate: String,
        expected_loss_rate: String,
        channel_cost_rate: String,
        /// Always `shown`: open memos are shown as contingent and reserve nothing of a limit. Whoever files a claim would stop the sales of an agency with it
        /// before anybody has decided.
        open_memos: String,
        /// What let it be signed although its margin is negative.
        approval_id: Option<i64>,
        airline_payment: String,
        airline_payment_days: i64,
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),+ }
        impl $name {
            pub fn text(self) -> &'static str { match self { $($name::$variant => $text),+ } }
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)+ _ => None } }
        }
    };
}

choice! {
    /// What the commission rate is a share of. 30 on 1000 is 3 % of the price and 3.1579 % of the fare.
    CommissionBase { Price = "price", Fare = "fare" }
}
choice! {
    /// Who pays the authorities' taxes over to them.
    TaxRemitter { Platform = "platform", Airline = "airline" }
}
choice! {
    /// How much commission a refund takes back.
    Clawback { Full = "full", ProRata = "pro_rata", None = "none" }
}
choice! {
    FeeOnRefund { Refunded = "refunded", Kept = "kept" }
}
choice! {
    /// How an airline gives back what it was paid for a ticket that was voided or refunded.
    AirlineReturn { SetOff = "set_off", RepayOnDemand = "repay_on_demand" }
}

/// Who pays for time, and what else a ticket costs the platform. Everything is zero in the worked case.
#[derive(Clone, Debug)]
pub struct CostTerms {
    /// Days after the end of a cycle for which the agency pays nothing for time.
    pub free_days: i64,
    /// Per year, ACT/360, of what the agency has not remitted after its free days.
    pub financing_rate: Rate,
    /// Per day, of what is overdue.
    pub late_fee_rate: Rate,
    /// Per year, ACT/360, of what an airline has not given back.
    pub airline_financing_rate: Rate,
    /// The fee contains it.
    pub vat_rate: Rate,
    /// Of what the agency owes: what is expected never to be paid.
    pub expected_loss_rate: Rate,
    /// Of the price.
    pub channel_cost_rate: Rate,
}

impl Default for CostTerms {
    fn default() -> Self {
        let zero = Rate::from(rust_decimal::Decimal::ZERO);
        CostTerms {
            free_days: 0,
            financing_rate: zero,
            late_fee_rate: zero,
            airline_financing_rate: zero,
            vat_rate: zero,
            expected_loss_rate: zero,
            channel_cost_rate: zero,
        }
    }
}

impl CostTerms {
    fn of(row: &ContractRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of contract {}", row.id));
        let rate = |what: &str, text: &str| Rate::parse(text).map_err(|_| corrupt(what));
        Ok(CostTerms {
            free_days: row.free_days,
            financing_rate: rate("financing rate", &row.financing_rate)?,
            late_fee_rate: rate("late fee rate", &row.late_fee_rate)?,
            airline_financing_rate: rate("financing rate of airlines", &row.airline_financing_rate)?,
            vat_rate: rate("VAT rate", &row.vat_rate)?,
            expected_loss_rate: rate("expected loss rate", &row.expected_loss_rate)?,
            channel_cost_rate: rate("channel cost rate", &row.channel_cost_rate)?,
        })
    }

    fn rates(&self) -> [(&'static str, Rate); 6] {
        [
            ("financing_rate", self.financing_rate),
            ("late_fee_rate", self.late_fee_rate),
            ("airline_financing_rate", self.airline_financing_rate),
            ("vat_rate", self.vat_rate),
            ("expected_loss_rate", self.expected_loss_rate),
            ("channel_cost_rate", self.channel_cost_rate),
        ]
    }
}

#[derive(Clone, Debug)]
pub struct Contract {
    pub id: ContractId,
    pub agency: AgencyId,
    /// `None`: every airline that has no terms of its own.
    pub airline: Option<AirlineId>,
    pub currency: Currency,
    pub version: i64,
    pub effective_from: NaiveDate,
    pub commission_rate: Rate,
    pub commission_base: CommissionBase,
    /// Share of the price, paid by the payee of the fare.
    pub fee_rate: Rate,
    pub tax_remitter: TaxRemitter,
    /// Days from the end of a cycle until the agency has to have remitted.
    pub payment_days: i64,
    pub payment: PaymentTerms,
    pub clawback: Clawback,
    pub fee_on_refund: FeeOnRefund,
    pub airline_return: AirlineReturn,
    pub costs: CostTerms,
    /// What let it be signed although its margin is negative.
    pub approval: Option<i64>,
    pub created_at: NaiveDateTime,
}

impl TryFrom<ContractRow> for Contract {
    type Error = DbError;

    fn try_from(row: ContractRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of contract {}", row.id));
        Ok(Contract {
            costs: CostTerms::of(&row)?,
            approval: row.approval_id,
            id: ContractId::of(row.id),
            agency: AgencyId::of(row.agency_id),
            airline: row.airline_id.map(AirlineId::of),
            currency: Currency::parse(&row.currency).map_err(|_| corrupt("currency"))?,
            version: row.version,
            effective_from: row.effective_from,
            commission_rate: Rate::parse(&row.commission_rate).map_err(|_| corrupt("commission rate"))?,
            commission_base: CommissionBase::parse(&row.commission_base).ok_or_else(|| corrupt("commission base"))?,
            fee_rate: Rate::parse(&row.fee_rate).map_err(|_| corrupt("fee rate"))?,
            tax_remitter: TaxRemitter::parse(&row.tax_remitter).ok_or_else(|| corrupt("tax remitter"))?,
            payment_days: row.payment_days,
            payment: PaymentTerms {
                cycle_rule: CycleRule::parse(&row.cycle_rule).ok_or_else(|| corrupt("cycle rule"))?,
                due_rule: DueRule::parse(&row.due_rule).ok_or_else(|| corrupt("due rule"))?,
                airline: AirlinePayment::parse(&row.airline_payment, row.airline_payment_days)
                    .ok_or_else(|| corrupt("airline payment"))?,
            },
            clawback: Clawback::parse(&row.clawback).ok_or_else(|| corrupt("clawback"))?,
            fee_on_refund: FeeOnRefund::parse(&row.fee_on_refund).ok_or_else(|| corrupt("fee on refund"))?,
            airline_return: AirlineReturn::parse(&row.airline_return).ok_or_else(|| corrupt("airline return"))?,
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("a rate is between 0 and 1")]
    Rate,
    #[error("{0} is between 0 and 1")]
    CostRate(&'static str),
    #[error("commission and fee together are more than the price")]
    RatesExceedPrice,
    #[error("payment days are 0 to 365")]
    PaymentDays,
    #[error("days from the end of a cycle until its airline is paid are 0 to 365")]
    AirlineDays,
    #[error("free days are 0 to 365")]
    FreeDays,
    #[error("version {latest} is effective from {from}; a new version cannot begin before it")]
    BeforeLatest { latest: i64, from: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewContract {
    pub agency: AgencyId,
    pub airline: Option<AirlineId>,
    pub currency: Currency,
    pub effective_from: NaiveDate,
    pub commission_rate: Rate,
    pub commission_base: CommissionBase,
    pub fee_rate: Rate,
    pub tax_remitter: TaxRemitter,
    pub payment_days: i64,
    pub payment: PaymentTerms,
    pub clawback: Clawback,
    pub fee_on_refund: FeeOnRefund,
    pub airline_return: AirlineReturn,
    pub costs: CostTerms,
}

/// Adds the next version of the terms between these parties. Whether a ticket on them earns anything is settlement's to say.
pub fn sign_contract(tx: &mut WriteTx, new: &NewContract) -> Result<Contract, ContractError> {
    add(tx, new, None)
}

/// The same for terms that somebody had to agree to; the version names what let it be signed.
pub fn sign_approved(tx: &mut WriteTx, new: &NewContract, approval: i64) -> Result<Contract, ContractError> {
    add(tx, new, Some(approval))
}

/// Whether the terms make sense by themselves.
pub fn check_terms(new: &NewContract) -> Result<(), ContractError> {
    let one = rust_decimal::Decimal::ONE;
    let in_range = |rate: Rate| !rate.is_negative() && rate.decimal() <= one;
    if !in_range(new.commission_rate) || !in_range(new.fee_rate) {
        return Err(ContractError::Rate);
    }
    if let Some((field, _)) = new.costs.rates().into_iter().find(|(_, rate)| !in_range(*rate)) {
        return Err(ContractError::CostRate(field));
    }
    if new.commission_rate.decimal() + new.fee_rate.decimal() > one {
        return Err(ContractError::RatesExceedPrice);
    }
    if !(0..=365).contains(&new.payment_days) {
        return Err(ContractError::PaymentDays);
    }
    if !(0..=365).contains(&new.payment.airline.days()) {
        return Err(ContractError::AirlineDays);
    }
    if !(0..=365).contains(&new.costs.free_days) {
        return Err(ContractError::FreeDays);
    }
    Ok(())
}

fn add(tx: &mut WriteTx, new: &NewContract, approval: Option<i64>) -> Result<Contract, ContractError> {
    check_terms(new)?;
    let versions = contracts_of(tx.db, new.agency)?;
    let same = versions.iter().filter(|known| known.airline == new.airline && known.currency == new.currency);
    let latest = same.max_by_key(|known| known.version);
    if let Some(latest) = latest.filter(|latest| latest.effective_from > new.effective_from) {
        return Err(ContractError::BeforeLatest { latest: latest.version, from: latest.effective_from });
    }
    let costs = &new.costs;
    let row = ContractRow {
        id: tx.ids.next::<ContractId>().raw(),
        agency_id: new.agency.raw(),
        airline_id: new.airline.map(Id::raw),
        currency: new.currency.code().to_owned(),
        version: latest.map_or(1, |latest| latest.version + 1),
        effective_from: new.effective_from,
        commission_rate: new.commission_rate.to_string(),
        commission_base: new.commission_base.text().to_owned(),
        fee_rate: new.fee_rate.to_string(),
        tax_remitter: new.tax_remitter.text().to_owned(),
        cycle_rule: new.payment.cycle_rule.text().to_owned(),
        payment_days: new.payment_days,
        clawback: new.clawback.text().to_owned(),
        fee_on_refund: new.fee_on_refund.text().to_owned(),
        airline_return: new.airline_return.text().to_owned(),
        created_at: tx.now.naive(),
        due_rule: new.payment.due_rule.text().to_owned(),
        free_days: costs.free_days,
        financing_rate: costs.financing_rate.to_string(),
        late_fee_rate: costs.late_fee_rate.to_string(),
        airline_financing_rate: costs.airline_financing_rate.to_string(),
        vat_rate: costs.vat_rate.to_string(),
        expected_loss_rate: costs.expected_loss_rate.to_string(),
        channel_cost_rate: costs.channel_cost_rate.to_string(),
        open_memos: "shown".to_owned(),
        approval_id: approval,
        airline_payment: new.payment.airline.text().to_owned(),
        airline_payment_days: new.payment.airline.days(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let signed = NewEvent::new(EventType::ContractSigned, ContractId::of(row.id)).of_agency(new.agency);
    emit(
        tx,
        match new.airline {
            Some(airline) => signed.of_airline(airline),
            None => signed,
        },
    )?;
    Ok(Contract::try_from(row)?)
}

pub fn contract(db: &mut Db, id: ContractId) -> Result<Option<Contract>, DbError> {
    let row: Option<ContractRow> = contract::table.find(id.raw()).select(ContractRow::as_select()).first(db).optional()?;
    row.map(Contract::try_from).transpose()
}

/// Every version of every contract of an agency, oldest first.
pub fn contracts_of(db: &mut Db, agency: AgencyId) -> Result<Vec<Contract>, DbError> {
    let of_agency = contract::table.filter(contract::agency_id.eq(agency.raw())).order(contract::id);
    let rows: Vec<ContractRow> = of_agency.select(ContractRow::as_select()).load(db)?;
    rows.into_iter().map(Contract::try_from).collect()
}

/// An agency of an organisation, and how many versions of contracts it has signed. Versions are only ever added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub organisation: OrganisationId,
    pub agency: AgencyId,
    pub tier: Tier,
    pub versions: i64,
}

/// Of these agencies, and of all agencies of these organisations.
pub fn signed_by(db: &mut Db, agencies: &[AgencyId], organisations: &[OrganisationId]) -> Result<Vec<Signed>, DbError> {
    let agencies: Vec<i64> = agencies.iter().map(|id| id.raw()).collect();
    let organisations: Vec<i64> = organisations.iter().map(|id| id.raw()).collect();
    let versions = agency::table.left_join(contract::table.on(contract::agency_id.eq(agency::id)));
    let per_agency = versions.group_by((agency::organisation_id, agency::id, agency::tier));
    let counted = per_agency.select((agency::organisation_id, agency::id, agency::tier, count(contract::id.nullable())));
    let wanted = agency::id.eq_any(agencies).or(agency::organisation_id.eq_any(organisations));
    let rows: Vec<(i64, i64, String, i64)> = counted.filter(wanted).load(db)?;
    let signed = |(organisation, agency, tier, versions): (i64, i64, String, i64)| {
        let tier = Tier::parse(&tier).ok_or_else(|| DbError::Corrupt(format!("tier of agency {agency}")))?;
        Ok(Signed { organisation: OrganisationId::of(organisation), agency: AgencyId::of(agency), tier, versions })
    };
    rows.into_iter().map(signed).collect()
}

/// Of these agencies, or of all.
pub fn contracts(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<Contract>, DbError> {
    let mut query = windowed!(contract::table.into_boxed(), contract::id, window, limit);
    if let Some(agencies) = of {
        let raw: Vec<i64> = agencies.iter().map(|id| id.raw()).collect();
        query = query.filter(contract::agency_id.eq_any(raw));
    }
    let rows: Vec<ContractRow> = query.select(ContractRow::as_select()).load(db)?;
    rows.into_iter().map(Contract::try_from).collect()
}

/// The terms that hold for a sale on `date`: the airline's own before those for every airline, then the latest version in force.
pub fn in_force(contracts: &[Contract], airline: AirlineId, currency: Currency, date: NaiveDate) -> Option<&Contract> {
    let begun = contracts.iter().filter(|known| known.currency == currency && known.effective_from <= date);
    let applicable = begun.filter(|known| known.airline.is_none_or(|own| own == airline));
    applicable.max_by_key(|known| (known.airline.is_some(), known.version))
}
