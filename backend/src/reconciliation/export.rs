//! One airline's day, from the journal: every event with that ledger date that moved what the airline is owed or has to give back, and the proof that
//! it is all of them.
//!
//! Protocol: the caller reads in one snapshot. The day must be over by more than any commit takes, and everything up to it sealed; from then on its
//! postings never change, and what a line says about them is taken from columns that never change either. So a day exported again is the same to the
//! byte, also after later voids and payments. Everything is read in pages and written line by line: the memory does not grow with the day.
//!
//! The tie: opening and closing balances are read off the entries' own balances at both ends of the day; the change between them is added up from the
//! lines that were written. If opening + change is not closing, or a ticket's legs are not what its posting booked, there is no file.

use super::day_events::{DayEvent, Details, events_without_share};
use crate::clock::Timestamp;
use crate::db::{Db, DbError};
use crate::ids::{AirlineId, Id};
use crate::interchange::airline_day::{Column, DayWriter, Line, RecordType, Written};
use crate::ledger::{
    AccountCode, AccountRow, DayBalance, DayError, DayWindow, EntryRow, PostingRow, Seal, accounts_of, day_window, entries_in,
    next_or_last_entry, postings_by_id,
};
use crate::money::{Currency, MoneyError};
use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Seek, Write};
use std::iter::Peekable;

/// Entries read at a time: bounds the memory.
const PAGE: usize = 2_000;
/// A commit carries the time at which it began; none takes this long.
const COMMITS_END_WITHIN: Duration = Duration::seconds(60);

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{0} is not over yet; its export is possible a minute after midnight in the operator's zone")]
    NotOver(NaiveDate),
    #[error("{0} is not sealed yet")]
    NotSealed(NaiveDate),
    #[error("the file does not tie to the ledger and is not handed out: {0}")]
    DoesNotTie(String),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the file could not be written: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<DayError> for ExportError {
    fn from(error: DayError) -> Self {
        match error {
            DayError::NotSealed(date) => ExportError::NotSealed(date),
            DayError::Db(error) => error.into(),
        }
    }
}

/// A day that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AirlineDay {
    pub airline: AirlineId,
    pub date: NaiveDate,
}

impl AirlineDay {
    pub fn closed(airline: AirlineId, date: NaiveDate, now: Timestamp, zone: Tz) -> Result<Self, ExportError> {
        if now.plus(-COMMITS_END_WITHIN).date_in(zone) <= date {
            return Err(ExportError::NotOver(date));
        }
        Ok(AirlineDay { airline, date })
    }
}

/// What the lines of tickets add up to, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegSums {
    pub price: i64,
    pub base_fare: i64,
    pub tax: i64,
    pub airline_share: i64,
    pub authorities: i64,
    pub commission: i64,
    pub fee: i64,
}

/// An account over the day, in minor units on its normal side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMovement {
    pub opening: i64,
    pub change: i64,
    pub closing: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyTotals {
    pub currency: String,
    pub legs: LegSums,
    pub payable: AccountMovement,
    pub receivable: AccountMovement,
}

/// A head of the ledger's chain under which the whole day stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    pub node: i64,
    pub height: i64,
    /// Hexadecimal SHA-256.
    pub head: String,
}

impl From<&Seal> for ChainHead {
    fn from(seal: &Seal) -> Self {
        ChainHead { node: seal.node, height: seal.height, head: hex::encode(&seal.head) }
    }
}

/// What a written day amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFile {
    pub rows: i64,
    pub bytes: i64,
    pub sha256: String,
    pub totals: Vec<CurrencyTotals>,
    pub anchor: Vec<ChainHead>,
}

/// Writes a day into a file without a name and checks it there, so that nobody sees a line of it before it is known to tie. The file is gone when it
/// is closed.
pub fn spool(db: &mut Db, day: AirlineDay) -> Result<(std::fs::File, DayFile), ExportError> {
    let mut file = tempfile::tempfile()?;
    let mut buffered = BufWriter::new(&mut file);
    let written = write_day(db, day, &mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.rewind()?;
    Ok((file, written))
}

/// Writes a day. On an error what was written so far is worthless.
pub fn write_day<W: Write>(db: &mut Db, day: AirlineDay, out: W) -> Result<DayFile, ExportError> {
    let window = day_window(db, day.date)?;
    let mut scan = Scan::of(db, day, window)?;
    let mut writer = DayWriter::new(out)?;
    let mut days: BTreeMap<Currency, CurrencyDay> = BTreeMap::new();
    while let Some(events) = scan.next_page(db)? {
        let details = Details::of(db, &events)?;
        for event in &events {
            for line in details.lines(event)? {
                writer.write(&line)?;
            }
            days.entry(event.currency).or_default().count(event, &details)?;
        }
    }
    scan.read_ends(db, &mut days)?;
    let anchor: Vec<ChainHead> = scan.window.heads.iter().map(ChainHead::from).collect();
    let totals = days.iter().map(|(currency, of)| of.totals(*currency)).collect::<Result<Vec<_>, _>>()?;
    write_end(&mut writer, day.date, &totals, &anchor)?;
    let Written { rows, bytes, sha256 } = writer.finish()?;
    Ok(DayFile { rows, bytes, sha256, totals, anchor })
}

fn write_end<W: Write>(
    writer: &mut DayWriter<W>,
    date: NaiveDate,
    totals: &[CurrencyTotals],
    anchor: &[ChainHead],
) -> Result<(), ExportError> {
    for total in totals {
        let currency = Currency::parse(&total.currency)?;
        let amounts = [
            (Column::Price, total.legs.price),
            (Column::BaseFare, total.legs.base_fare),
            (Column::TaxTotal, total.legs.tax),
            (Column::AirlineShare, total.legs.airline_share),
            (Column::Authorities, total.legs.authorities),
            (Column::Commission, total.legs.commission),
            (Column::Fee, total.legs.fee),
            (Column::PayableChange, total.payable.change),
            (Column::ReceivableChange, total.receivable.change),
        ];
        let line = Line::new(RecordType::Total, date).text(Column::Currency, currency.code());
        writer.write(&line.amounts(amounts, currency))?;
        for (code, movement) in [(AccountCode::AirlinePayable, total.payable), (AccountCode::AirlineReceivable, total.receivable)]
        {
            let line = Line::new(RecordType::Balance, date).text(Column::Currency, currency.code());
            let line = line.text(Column::Account, code.text()).amount(Column::Opening, movement.opening, currency);
            let line = line.amount(Column::Change, movement.change, currency);
            writer.write(&line.amount(Column::Closing, movement.closing, currency))?;
        }
    }
    for head in anchor {
        let detail = format!("{} {} {}", head.node, head.height, head.head);
        writer.write(&Line::new(RecordType::ChainHead, date).text(Column::Detail, &detail))?;
    }
    Ok(())
}

/// What is added up for one currency.
#[derive(Default)]
struct CurrencyDay {
    legs: LegSums,
    payable: AccountMovement,
    receivable: AccountMovement,
}

fn add(sum: &mut i64, minor: i64) -> Result<(), MoneyError> {
    *sum = sum.checked_add(minor).ok_or(MoneyError::Overflow)?;
    Ok(())
}

impl CurrencyDay {
    fn count(&mut self, event: &DayEvent, details: &Details) -> Result<(), ExportError> {
        add(&mut self.payable.change, event.payable)?;
        add(&mut self.receivable.change, event.receivable)?;
        let Some(legs) = details.legs(event)? else { return Ok(()) };
        let booked = event.payable.checked_sub(event.receivable).ok_or(MoneyError::Overflow)?;
        if booked != legs.airline_share || legs.currency != event.currency {
            let what = format!("ticket {}: its airline's share is not what {} booked", legs.number, event.posting.event);
            return Err(ExportError::DoesNotTie(what));
        }
        let sums = &mut self.legs;
        for (sum, minor) in [
            (&mut sums.price, legs.price),
            (&mut sums.base_fare, legs.base_fare),
            (&mut sums.tax, legs.tax),
            (&mut sums.airline_share, legs.airline_share),
            (&mut sums.authorities, legs.authorities),
            (&mut sums.commission, legs.commission),
            (&mut sums.fee, legs.fee),
        ] {
            add(sum, minor)?;
        }
        Ok(())
    }

    fn totals(&self, currency: Currency) -> Result<CurrencyTotals, ExportError> {
        let LegSums { price, base_fare, tax, airline_share, authorities, commission, fee } = self.legs;
        let legs = [airline_share, authorities, commission, fee].into_iter().try_fold(0i64, i64::checked_add);
        if base_fare.checked_add(tax) != Some(price) || legs != Some(price) {
            return Err(ExportError::DoesNotTie(format!("the legs in {currency} do not add up to the prices")));
        }
        for (code, of) in [(AccountCode::AirlinePayable, self.payable), (AccountCode::AirlineReceivable, self.receivable)] {
            if of.opening.checked_add(of.change) != Some(of.closing) {
                let amount = |minor: i64| currency.decimal(minor.into());
                let (opening, change, closing) = (amount(of.opening), amount(of.change), amount(of.closing));
                let what =
                    format!("{} {currency} opens with {opening}, changes by {change} and closes with {closing}", code.text());
                return Err(ExportError::DoesNotTie(what));
            }
        }
        let code = currency.code().to_owned();
        Ok(CurrencyTotals { currency: code, legs: self.legs, payable: self.payable, receivable: self.receivable })
    }
}

struct Account {
    row: AccountRow,
    code: AccountCode,
    currency: Currency,
    balance: DayBalance,
}

/// The airline's entries in the window of the day, page by page, as events.
struct Scan {
    day: AirlineDay,
    window: DayWindow,
    accounts: BTreeMap<i64, Account>,
    cursor: Option<i64>,
    /// Events that touch none of the accounts.
    silent: Peekable<std::vec::IntoIter<DayEvent>>,
}

impl Scan {
    fn of(db: &mut Db, day: AirlineDay, window: DayWindow) -> Result<Self, ExportError> {
        let mut accounts = BTreeMap::new();
        for row in accounts_of(db, &[day.airline.raw()])? {
            let (code, currency) = (row.account_code()?, row.money_currency()?);
            if matches!(code, AccountCode::AirlinePayable | AccountCode::AirlineReceivable) {
                accounts.insert(row.id, Account { row, code, currency, balance: DayBalance::default() });
            }
        }
        let silent = events_without_share(db, day, &window)?;
        let cursor = Some(window.after);
        Ok(Scan { day, window, accounts, cursor, silent: silent.into_iter().peekable() })
    }

    /// The next events of the day, in the order of their postings; `None` behind the last page.
    fn next_page(&mut self, db: &mut Db) -> Result<Option<Vec<DayEvent>>, ExportError> {
        let Some(cursor) = self.cursor else { return Ok(None) };
        let ids: Vec<i64> = self.accounts.keys().copied().collect();
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        let mut entries = entries_in(db, &ids, cursor, self.window.until, limit)?;
        let full = entries.len() == PAGE;
        if full && let Some(cut) = entries.last().map(|entry| entry.posting_id) {
            // Its other entries may be on the next page.
            entries.retain(|entry| entry.posting_id != cut);
        }
        self.cursor = if full { entries.last().map(|entry| entry.id) } else { None };
        let mut postings: Vec<i64> = entries.iter().map(|entry| entry.posting_id).collect();
        postings.dedup();
        let postings: HashMap<i64, PostingRow> =
            postings_by_id(db, &postings)?.into_iter().map(|posting| (posting.id, posting)).collect();
        let mut events: BTreeMap<(i64, Currency), DayEvent> = BTreeMap::new();
        for entry in &entries {
            let posting = postings.get(&entry.posting_id);
            let posting = posting.ok_or_else(|| DbError::Corrupt(format!("entry {} has no posting", entry.id)))?;
            self.add(entry, posting, &mut events)?;
        }
        let until = self.cursor.unwrap_or(i64::MAX);
        while let Some(event) = self.silent.next_if(|event| event.posting.id <= until) {
            events.entry((event.posting.id, event.currency)).or_insert(event);
        }
        Ok(Some(events.into_values().collect()))
    }

    fn add(
        &mut self,
        entry: &EntryRow,
        posting: &PostingRow,
        events: &mut BTreeMap<(i64, Currency), DayEvent>,
    ) -> Result<(), ExportError> {
        let Some(account) = self.accounts.get_mut(&entry.account_id) else { return Ok(()) };
        let side = posting.ledger_date.cmp(&self.day.date);
        account.balance.add(entry, side);
        if side.is_ne() {
            return Ok(());
        }
        let currency = account.currency;
        let event = events.entry((posting.id, currency));
        let event = event.or_insert_with(|| DayEvent { posting: posting.clone(), currency, payable: 0, receivable: 0 });
        let change = account.code.normal_side(entry.amount_minor);
        match account.code {
            AccountCode::AirlinePayable => add(&mut event.payable, change)?,
            _ => add(&mut event.receivable, change)?,
        }
        Ok(())
    }

    /// The balances at both ends of the day, of every account that was ever moved by then.
    fn read_ends(&mut self, db: &mut Db, days: &mut BTreeMap<Currency, CurrencyDay>) -> Result<(), ExportError> {
        for account in self.accounts.values_mut() {
            if account.balance.is_empty()
                && let Some(entry) = next_or_last_entry(db, &account.row, self.window.until)?
            {
                // Outside the window: no entry of the day can be there.
                account.balance.add(&entry, entry.id.cmp(&self.window.until));
            }
            if !account.balance.is_unbroken(db, &account.row, self.window.until)? {
                return Err(ExportError::DoesNotTie(format!("{} lacks entries", account.row.key()?)));
            }
            if !account.balance.was_moved() {
                continue;
            }
            let (opening, closing) = (account.balance.opening(), account.balance.closing());
            let of = days.entry(account.currency).or_default();
            let movement = if account.code == AccountCode::AirlinePayable { &mut of.payable } else { &mut of.receivable };
            add(&mut movement.opening, account.code.normal_side(opening))?;
            add(&mut movement.closing, account.code.normal_side(closing))?;
        }
        Ok(())
    }
}
