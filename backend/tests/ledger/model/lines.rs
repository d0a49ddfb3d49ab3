//! What the bank line costs, day by day and by value date.

use super::{INTEREST, INTEREST_EXPENSE, LOAN, Model, cny, divide};
use chrono::{Days, NaiveDate};

/// Per year, in units of 1e-8, and the days of a year of the line.
const RATE: i128 = 6_000_000;
const YEAR: i128 = 360;

impl Model {
    /// With a value date so many days back: the days since then cost less.
    pub fn repays(&mut self, principal: i64, interest: i64, days_back: u64) -> Result<(), String> {
        if principal + interest == 0 {
            return Err("a payment is more than zero".into());
        }
        let before = self.clone();
        let since = self.today - Days::new(days_back);
        let least = self.days_since(since).map(|day| self.drawn_by.get(&day).copied().unwrap_or(0)).min();
        let repayable = self.credit(LOAN).min(least.filter(|_| principal > 0).unwrap_or(i64::MAX)).max(0);
        if principal > repayable {
            return Err(format!("{} is owed, not more", cny(repayable)));
        }
        self.moves_back(-principal, since);
        let paid = self.pays(&[(LOAN, principal), (INTEREST, interest)]);
        if paid.is_err() {
            *self = before;
        }
        paid
    }

    fn days_since(&self, since: NaiveDate) -> impl Iterator<Item = NaiveDate> + use<> {
        let today = self.today;
        since.iter_days().take_while(move |day| *day < today)
    }

    /// The loan moves today, and did so days ago for the bank.
    pub(super) fn moves_back(&mut self, amount: i64, since: NaiveDate) {
        for day in self.days_since(since) {
            *self.drawn_by.entry(day).or_default() += amount;
            self.interest_scaled += i128::from(amount) * RATE;
        }
        self.books_interest();
    }

    fn books_interest(&mut self) {
        let total = divide(self.interest_scaled, 100_000_000 * YEAR);
        self.moves(INTEREST_EXPENSE, INTEREST, total - self.interest_booked);
        self.interest_booked = total;
    }

    pub fn days_pass(&mut self, days: u64) {
        for _ in 0..days {
            self.closings.push(self.credit(LOAN));
            *self.drawn_by.entry(self.today).or_default() += self.credit(LOAN);
            self.today = self.today + Days::new(1);
        }
    }

    /// One exact sum, divided once.
    pub fn accrues(&mut self) {
        let days: i128 = std::mem::take(&mut self.closings).into_iter().map(i128::from).sum();
        self.interest_scaled += days * RATE;
        self.books_interest();
    }
}
