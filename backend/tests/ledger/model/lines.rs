//! What the bank lines cost, day by day and by value date.

use super::{INTEREST_EXPENSE, INTERESTS, LINES, LOANS, Model, cny, divide};
use chrono::{Days, NaiveDate};

/// Per year, in units of 1e-8, and the days of a year of every line.
pub const RATES: [i128; LINES] = [6_000_000, 5_000_000, 5_000_000];
const YEAR: i128 = 360;

impl Model {
    /// With a value date so many days back: the days since then cost less.
    pub fn repays(&mut self, line: usize, principal: i64, interest: i64, days_back: u64) -> Result<(), String> {
        if principal + interest == 0 {
            return Err("a payment is more than zero".into());
        }
        let before = self.clone();
        let since = self.today - Days::new(days_back);
        let least = self.days_since(since).map(|day| self.drawn_by[line].get(&day).copied().unwrap_or(0)).min();
        let repayable = self.credit(LOANS[line]).min(least.filter(|_| principal > 0).unwrap_or(i64::MAX)).max(0);
        if principal > repayable {
            return Err(format!("{} is owed, not more", cny(repayable)));
        }
        self.moves_back(line, -principal, since);
        let paid = self.pays(&[(LOANS[line], principal), (INTERESTS[line], interest)]);
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
    pub(super) fn moves_back(&mut self, line: usize, amount: i64, since: NaiveDate) {
        for day in self.days_since(since) {
            *self.drawn_by[line].entry(day).or_default() += amount;
            self.interest_scaled[line] += i128::from(amount) * RATES[line];
        }
        self.books_interest(line);
    }

    fn books_interest(&mut self, line: usize) {
        let total = divide(self.interest_scaled[line], 100_000_000 * YEAR);
        self.moves(INTEREST_EXPENSE, INTERESTS[line], total - self.interest_booked[line]);
        self.interest_booked[line] = total;
    }

    pub fn days_pass(&mut self, days: u64) {
        for _ in 0..days {
            for (line, account) in LOANS.into_iter().enumerate() {
                let loan = self.credit(account);
                self.closings[line].push(loan);
                *self.drawn_by[line].entry(self.today).or_default() += loan;
            }
            self.today = self.today + Days::new(1);
        }
    }

    /// One exact sum for each line, divided once.
    pub fn accrues(&mut self) {
        for (line, rate) in RATES.into_iter().enumerate() {
            let days: i128 = std::mem::take(&mut self.closings[line]).into_iter().map(i128::from).sum();
            self.interest_scaled[line] += days * rate;
            self.books_interest(line);
        }
    }
}
