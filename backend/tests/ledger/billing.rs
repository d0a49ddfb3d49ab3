//! How the tests bill, charge and pay cycles.

use crate::bank::settled;
use crate::world::{World, cny};
use airsettle::agencies::{Contract, CostTerms, Cycle, NewContract, PaymentTerms, sign_contract};
use airsettle::audit::Actor;
use airsettle::ids::{AgencyId, BillingStatementId, Id};
use airsettle::money::Currency;
use airsettle::settlement::{
    ChargeRow, CreditPayoutError, NewCreditPayout, ObligationRow, Paged, Purpose, Receipt, ReceiptError, begin_statement, charge,
    chargeable, close_statement, cycles_to_bill, obligations_of, pay_out_credit, review_agency, settle_from_credit, statement,
    statement_page, write_statement,
};
use airsettle::ticketing::IssuedOrder;
use chrono::{Duration, NaiveDate};

impl World {
    /// The next version of the agency's contract.
    pub fn signs_terms(&self, payment: PaymentTerms, costs: CostTerms) -> Resigned<'_> {
        let old = self.contracts[&self.agency].clone();
        let next = NewContract {
            agency: old.agency,
            airline: old.airline,
            currency: old.currency,
            effective_from: old.effective_from,
            commission_rate: old.commission_rate,
            commission_base: old.commission_base,
            fee_rate: old.fee_rate,
            tax_remitter: old.tax_remitter,
            payment_days: old.payment_days,
            payment,
            costs,
            clawback: old.clawback,
            fee_on_refund: old.fee_on_refund,
            airline_return: old.airline_return,
        };
        let contract = self.write(|tx| Ok(sign_contract(tx, &next)?));
        Resigned { world: self, contract }
    }

    /// Bills everything that is over, as the close of day does.
    pub fn bills(&self) -> Vec<ObligationRow> {
        self.bills_in_pages_of(2_000)
    }

    pub fn bills_in_pages_of(&self, size: i64) -> Vec<ObligationRow> {
        let ended = self.store.read(|db| cycles_to_bill(db, self.clock.now())).unwrap();
        let bill = |(agency, currency, cycle): (AgencyId, Currency, Cycle)| {
            let begun = self.store.write(|tx| begin_statement(tx, agency, currency, cycle)).unwrap();
            let id = BillingStatementId::of(begun.id);
            while self.store.write(|tx| statement_page(tx, id, size)).unwrap() == Paged::More {}
            self.closes(id)
        };
        ended.into_iter().map(bill).collect()
    }

    pub fn closes(&self, id: BillingStatementId) -> ObligationRow {
        let written = self.read(|db| {
            let known = statement(db, id)?.unwrap();
            Ok(write_statement(db, &known, std::io::sink()).unwrap())
        });
        self.store.write(|tx| close_statement(tx, &self.catalogue().calendar, id, &written)).unwrap()
    }

    /// What the close of day does once the interest is accrued.
    pub fn closes_the_day(&self) {
        self.bills();
        let currency = Currency::CNY;
        for agency in [self.agency, self.prepaid] {
            self.store.write(|tx| settle_from_credit(tx, Actor::platform(), agency, currency)).unwrap();
            self.store.write(|tx| review_agency(tx, agency, currency)).unwrap();
        }
        self.charges();
    }

    pub fn charges(&self) -> Vec<ChargeRow> {
        let late = self.read(|db| chargeable(db, self.today()));
        late.into_iter().flat_map(|id| self.store.write(|tx| charge(tx, Actor::platform(), id)).unwrap()).collect()
    }

    pub fn obligation(&self, cycle: &str) -> ObligationRow {
        let all = self.read(|db| obligations_of(db, self.agency, Currency::CNY));
        all.into_iter().find(|row| row.cycle == cycle).unwrap_or_else(|| panic!("nothing billed for {cycle}"))
    }

    pub fn remits_oldest_first(&self, amount: &str) -> Result<Receipt, ReceiptError> {
        self.receives(&self.receipt(Purpose::RemittanceOldestFirst(self.agency), amount))
    }

    /// Sells, and the airline has its money: the line stays open while days pass.
    pub fn sells_and_pays(&self, order: impl Into<airsettle::ticketing::IssueOrder>) -> IssuedOrder {
        let order = self.sells(order);
        let sent = self.sends(&self.advance_of(&order)).unwrap();
        self.bank_says(&[settled(&sent)]);
        order
    }

    pub fn goes_to(&self, day: NaiveDate) {
        self.time_passes(Duration::days((day - self.today()).num_days()));
    }

    pub fn pays_out_credit(&self, cycle: Cycle, amount: &str, reference: &str) -> Result<(), CreditPayoutError> {
        let new = NewCreditPayout {
            agency: self.agency,
            cycle,
            amount: cny(amount),
            value_date: self.today(),
            bank_reference: reference.into(),
        };
        self.store.write(|tx| pay_out_credit(tx, Actor::platform(), &new).map(drop))
    }
}

/// A world whose agency has signed again.
pub struct Resigned<'w> {
    world: &'w World,
    pub contract: Contract,
}

impl Resigned<'_> {
    pub fn sells(&self) -> IssuedOrder {
        let mut order = self.world.order().build();
        order.contract = self.contract.id;
        order.cycle_rule = self.contract.payment.cycle_rule;
        self.world.sells_and_pays(order)
    }
}
