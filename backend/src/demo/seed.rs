//! The first operator, and a small world to try things in: three agencies, every airline with demo flights, one bank with a line.

use super::people::SignIn;
use crate::agencies::{
    AgencyError, AirlineReturn, Clawback, CommissionBase, ContractError, CostTerms, FeeOnRefund, NewAgency, NewContract,
    TaxRemitter, TenderOrder, Tier, open_agency, set_tier, sign_contract,
};
use crate::airlines::{AirlineError, NewAirline, StockError, add_stock, airline_by_code, sign_airline};
use crate::app::App;
use crate::audit::Actor;
use crate::catalogue::{BookingClass, CarrierCode, CityCode, PassengerKind};
use crate::commission::{Direction, Payout, RouteEnd, Rule, RuleError, Window as Dates, file_rule};
use crate::credit::{Availability, Base, FacilityError, LimitError, NewFacility, NewLimitPolicy, adopt_policy, open_facility};
use crate::db::{DbError, Window, WriteTx};
use crate::identity::{
    KeyError, KeyMode, NewKey, NewOrganisation, OrganisationKind, Scope, UserError, issue_key, open_organisation, organisations,
};
use crate::ids::{AgencyId, AirlineId, OrganisationId};
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::settlement::{
    Funder, Measure, Method, NewProgramme, NewReceipt, PeriodLength, ProgrammeError, Purpose, ReceiptError, TierReward,
    open_programme, record_receipt,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("the database is not empty")]
    NotEmpty,
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Agency(#[from] AgencyError),
    #[error(transparent)]
    Airline(#[from] AirlineError),
    #[error(transparent)]
    Stock(#[from] StockError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Programme(#[from] ProgrammeError),
    #[error(transparent)]
    Facility(#[from] FacilityError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    User(#[from] UserError),
    #[error("{0}")]
    File(#[from] std::io::Error),
}

/// A key that was made, with its secret: nothing else knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seeded {
    pub organisation: String,
    pub scopes: Vec<String>,
    pub key: String,
    pub mode: String,
}

fn mint(
    tx: &mut WriteTx,
    mode: KeyMode,
    organisation: OrganisationId,
    name: &str,
    scopes: &[Scope],
) -> Result<Seeded, SeedError> {
    let new = NewKey {
        organisation,
        agency: None,
        name: name.to_owned(),
        scopes: scopes.to_vec(),
        allowed_ips: Vec::new(),
        expires_at: None,
        person: None,
    };
    let (key, secret) = issue_key(tx, mode, &new)?;
    let scopes = key.scopes.iter().map(|scope| scope.text().to_owned()).collect();
    let mode = if mode == KeyMode::Live { "live" } else { "test" };
    Ok(Seeded { organisation: name.to_owned(), scopes, key: secret, mode: mode.to_owned() })
}

fn organisation(tx: &mut WriteTx, kind: OrganisationKind, name: &str) -> Result<OrganisationId, SeedError> {
    let new = NewOrganisation { kind, name: name.to_owned(), country: "CN".to_owned() };
    Ok(open_organisation(tx, new)?.id)
}

/// The operator with a key that may do everything an operator may: the way into an empty platform.
pub fn seed_operator(app: &App) -> Result<Vec<Seeded>, SeedError> {
    app.store.write(|tx| operator(app.mode, tx))
}

fn operator(mode: KeyMode, tx: &mut WriteTx) -> Result<Vec<Seeded>, SeedError> {
    if !organisations(tx.db, Window::NEWEST, 1)?.is_empty() {
        return Err(SeedError::NotEmpty);
    }
    let operator = organisation(tx, OrganisationKind::Operator, OPERATOR)?;
    Ok(vec![mint(tx, mode, operator, OPERATOR, &scopes_of(mode, OrganisationKind::Operator))?])
}

/// What a seeded key of such an organisation may do.
fn scopes_of(mode: KeyMode, kind: OrganisationKind) -> Vec<Scope> {
    let wanted = |scope: &Scope| match kind {
        OrganisationKind::Operator | OrganisationKind::Agency => true,
        OrganisationKind::Airline | OrganisationKind::Bank => {
            matches!(scope, Scope::FinanceRead | Scope::PartiesRead | Scope::WebhooksWrite | Scope::MemosWrite)
        }
    };
    // The live clock cannot be moved, so no live key is given that right.
    let possible = |scope: &Scope| scope.allowed_to(kind) && (mode == KeyMode::Test || *scope != Scope::ClockWrite);
    Scope::ALL.iter().copied().filter(|scope| wanted(scope) && possible(scope)).collect()
}

/// New keys for a world that is there already: its secrets were lost before they were written down.
pub fn mint_anew(app: &App) -> Result<Vec<Seeded>, SeedError> {
    app.store.write(|tx| {
        let mut known = organisations(tx.db, Window::NEWEST, 1_000)?;
        known.reverse();
        let mut airline_seen = false;
        known.retain(|organisation| {
            let first = organisation.kind != OrganisationKind::Airline || !airline_seen;
            airline_seen |= organisation.kind == OrganisationKind::Airline;
            first
        });
        known.iter().map(|known| mint(tx, app.mode, known.id, &known.name, &scopes_of(app.mode, known.kind))).collect()
    })
}

pub(super) const OPERATOR: &str = "Airsettle Operations";

struct DemoAgency {
    name: &'static str,
    numeric_code: &'static str,
    tender_order: TenderOrder,
    deposit: &'static str,
    wallet: &'static str,
    tier: &'static str,
}

const AGENCIES: [DemoAgency; 3] = [
    DemoAgency {
        name: "Beijing Blue Sky Travel",
        numeric_code: "57231064",
        tender_order: TenderOrder::CreditThenWallet,
        deposit: "500000.00",
        wallet: "50000.00",
        tier: "standard",
    },
    DemoAgency {
        name: "Shanghai Harbour Travel",
        numeric_code: "77200771",
        tender_order: TenderOrder::CreditThenWallet,
        deposit: "200000.00",
        wallet: "0",
        tier: "standard",
    },
    DemoAgency {
        name: "Guangzhou Pearl Tours",
        numeric_code: "91200001",
        tender_order: TenderOrder::WalletOnly,
        deposit: "0",
        wallet: "100000.00",
        tier: "gold",
    },
];

/// The operator and the demo world, in one commit: half of it is never there.
pub fn seed_demo(app: &App) -> Result<Vec<Seeded>, SeedError> {
    app.store.write(|tx| {
        let mut keys = operator(app.mode, tx)?;
        keys.extend(bank(tx, app.mode)?);
        let signed = carriers(app, tx)?;
        if let Some((_, organisation, name)) = signed.first() {
            keys.push(mint(tx, app.mode, *organisation, name, &scopes_of(app.mode, OrganisationKind::Airline))?);
        }
        for agency in &AGENCIES {
            keys.push(demo_agency(tx, app.mode, agency, &signed)?);
        }
        for rule in commission_rules(tx.ledger_date)? {
            file_rule(tx, &rule)?;
        }
        if let Some(airline) = airline_by_code(tx.db, "CZ")? {
            open_programme(tx, &volume_programme(airline.id, tx.ledger_date)?)?;
        }
        Ok(keys)
    })
}

fn cny(text: &str) -> Result<Money, MoneyError> {
    Money::parse(text, Currency::CNY)
}

fn bank(tx: &mut WriteTx, mode: KeyMode) -> Result<Vec<Seeded>, SeedError> {
    let name = "Huangpu Commercial Bank";
    let bank = organisation(tx, OrganisationKind::Bank, name)?;
    open_facility(
        tx,
        NewFacility {
            bank,
            name: "CNY ticket line".to_owned(),
            limit: cny("50000000.00")?,
            debit_account: "line-CNY-1".to_owned(),
            base: Base::Fixed(Rate::parse("0.03")?),
            margin_rate: Rate::parse("0.03")?,
            commitment_rate: Rate::parse("0")?,
            available: Availability::default(),
            day_count: "ACT/360".to_owned(),
            max_unconfirmed: 2_000,
            max_unresolved_secs: 30,
        },
    )?;
    let effective_from = tx.ledger_date;
    adopt_policy(tx, &NewLimitPolicy { effective_from, deposit_multiplier: Rate::parse("2")?, cap: cny("5000000.00")? })?;
    receipt(tx, cny("1000000.00")?, "DEMO-CAPITAL", Purpose::Capital)?;
    Ok(vec![mint(tx, mode, bank, name, &scopes_of(mode, OrganisationKind::Bank))?])
}

fn receipt(tx: &mut WriteTx, amount: Money, reference: &str, purpose: Purpose) -> Result<(), SeedError> {
    if amount.minor == 0 {
        return Ok(());
    }
    let new = NewReceipt {
        account: purpose.purse(),
        amount,
        value_date: tx.ledger_date,
        bank_reference: reference.to_owned(),
        purpose,
    };
    record_receipt(tx, Actor::platform(), &new)?;
    Ok(())
}

/// Signs every carrier that has demo flights and gives each a range of ticket numbers.
fn carriers(app: &App, tx: &mut WriteTx) -> Result<Vec<(AirlineId, OrganisationId, String)>, SeedError> {
    let flying: BTreeSet<String> = app.catalogue.schedules.flights().iter().map(|flight| flight.carrier.to_string()).collect();
    let mut signed = Vec::new();
    for carrier in app.catalogue.carriers.all().iter().filter(|carrier| flying.contains(carrier.code.as_str())) {
        let organisation = organisation(tx, OrganisationKind::Airline, &carrier.name)?;
        let airline = sign_airline(
            tx,
            NewAirline {
                organisation,
                iata_code: carrier.code.to_string(),
                accounting_code: carrier.accounting_code.clone(),
                name: carrier.name.clone(),
                country: carrier.country.clone(),
                payee_account: format!("airline-{}-CNY", carrier.code),
                payee_name: carrier.name.clone(),
            },
        )?;
        add_stock(tx, airline.id, 2_100_000_001, 2_199_999_999)?;
        signed.push((airline.id, organisation, carrier.name.clone()));
    }
    Ok(signed)
}

fn demo_agency(
    tx: &mut WriteTx,
    mode: KeyMode,
    demo: &DemoAgency,
    signed: &[(AirlineId, OrganisationId, String)],
) -> Result<Seeded, SeedError> {
    let organisation = organisation(tx, OrganisationKind::Agency, demo.name)?;
    let agency = open_agency(
        tx,
        NewAgency {
            organisation,
            numeric_code: demo.numeric_code.to_owned(),
            name: demo.name.to_owned(),
            country: "CN".to_owned(),
            zone: chrono_tz::Asia::Shanghai,
            currency: Currency::CNY,
            tender_order: demo.tender_order,
        },
    )?;
    if let Some(tier) = Tier::parse(demo.tier) {
        set_tier(tx, agency.id, tier)?;
    }
    sign_contract(tx, &terms(agency.id, None, CommissionBase::Price, tx.ledger_date)?)?;
    // One airline on terms of its own, so that both kinds can be seen.
    if let Some((airline, ..)) = signed.get(1) {
        sign_contract(tx, &terms(agency.id, Some(*airline), CommissionBase::Fare, tx.ledger_date)?)?;
    }
    receipt(tx, cny(demo.deposit)?, &format!("DEMO-DEPOSIT-{}", demo.numeric_code), Purpose::Deposit(agency.id))?;
    receipt(tx, cny(demo.wallet)?, &format!("DEMO-WALLET-{}", demo.numeric_code), Purpose::Wallet(agency.id))?;
    mint(tx, mode, organisation, demo.name, &scopes_of(mode, OrganisationKind::Agency))
}

fn terms(
    agency: AgencyId,
    airline: Option<AirlineId>,
    commission_base: CommissionBase,
    effective_from: chrono::NaiveDate,
) -> Result<NewContract, MoneyError> {
    Ok(NewContract {
        agency,
        airline,
        currency: Currency::CNY,
        effective_from,
        commission_rate: Rate::parse("0.03")?,
        commission_base,
        fee_rate: Rate::parse("0.005")?,
        tax_remitter: TaxRemitter::Platform,
        payment_days: 7,
        payment: crate::agencies::PaymentTerms::default(),
        clawback: Clawback::Full,
        fee_on_refund: FeeOnRefund::Refunded,
        airline_return: AirlineReturn::SetOff,
        costs: CostTerms::default(),
    })
}

/// What carriers pay beyond the contracts: more for the front cabins, more to gold agencies on the way to the sea, and nothing for infants.
fn commission_rules(effective_from: chrono::NaiveDate) -> Result<[Rule; 3], MoneyError> {
    let plain = |code: &str, payout| Rule {
        code: code.to_owned(),
        effective_from,
        agency: None,
        tier: None,
        airline: None,
        carrier: None,
        origin: None,
        destination: None,
        direction: Direction::OneWay,
        booking_classes: Vec::new(),
        passenger: None,
        sold: Dates::default(),
        travelled: Dates::default(),
        payout: Some(payout),
    };
    let share = |rate| Ok::<_, MoneyError>(Payout::Share { of: CommissionBase::Fare, rate: Rate::parse(rate)? });
    Ok([
        Rule {
            carrier: CarrierCode::parse("CZ"),
            booking_classes: "CFJ".chars().filter_map(BookingClass::parse).collect(),
            ..plain("CZ-PREMIUM", share("0.05")?)
        },
        Rule {
            tier: Tier::parse("gold"),
            destination: CityCode::parse("SYX").map(RouteEnd::City),
            direction: Direction::BothWays,
            ..plain("GOLD-SANYA", share("0.045")?)
        },
        Rule { passenger: Some(PassengerKind::Infant), ..plain("INFANTS", Payout::Zero) },
    ])
}

/// Gold agencies that sell much of one carrier in a quarter get 1 % back, from 50,000.00 of fares on 2 % of all of them.
fn volume_programme(airline: AirlineId, effective_from: chrono::NaiveDate) -> Result<NewProgramme, MoneyError> {
    Ok(NewProgramme {
        name: "Gold volume".to_owned(),
        agency: None,
        tier: Tier::parse("gold"),
        airline,
        currency: Currency::CNY,
        period: PeriodLength::Quarter,
        measure: Measure::Fare,
        method: Method::RetroactiveToFirst,
        funder: Funder::Airline,
        airline_return: Some(AirlineReturn::SetOff),
        effective_from,
        effective_until: None,
        tiers: vec![
            (0, TierReward::Rate(Rate::parse("0.01")?)),
            (cny("50000.00")?.minor, TierReward::Rate(Rate::parse("0.02")?)),
        ],
    })
}

/// What stands in `demo.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DemoFile {
    pub url: String,
    pub keys: Vec<Seeded>,
    #[serde(default)]
    pub sign_ins: Vec<SignIn>,
}

/// Of a world that was seeded before; nothing where there is none.
pub fn read_demo(data: &Path) -> Result<Option<DemoFile>, SeedError> {
    match std::fs::read(data.join("demo.json")) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).map_err(std::io::Error::from)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Written last and as a whole: a file that is there says that the seed is complete.
pub fn write_demo(data: &Path, file: &DemoFile) -> Result<(), SeedError> {
    let json = serde_json::to_string_pretty(file).map_err(std::io::Error::from)?;
    let (new, path) = (data.join("demo.json.new"), data.join("demo.json"));
    std::fs::write(&new, json)?;
    std::fs::rename(&new, &path)?;
    Ok(())
}
