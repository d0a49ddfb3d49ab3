//! What happened, as it is told afterwards.

use super::cast::{Player, Temper};
use crate::money::{Currency, Money};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) fn cny(minor: i64) -> String {
    Money::new(minor, Currency::CNY).to_string()
}

/// What counts: how often, and how much in minor units.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub count: u64,
    pub minor: i64,
}

impl Tally {
    pub fn add(&mut self, minor: i64) {
        self.count = self.count.saturating_add(1);
        self.minor = self.minor.saturating_add(minor);
    }
}

#[derive(Default)]
pub(super) struct Story {
    /// By month and by what was done.
    months: BTreeMap<String, BTreeMap<&'static str, Tally>>,
    /// Orders by the temper of their agency.
    by_temper: BTreeMap<Temper, Tally>,
    /// Why orders were refused.
    refused: BTreeMap<String, u64>,
    /// What is worth a line of its own, with its day.
    lines: Vec<(NaiveDate, String)>,
    /// The loan of all lines and the own cash at the end of each day.
    pub loan_peak: (i64, Option<NaiveDate>),
    pub own_least: Option<(i64, NaiveDate)>,
    pub written_off: i64,
    pub recovered: i64,
    checks: Vec<(String, String, String)>,
}

impl Story {
    pub fn counts(&mut self, day: NaiveDate, what: &'static str, minor: i64) {
        self.months.entry(day.format("%Y-%m").to_string()).or_default().entry(what).or_default().add(minor);
    }

    pub fn sold(&mut self, day: NaiveDate, temper: Temper, minor: i64) {
        self.counts(day, "orders sold", minor);
        self.by_temper.entry(temper).or_default().add(minor);
    }

    pub fn refuses(&mut self, code: &str) {
        *self.refused.entry(code.to_owned()).or_default() += 1;
    }

    pub fn tells(&mut self, day: NaiveDate, line: String) {
        println!("{day}  {line}");
        self.lines.push((day, line));
    }

    pub fn ends_day(&mut self, day: NaiveDate, loan: i64, own: i64) {
        if loan > self.loan_peak.0 {
            self.loan_peak = (loan, Some(day));
        }
        if self.own_least.is_none_or(|(least, _)| own < least) {
            self.own_least = Some((own, day));
        }
    }

    /// What has to be so at the end.
    pub fn checks(&mut self, what: &str, expected: &str, found: &str) {
        self.checks.push((what.to_owned(), expected.to_owned(), found.to_owned()));
    }

    pub fn holds(&self) -> bool {
        self.checks.iter().all(|(_, expected, found)| expected == found)
    }

    /// As Markdown.
    pub fn written(&self, title: &str, players: &[Player]) -> String {
        let mut text = format!("# {title}\n\n| month | what | number | CNY |\n|---|---|---:|---:|\n");
        // Writing to a text does not fail.
        for (month, all) in &self.months {
            for (what, tally) in all {
                let _ = writeln!(text, "| {month} | {what} | {} | {} |", tally.count, cny(tally.minor));
            }
        }
        text.push_str("\n| agencies | number | orders | CNY |\n|---|---:|---:|---:|\n");
        for temper in Temper::ALL {
            let number = players.iter().filter(|player| player.temper == temper).count();
            let sold = self.by_temper.get(&temper).copied().unwrap_or_default();
            let _ = writeln!(text, "| {} | {number} | {} | {} |", temper.text(), sold.count, cny(sold.minor));
        }
        text.push_str("\n| refused because | orders |\n|---|---:|\n");
        for (code, number) in &self.refused {
            let _ = writeln!(text, "| `{code}` | {number} |");
        }
        text.push_str("\n## What happened\n\n");
        for (day, line) in &self.lines {
            let _ = writeln!(text, "- {day}: {line}");
        }
        if let (peak, Some(day)) = self.loan_peak {
            let _ = writeln!(text, "- The banks had lent most on {day}: {} CNY.", cny(peak));
        }
        if let Some((least, day)) = self.own_least {
            let _ = writeln!(text, "- The platform had least money of its own on {day}: {} CNY.", cny(least));
        }
        let _ =
            writeln!(text, "- Written off: {} CNY, of which {} CNY came after all.", cny(self.written_off), cny(self.recovered));
        text.push_str("\n## What has to be so\n\n| | expected | found | |\n|---|---:|---:|---|\n");
        for (what, expected, found) in &self.checks {
            let verdict = if expected == found { "holds" } else { "DIFFERS" };
            let _ = writeln!(text, "| {what} | {expected} | {found} | {verdict} |");
        }
        text
    }
}
