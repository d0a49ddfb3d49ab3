//! The close of day is killed at each of its steps in turn: when everything that the step does is done, and before it is noted that it is. Started again, the
//! step is done again; in the end the books are those of a day that nobody disturbed, and the day has one run.

use crate::books::await_that;
use crate::client::{BEIJING, Client, OPERATOR, SHANGHAI};
use crate::database::Engine;
use crate::stack::Stack;
use airsettle::agencies::CycleRule;
use airsettle::jobs::Scheduled;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both_engines!(killed_at_each_step_of_the_close_of_day);

fn killed_at_each_step_of_the_close_of_day(engine: Engine) {
    let steps: Vec<&str> = Scheduled::named("close_of_day").unwrap().steps.iter().map(|step| step.name).collect();
    let undisturbed = Trade::on(engine);
    let server = undisturbed.stack.serve();
    undisturbed.goes_to_the_late_day();
    undisturbed.awaits_the_close();
    drop(server);

    let killed = Trade::on(engine);
    killed.stands_still_after(steps[0]);
    let mut server = killed.stack.serve();
    killed.goes_to_the_late_day();
    for (place, step) in steps.iter().enumerate() {
        killed.awaits_standstill(place.checked_sub(1).and_then(|before| steps.get(before)).copied());
        server.kill();
        killed.goes_on_after(step);
        if let Some(next) = steps.get(place + 1) {
            killed.stands_still_after(next);
        }
        killed.lease_runs_out();
        server = killed.stack.serve();
    }
    killed.awaits_the_close();
    drop(server);

    for (what, query) in BOOKS {
        let (expected, found) = (undisturbed.stack.lines_of_test(query), killed.stack.lines_of_test(query));
        assert!(!expected.is_empty(), "{what}: there is nothing to compare");
        assert_eq!(found, expected, "{what}");
    }
    for trade in [&undisturbed, &killed] {
        let (code, output) = trade.stack.verify_test();
        assert_eq!(code, 0, "{output}");
    }
}

/// What a day leaves, without the ids and moments that are its own.
const BOOKS: &[(&str, &str)] = &[
    (
        "one run per job and day",
        "SELECT job || ' ' || ledger_date || ' ' || state || ' ' || occurrences AS value FROM job_run WHERE job = 'close_of_day' ORDER BY 1",
    ),
    (
        "the balances",
        "SELECT code || ' ' || detail || ' ' || currency || ' ' || SUM(balance_minor) AS value FROM account
         WHERE balance_minor <> 0 GROUP BY code, detail, currency ORDER BY 1",
    ),
    ("the interest", "SELECT day || ' ' || total_scaled || ' ' || booked_minor AS value FROM facility_accrual ORDER BY 1"),
    (
        "what was billed",
        "SELECT cycle || ' ' || billed_minor || ' ' || due_on || ' ' || state || ' ' || COALESCE(CAST(charged_through AS TEXT), '-') AS value
         FROM obligation ORDER BY 1",
    ),
    (
        "what settled it",
        "SELECT cycle || ' ' || kind || ' ' || amount_minor || ' ' || commission_minor AS value FROM cycle_settlement ORDER BY 1",
    ),
    (
        "the charges",
        "SELECT kind || ' ' || day || ' ' || booked_minor || ' ' || total_booked_minor AS value FROM obligation_charge ORDER BY 1",
    ),
    (
        "the statements",
        "SELECT cycle || ' ' || line_count || ' ' || gross_minor || ' ' || commission_minor AS value FROM billing_statement ORDER BY 1",
    ),
    (
        "the allowances",
        "SELECT day || ' ' || cause || ' ' || allowance_minor || ' ' || booked_minor AS value FROM loss_provision ORDER BY 1",
    ),
    (
        "the days",
        "SELECT day || ' ' || tickets || ' ' || sold_minor AS value FROM agency_day ORDER BY day, tickets, sold_minor",
    ),
    (
        "the scores",
        "SELECT cause || ' ' || COALESCE(grade, '-') || ' ' || COUNT(*) AS value FROM score GROUP BY cause, grade ORDER BY 1",
    ),
    (
        "what was told",
        "SELECT kind || ' ' || COUNT(*) AS value FROM event WHERE kind LIKE 'obligation.%' GROUP BY kind ORDER BY 1",
    ),
];

/// A month of trade in test mode, up to the eve of a day that has everything to close.
struct Trade {
    stack: Stack,
    client: Client,
    engine: Engine,
}

impl Trade {
    fn on(engine: Engine) -> Self {
        let stack = Stack::on(engine).seeded();
        let client = Client::in_test_mode(stack.data(), stack.port());
        let trade = Trade { stack, client, engine };
        if engine == Engine::Postgres {
            // A session that stands still notices that its client is gone.
            let name = trade.stack.lines_of_test("SELECT current_database() AS value").remove(0);
            trade.stack.executes_in_test(&format!("ALTER DATABASE {name} SET client_connection_check_interval = '100ms'"));
        }
        let server = trade.stack.serve();
        trade.trades();
        drop(server);
        trade
    }

    fn today(&self) -> NaiveDate {
        self.client.get(OPERATOR, "/v1/test_clock")["ledger_date"].as_str().unwrap().parse().unwrap()
    }

    fn agency_of(&self, name: &str) -> Value {
        self.client.get(name, "/v1/agencies")[0]["id"].clone()
    }

    /// Two agencies that pay for time sell; one pays too much for its first cycle and nothing for the second, the other nothing at all.
    fn trades(&self) {
        // The day on which the server was first started is closed before anything is sold.
        self.awaits_the_close();
        for name in [BEIJING, SHANGHAI] {
            self.signs(name);
            self.client.await_paid(&[self.client.sells(name)]);
        }
        let first = CycleRule::HalfMonthly.cycle_of(self.today());
        let paid = json!({ "account": "own", "amount": "5000.00", "currency": "CNY", "value_date": self.today().to_string(),
            "bank_reference": "TOO-MUCH", "purpose": "remittance", "agency_id": self.agency_of(BEIJING), "cycle": first.to_string() });
        let key = Some("too-much");
        let answer = self.client.tries(OPERATOR, reqwest::Method::POST, "/v1/bank_receipts", key, Some(paid)).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.data);
        self.clock_shows(first.last_day() + Days::new(1));
        self.awaits_the_close();
        for _ in 0..5 {
            self.client.await_paid(&[self.client.sells(BEIJING)]);
        }
        let card = json!({ "currency": "CNY", "effective_from": self.today().to_string(), "history_most_late": 2,
            "characteristics": [{ "name": "late_remittances", "weight": 100, "missing_points": 100,
                "bands": [{ "below": 1, "points": 100 }, { "from": 1, "points": 0 }] }],
            "grades": [{ "grade": "A", "from_points": 500, "multiplier": "1" }, { "grade": "D", "from_points": 0, "multiplier": "0.5" }] });
        let (status, adopted) = self.client.post(OPERATOR, "/v1/score_cards", card);
        assert_eq!(status, 201, "{adopted}");
    }

    fn signs(&self, name: &str) {
        let terms = json!({ "agency_id": self.agency_of(name), "currency": "CNY", "effective_from": self.today().to_string(),
            "commission_rate": "0.03", "commission_base": "price", "fee_rate": "0.02", "tax_remitter": "platform", "payment_days": 2,
            "clawback": "full", "fee_on_refund": "refunded", "airline_return": "set_off",
            "costs": { "financing_rate": "0.06", "late_fee_rate": "0.0005", "expected_loss_rate": "0.001" } });
        let (status, signed) = self.client.post(OPERATOR, "/v1/contracts", terms);
        assert_eq!(status, 201, "{signed}");
    }

    /// Five minutes after midnight of a day.
    fn clock_shows(&self, day: NaiveDate) {
        let (status, set) = self.client.post(OPERATOR, "/v1/test_clock", json!({ "now": format!("{day}T00:05:00+08:00") }));
        assert_eq!(status, 200, "{set}");
    }

    /// The second cycle is over and overdue: interest of many days, two cycles to bill and to charge.
    fn goes_to_the_late_day(&self) {
        let second = CycleRule::HalfMonthly.cycle_of(self.today());
        self.clock_shows(second.last_day() + Days::new(6));
    }

    fn awaits_the_close(&self) {
        let today = self.today().to_string();
        await_that("the day is closed", Duration::from_secs(60), || {
            let last = &self.client.get(OPERATOR, "/v1/jobs")[0]["last_run"];
            last["state"] == "done" && last["ledger_date"] == json!(today)
        });
    }

    /// From now on whoever notes that this step is done stands still in that commit.
    fn stands_still_after(&self, step: &str) {
        self.stack.executes_in_test(&match self.engine {
            // A sum over more rows than anybody counts.
            Engine::Sqlite => format!(
                "CREATE TRIGGER stand_still BEFORE UPDATE OF step ON job_run WHEN NEW.step = '{step}' AND NEW.job = 'close_of_day'
                 BEGIN SELECT SUM(length(a.name || b.name || c.name || d.name)) FROM sqlite_master a, sqlite_master b, sqlite_master c,
                    sqlite_master d; END"
            ),
            Engine::Postgres => format!(
                "CREATE OR REPLACE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_advisory_xact_lock(4711); PERFORM pg_sleep(60); RETURN NEW; END $$;
                 CREATE TRIGGER stand_still BEFORE UPDATE OF step ON job_run FOR EACH ROW
                 WHEN (NEW.step = '{step}' AND NEW.job = 'close_of_day') EXECUTE FUNCTION stand_still()"
            ),
        });
    }

    fn awaits_standstill(&self, done: Option<&str>) {
        const RUNNING: &str = "SELECT COALESCE(step, '-') AS value FROM job_run WHERE job = 'close_of_day' AND state = 'running'";
        await_that("the step before is done", Duration::from_secs(60), || {
            self.stack.lines_of_test(RUNNING) == [done.unwrap_or("-")]
        });
        match self.engine {
            Engine::Sqlite => {
                // Nobody else holds the file for so long.
                let mut since = Instant::now();
                await_that("it stands still", Duration::from_secs(60), || {
                    if self.stack.test_file_is_free() {
                        since = Instant::now();
                    }
                    since.elapsed() > Duration::from_millis(800)
                });
            }
            Engine::Postgres => await_that("it stands still", Duration::from_secs(60), || {
                let held = "SELECT COUNT(*) AS value FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE l.locktype = 'advisory' AND l.objid = 4711 AND d.datname = current_database()";
                self.stack.lines_of_test(held) == ["1"]
            }),
        }
    }

    fn goes_on_after(&self, step: &str) {
        if self.engine == Engine::Postgres {
            let sessions =
                "SELECT COUNT(*) AS value FROM pg_stat_activity WHERE datname = current_database() AND usename = 'airsettle_app'";
            await_that("its sessions end", Duration::from_secs(20), || self.stack.lines_of_test(sessions) == ["0"]);
        }
        self.stack.executes_in_test(match self.engine {
            Engine::Sqlite => "DROP TRIGGER stand_still",
            Engine::Postgres => "DROP TRIGGER stand_still ON job_run",
        });
        let noted = format!("SELECT CAST(COUNT(*) AS TEXT) AS value FROM job_run WHERE state = 'running' AND step = '{step}'");
        assert_eq!(self.stack.lines_of_test(&noted), ["0"], "{step} was done and not noted");
    }

    /// That of the process that was killed: nobody waits a minute for it.
    fn lease_runs_out(&self) {
        self.stack.executes_in_test("UPDATE job SET leased_until = '2020-01-01 00:00:00' WHERE name = 'close_of_day'");
    }
}
