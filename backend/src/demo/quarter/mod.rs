//! A quarter of the trade, played over the API on the test side of a running server: a hundred agencies of which most pay, some late, some not at all, one
//! of which means to disappear; five airlines, two banks; sales, voids, refunds, exchanges, cycles, defaults. At the end everybody is square, and the
//! report says what had to be so and was.

mod cast;
mod desk;
mod dice;
mod story;
mod trade;

use super::client::{Client, Failure, Side, list, minor, text_of};
use super::sell::OPERATOR;
use cast::{Player, lines, own_cash, signed};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeZone, Utc};
use desk::Case;
use dice::Dice;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use story::Story;

/// After the last sale every cycle is billed, due and paid, and whoever does not pay is written off, within so many days.
const AFTERMATH: u32 = 60;
/// A day that is not closed by then is not going to be.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is to be played.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    pub seed: u64,
    pub agencies: usize,
    pub days: u32,
}

impl Played {
    /// The day on which one agency sells everything it can.
    fn burst(self) -> u32 {
        self.days / 9 * 5
    }

    /// The day from which some pay no more.
    fn insolvency(self) -> u32 {
        self.days / 9 * 4
    }
}

struct Quarter {
    played: Played,
    client: Client,
    dice: Dice,
    story: Story,
    players: Vec<Player>,
    cases: Vec<Case>,
    /// Those whom the risk desk looks at tomorrow.
    suspects: Vec<usize>,
    day: u32,
    today: NaiveDate,
    /// Orders and payments so far.
    orders: u64,
}

/// Plays a quarter at the server that demo.json names, and writes `quarter.md` beside it. Answers whether everything was as it has to be.
pub fn run(data: &Path, played: Played) -> Result<bool, Failure> {
    let mut client = Client::from_file(data, Side::Test)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let now: NaiveDate = text_of(&client.get(OPERATOR, "/v1/test_clock").await?["ledger_date"]).parse()?;
        let first = now.with_day(1).and_then(|first| first.checked_add_months(Months::new(1))).ok_or("no next month")?;
        println!("{} agencies sell from {first} for {} days at {}", played.agencies, played.days, client.url);
        client_goes_to(&client, first, 0).await?;
        let mut dice = Dice::of(played.seed);
        let players = signed(&mut client, &mut dice, played.agencies, first).await?;
        let (story, cases, suspects) = (Story::default(), Vec::new(), Vec::new());
        let mut quarter = Quarter { played, client, dice, story, players, cases, suspects, day: 0, today: first, orders: 0 };
        quarter.plays().await?;
        quarter.checks().await?;
        let title = format!("A quarter of {} agencies, from {first}, seed {}", played.agencies, played.seed);
        let report = quarter.story.written(&title, &quarter.players) + &quarter.result().await?;
        std::fs::write(data.join("quarter.md"), &report)?;
        println!("\n{report}");
        Ok(quarter.story.holds())
    })
}

impl Quarter {
    async fn plays(&mut self) -> Result<(), Failure> {
        let last = self.played.days + AFTERMATH;
        while self.day < last {
            self.begins_day().await?;
            self.morning().await?;
            if self.day < self.played.days {
                client_goes_to(&self.client, self.today, 10).await?;
                self.trade().await?;
            } else if self.is_settled().await? {
                break;
            }
            self.ends_day().await?;
            self.next_day();
        }
        // Where it did not end by itself, its last day is still to begin.
        self.begins_day().await?;
        self.squares_up().await?;
        self.ends_day().await?;
        self.next_day();
        self.begins_day().await?;
        self.pays_interest().await?;
        self.ends_day().await
    }

    fn next_day(&mut self) {
        self.day += 1;
        self.today = self.today + Days::new(1);
    }

    /// The day before is closed.
    async fn begins_day(&self) -> Result<(), Failure> {
        client_goes_to(&self.client, self.today, 0).await?;
        let until = Instant::now() + PATIENCE;
        loop {
            let jobs = self.client.get(OPERATOR, "/v1/jobs").await?;
            let close = list(&jobs).iter().find(|job| job["name"] == "close_of_day").ok_or("no job closes the day")?;
            let last = &close["last_run"];
            if last["state"] == "done" && last["ledger_date"] == json!(self.today.to_string()) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("the day before {} was not closed: {last}", self.today).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The banks have paid whatever was sold.
    async fn ends_day(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        let loan = loop {
            let all = lines(&self.client).await?;
            let is_quiet = |line: &serde_json::Value| line["unconfirmed"] == 0 && text_of(&line["held_amount"]) == "0.00";
            if all.iter().all(is_quiet) {
                break all.iter().map(|line| minor(&line["drawn_amount"])).sum::<Result<i64, _>>()?;
            }
            if Instant::now() > until {
                return Err(format!("the banks did not confirm on {}", self.today).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let own = own_cash(&self.client).await?;
        self.story.ends_day(self.today, loan, own);
        Ok(())
    }

    /// Nobody owes anything for a ticket, and no case is open.
    async fn is_settled(&self) -> Result<bool, Failure> {
        let nothing_owed = self.receivables().await?.iter().all(|(_, owed)| *owed <= 0);
        Ok(nothing_owed && self.obligations().await?.is_empty() && self.cases.iter().all(|case| case.is_over))
    }
}

/// Two minutes past an hour, Shanghai time, where the clock is not past it: a minute after midnight the day before is closed.
async fn client_goes_to(client: &Client, day: NaiveDate, hour: u32) -> Result<(), Failure> {
    let local = day.and_hms_opt(hour, 2, 0).ok_or("no such hour")?;
    let target = chrono_tz::Asia::Shanghai.from_local_datetime(&local).single().ok_or("no such moment")?.to_utc();
    let now: DateTime<Utc> = text_of(&client.get(OPERATOR, "/v1/test_clock").await?["now"]).parse()?;
    if now < target {
        client.post(OPERATOR, "/v1/test_clock", json!({ "now": target.to_rfc3339() })).await?;
    }
    Ok(())
}
