//! A small trading world: an operator, a bank with a line, an airline with stock, and two agencies of one organisation, one that
//! sells on credit and one that sells from its wallet.

use crate::database::{Database, Engine};
use crate::order::Order;
use airsettle::agencies::{
    AgencyStatus, AirlineReturn, Clawback, CommissionBase, Contract, CostTerms, FeeOnRefund, NewAgency, NewContract, TaxRemitter,
    TenderOrder, open_agency, set_status, sign_contract,
};
use airsettle::airlines::{NewAirline, add_stock, sign_airline};
use airsettle::audit::{Actor, Cause};
use airsettle::catalogue::Catalogue;
use airsettle::clock::Clock;
use airsettle::credit::{
    Availability, Base, FacilityState, NewFacility, NewLimitPolicy, Standing, adopt_policy, facility, open_facility,
    set_facility_limit, standing,
};
use airsettle::db::{Db, DbError, Store, WriteTx};
use airsettle::identity::{NewOrganisation, OrganisationKind, open_organisation};
use airsettle::ids::{AgencyId, AirlineId, FacilityId, OrganisationId};
use airsettle::ledger::{AccountRow, Chart, Fault, Proof, verify};
use airsettle::money::{Currency, Money, Rate};
use airsettle::risk::velocity::Velocity;
use airsettle::settlement::{NewReceipt, Purpose, Receipt, ReceiptError, Recorded, record_receipt, verify_settlement};
use airsettle::ticketing::{IssueOrder, IssuedOrder, Mode, Outcome, Refusal, SaleFault, issue_all, verify_sales};
use chrono::{Duration, NaiveDate};
use diesel::RunQueryDsl;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

pub type Anything = Box<dyn std::error::Error + Send + Sync>;

pub const TABLES: &[&str] = &[
    "setting",
    "organisation",
    "agency",
    "api_key",
    "airline",
    "stock_range",
    "contract",
    "limit_policy",
    "facility",
    "facility_slice",
    "facility_limit",
    "facility_sublimit",
    "facility_correction",
    "loss_provision",
    "airline_cap",
    "airline_alarm",
    "base_rate",
    "posting",
    "entry",
    "hold",
    "seal",
    "bank_receipt",
    "idempotency_key",
    "offer_request",
    "air_order",
    "passenger",
    "person_key",
    "ticket",
    "ticket_tax",
    "coupon",
    "ticket_document",
    "coupon_event",
    "coupon_status_file",
    "coupon_status_line",
    "schedule_change",
    "airline_change",
    "airline_change_segment",
    "advance",
    "advance_attempt",
    "outbox",
    "audit_event",
    "order_cancellation",
    "airline_claim",
    "claim_settlement",
    "facility_accrual",
    "bank_payment",
    "cash_transfer",
    "export_file",
    "commission_rule",
    "held_order",
    "held_seat",
    "order_payment",
    "event",
    "webhook",
    "order_change_request",
    "order_change",
    "ticket_exchange",
    "airline_take_back",
    "refund_application",
    "refund_ticket",
    "refund_coupon",
    "refund_tax",
    "refund_evidence",
    "attachment",
    "incentive_programme",
    "incentive_tier",
    "incentive_cursor",
    "incentive_period",
    "incentive_accrual",
    "cycle_settlement",
    "obligation",
    "obligation_charge",
    "credit_payout",
    "billing_statement",
    "statement_line",
    "job",
    "job_run",
    "agency_default",
    "billing_contact",
    "dunning_message",
    "approval",
    "score_card",
    "risk_event",
    "financial_review",
    "agency_day",
    "agency_day_part",
    "score",
    "velocity_rule",
    "velocity_hit",
    "guarantee",
    "temporary_limit",
    "limit_review",
    "limit_alert",
    "payout",
    "kill_switch",
    "cash_proof",
    "cash_item",
    "memo",
    "memo_ticket",
    "memo_step",
    "memo_evidence",
];

pub fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

pub fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

pub struct World {
    pub database: Database,
    pub store: Arc<Store>,
    pub chart: Arc<Chart>,
    pub velocity: Arc<Velocity>,
    pub clock: Clock,
    pub seller: OrganisationId,
    /// Sells on credit, then from its wallet.
    pub agency: AgencyId,
    /// Sells from its wallet only.
    pub prepaid: AgencyId,
    pub airline: AirlineId,
    pub facility: FacilityId,
    pub contracts: BTreeMap<AgencyId, Contract>,
}

struct Parties {
    seller: OrganisationId,
    agency: AgencyId,
    prepaid: AgencyId,
    airline: AirlineId,
    facility: FacilityId,
    contracts: BTreeMap<AgencyId, Contract>,
}

impl World {
    /// Everybody has signed, and nobody has paid in anything yet. The limit is the deposit, the bank line a million.
    pub fn on(engine: Engine) -> Self {
        World::in_database(Database::migrated(engine))
    }

    /// The same, ready to sell: deposit and wallet are a million each.
    pub fn trading(engine: Engine) -> Self {
        let world = World::on(engine);
        world.lodges_deposit("1000000.00");
        world.tops_up(world.prepaid, "1000000.00");
        world
    }

    pub fn in_database(database: Database) -> Self {
        let clock = Clock::settable(Duration::zero());
        let store = Arc::new(database.open(clock.clone()));
        let parties = store.write(parties).unwrap();
        let Parties { seller, agency, prepaid, airline, facility, contracts } = parties;
        let (chart, velocity) = (Arc::new(Chart::default()), Arc::new(Velocity::default()));
        World { database, store, chart, velocity, clock, seller, agency, prepaid, airline, facility, contracts }
    }

    /// The same world through a second process that takes over from the first one.
    pub fn seen_from_another_node(self) -> Self {
        let store = Arc::new(self.database.open(self.clock.clone()));
        World { store, chart: Arc::new(Chart::default()), velocity: Arc::new(Velocity::default()), ..self }
    }

    /// What a node remembers.
    pub fn memory(&self) -> (Arc<Chart>, Arc<Velocity>) {
        (self.chart.clone(), self.velocity.clone())
    }

    pub fn read<T>(&self, reads: impl FnOnce(&mut Db) -> Result<T, DbError>) -> T {
        self.store.read(reads).unwrap()
    }

    pub fn write<T>(&self, change: impl FnOnce(&mut WriteTx) -> Result<T, Anything>) -> T {
        self.store.write(change).unwrap()
    }

    pub fn catalogue(&self) -> &'static Catalogue {
        static READ: OnceLock<Catalogue> = OnceLock::new();
        READ.get_or_init(|| Catalogue::load().unwrap())
    }

    pub fn cause(&self) -> Cause {
        Cause { actor: Actor::platform(), request_id: "req".into() }
    }

    pub fn today(&self) -> NaiveDate {
        self.clock.now().date_in(self.store.zone())
    }

    pub fn time_passes(&self, duration: Duration) {
        self.clock.set(self.clock.now().plus(duration)).unwrap();
    }

    // ---- money in

    pub fn receives(&self, new: &NewReceipt) -> Result<Receipt, ReceiptError> {
        self.store.write(|tx| record_receipt(tx, Actor::platform(), new)).map(Recorded::into_inner)
    }

    pub fn receipt(&self, purpose: Purpose, amount: &str) -> NewReceipt {
        let number = self.store.ids().block(1);
        let (account, bank_reference) = (purpose.purse(), format!("BANK-{number}"));
        NewReceipt { account, amount: cny(amount), value_date: self.today(), bank_reference, purpose }
    }

    pub fn lodges_deposit(&self, amount: &str) {
        self.receives(&self.receipt(Purpose::Deposit(self.agency), amount)).unwrap();
    }

    pub fn tops_up(&self, agency: AgencyId, amount: &str) {
        self.receives(&self.receipt(Purpose::Wallet(agency), amount)).unwrap();
    }

    // ---- sales

    pub fn order(&self) -> Order<'_> {
        Order::worked_ticket(self)
    }

    pub fn issues(&self, orders: &[IssueOrder]) -> Vec<Outcome> {
        let memory = (&*self.chart, &*self.velocity);
        let outcomes = self.store.write(|tx| issue_all(tx, memory, orders, Mode::Sell)).unwrap();
        self.velocity.committed();
        outcomes
    }

    pub fn issue(&self, order: impl Into<IssueOrder>) -> Outcome {
        self.issues(&[order.into()]).pop().unwrap()
    }

    /// Issues an order that must be accepted.
    pub fn sells(&self, order: impl Into<IssueOrder>) -> IssuedOrder {
        match self.issue(order) {
            Outcome::Issued(issued) => *issued,
            other => panic!("not issued: {other:?}"),
        }
    }

    /// Issues an order that must be refused.
    pub fn refuses(&self, order: impl Into<IssueOrder>) -> Refusal {
        match self.issue(order) {
            Outcome::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn sets_status(&self, status: AgencyStatus) {
        self.write(|tx| Ok(set_status(tx, self.agency, status)?));
    }

    pub fn sets_facility_limit(&self, limit: &str) {
        self.sets_limit_of(self.facility, cny(limit));
    }

    pub fn sets_limit_of(&self, line: FacilityId, limit: Money) {
        self.write(|tx| Ok(set_facility_limit(tx, line, limit)?));
    }

    /// However old an advance is, the line stays open: how age closes one is shown in `facility`.
    pub fn bears_with_its_bank(&self) {
        self.database.as_owner("UPDATE facility SET max_unresolved_secs = 1000000000").unwrap();
    }

    pub fn adopts_policy(&self, multiplier: &str, cap: &str) {
        let effective_from = self.today();
        let new = NewLimitPolicy { effective_from, deposit_multiplier: rate(multiplier), cap: cny(cap) };
        self.write(|tx| Ok(adopt_policy(tx, &new)?));
    }

    pub fn opens_second_line(&self, limit: &str) -> FacilityId {
        let bank = self.line().facility.bank;
        self.write(|tx| Ok(open_facility(tx, line(bank, "Line B", limit))?.id))
    }

    // ---- what is so

    pub fn standing(&self, agency: AgencyId) -> Standing {
        self.read(|db| standing(db, agency, Currency::CNY))
    }

    pub fn exposure(&self) -> Money {
        self.standing(self.agency).exposure().unwrap()
    }

    pub fn line(&self) -> FacilityState {
        self.read(|db| facility(db, self.facility, self.today())).unwrap()
    }

    /// Every account that is not empty, in the order of the chart: `airline.payable 915.00`.
    pub fn balances(&self) -> Vec<String> {
        use airsettle::db::schema::account;
        let rows: Vec<AccountRow> = self.read(|db| Ok(account::table.select(AccountRow::as_select()).load(db)?));
        let mut lines: Vec<_> = rows
            .iter()
            .filter(|row| row.balance_minor != 0)
            .map(|row| {
                let key = row.key().unwrap();
                let detail = if key.detail.is_empty() { String::new() } else { format!("[{}]", key.detail) };
                (key.code, key.detail, format!("{}{detail} {}", key.code.text(), row.balance().unwrap()))
            })
            .collect();
        lines.sort();
        lines.into_iter().map(|(_, _, line)| line).collect()
    }

    /// How many rows each table has. A bucket that sold nothing and an account that never moved mean the same as no row.
    pub fn row_counts(&self) -> BTreeMap<String, i64> {
        let mut queries: Vec<(String, String)> =
            TABLES.iter().map(|table| ((*table).to_owned(), format!("SELECT COUNT(*) AS value FROM {table}"))).collect();
        let moved = "SELECT COUNT(*) AS value FROM account WHERE version > 0 OR pending_minor > 0";
        queries.push(("account".into(), moved.into()));
        queries.push(("seat_bucket".into(), "SELECT COUNT(*) AS value FROM seat_bucket WHERE sold > 0".into()));
        queries.push(("documents".into(), "SELECT CAST(SUM(next_document) AS BIGINT) AS value FROM stock_range".into()));
        queries.into_iter().map(|(name, query)| (name, self.number(&query))).collect()
    }

    /// The only value of a query whose column is called `value`.
    pub fn number(&self, query: &str) -> i64 {
        self.numbers(query).pop().unwrap()
    }

    pub fn numbers(&self, query: &str) -> Vec<i64> {
        #[derive(diesel::QueryableByName)]
        struct Number {
            #[diesel(sql_type = BigInt)]
            value: i64,
        }
        let rows: Vec<Number> = self.read(|db| Ok(diesel::sql_query(query).load(db)?));
        rows.into_iter().map(|row| row.value).collect()
    }

    pub fn texts(&self, query: &str) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Words {
            #[diesel(sql_type = Text)]
            value: String,
        }
        let rows: Vec<Words> = self.read(|db| Ok(diesel::sql_query(query).load(db)?));
        rows.into_iter().map(|row| row.value).collect()
    }

    pub fn tickets(&self) -> i64 {
        self.number("SELECT COUNT(*) AS value FROM ticket")
    }

    pub fn ledger_proof(&self) -> Result<Proof, Fault> {
        self.read(|db| verify(db, &BTreeMap::new()))
    }

    pub fn sale_fault(&self) -> Option<SaleFault> {
        self.read(verify_sales).err().or_else(|| self.read(verify_settlement).err())
    }

    /// The ledger and the sales add up.
    pub fn adds_up(&self) {
        if let Err(fault) = self.ledger_proof() {
            panic!("the ledger does not add up: {fault}");
        }
        if let Some(fault) = self.sale_fault() {
            panic!("the sales do not add up: {fault}");
        }
    }
}

fn parties(tx: &mut WriteTx) -> Result<Parties, Anything> {
    let mut organisation = |kind, name: &str| {
        let new = NewOrganisation { kind, name: name.to_owned(), country: "CN".into() };
        open_organisation(tx, new).map(|made| made.id)
    };
    organisation(OrganisationKind::Operator, "Airsettle")?;
    let seller = organisation(OrganisationKind::Agency, "Blue Sky Travel")?;
    let carrier = organisation(OrganisationKind::Airline, "Air China")?;
    let bank = organisation(OrganisationKind::Bank, "Bank of the Delta")?;
    let mut agency = |numeric_code: &str, tender_order| {
        let new = NewAgency {
            organisation: seller,
            numeric_code: numeric_code.to_owned(),
            name: "Blue Sky Travel".into(),
            country: "CN".into(),
            zone: chrono_tz::Asia::Shanghai,
            currency: Currency::CNY,
            tender_order,
        };
        open_agency(tx, new).map(|made| made.id)
    };
    let on_credit = agency("57231064", TenderOrder::CreditThenWallet)?;
    let prepaid = agency("77200771", TenderOrder::WalletOnly)?;
    let airline = NewAirline {
        organisation: carrier,
        iata_code: "CA".into(),
        accounting_code: "999".into(),
        name: "Air China".into(),
        country: "CN".into(),
        payee_account: "6222000000000001".into(),
        payee_name: "Air China".into(),
    };
    let airline = sign_airline(tx, airline)?.id;
    add_stock(tx, airline, 2_100_000_000, 2_100_999_999)?;
    let mut contracts = BTreeMap::new();
    for agency in [on_credit, prepaid] {
        contracts.insert(agency, sign_contract(tx, &worked_contract(agency))?);
    }
    let begin = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    adopt_policy(tx, &NewLimitPolicy { effective_from: begin, deposit_multiplier: rate("1"), cap: cny("1000000.00") })?;
    let facility = open_facility(tx, line(bank, "Line A", "1000000.00"))?.id;
    Ok(Parties { seller, agency: on_credit, prepaid, airline, facility, contracts })
}

pub fn line(bank: OrganisationId, name: &str, limit: &str) -> NewFacility {
    NewFacility {
        bank,
        name: name.to_owned(),
        limit: cny(limit),
        debit_account: "1001".into(),
        base: Base::Fixed(rate("0.04")),
        margin_rate: rate("0.02"),
        commitment_rate: rate("0"),
        available: Availability::default(),
        day_count: "ACT/360".into(),
        max_unconfirmed: 10_000,
        max_unresolved_secs: 30,
    }
}

/// Commission 3 % and fee 0.5 % of the price; the platform remits the taxes.
fn worked_contract(agency: AgencyId) -> NewContract {
    NewContract {
        agency,
        airline: None,
        currency: Currency::CNY,
        effective_from: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
        commission_rate: rate("0.03"),
        commission_base: CommissionBase::Price,
        fee_rate: rate("0.005"),
        tax_remitter: TaxRemitter::Platform,
        payment_days: 7,
        payment: airsettle::agencies::PaymentTerms::default(),
        clawback: Clawback::Full,
        fee_on_refund: FeeOnRefund::Refunded,
        airline_return: AirlineReturn::SetOff,
        costs: CostTerms::default(),
    }
}
