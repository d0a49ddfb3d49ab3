//! The operator's mornings: agencies pay or do not, the bank is repaid, and the risk desk acts.

use super::Quarter;
use super::cast::{SECOND, Temper, balances, lines, own_cash};
use super::story::cny;
use crate::demo::client::{Failure, list, minor, text_of};
use crate::demo::sell::OPERATOR;
use chrono::{Datelike, NaiveDate, Weekday};
use serde_json::{Value, json};

/// Own money that stays where it is, in minor units.
const KEPT: i64 = 20_000_000;
/// Overdue for so many days, an agency that does not answer is in default.
const PATIENCE: i64 = 7;
/// From the default to the write-off, and from there to the recovery.
const WRITTEN_OFF_AFTER: i64 = 5;
const RECOVERED_AFTER: i64 = 10;

/// An agency in default, and how far that has come.
pub(super) struct Case {
    player: usize,
    declared: NaiveDate,
    written_off: Option<(NaiveDate, i64)>,
    pub(super) is_over: bool,
}

impl Quarter {
    pub(super) async fn morning(&mut self) -> Result<(), Failure> {
        self.agencies_pay().await?;
        self.risk_desk().await?;
        if self.today.weekday() == Weekday::Fri {
            self.repays_banks(KEPT).await?;
        }
        Ok(())
    }

    pub(super) async fn obligations(&self) -> Result<Vec<Value>, Failure> {
        let mut found = Vec::new();
        for state in ["not_yet_due", "due", "overdue", "defaulted"] {
            found.extend(self.client.all(OPERATOR, &format!("/v1/obligations?state={state}")).await?);
        }
        Ok(found)
    }

    fn player_of(&self, agency: &str) -> Option<usize> {
        self.players.iter().position(|player| player.id == agency)
    }

    /// Everybody pays as it is used to.
    async fn agencies_pay(&mut self) -> Result<(), Failure> {
        for owed in self.obligations().await? {
            let Some(player) = self.player_of(&text_of(&owed["agency_id"])) else { continue };
            let open = minor(&owed["open_amount"])?;
            let paid = self.pays(player, &owed, open)?;
            if paid > 0 {
                self.receipt("remittance", player, paid, owed["cycle"].clone()).await?;
                self.story.counts(self.today, "remitted", paid);
            }
        }
        Ok(())
    }

    /// How much of an obligation is paid today.
    fn pays(&self, player: usize, owed: &Value, open: i64) -> Result<i64, Failure> {
        let player = &self.players[player];
        let (due, closed): (NaiveDate, NaiveDate) = (text_of(&owed["due_on"]).parse()?, text_of(&owed["closed_on"]).parse()?);
        let late = (self.today - due).num_days();
        let all = |when: bool| if when { open } else { 0 };
        let in_default = |case: &Case| !case.is_over && self.players[case.player].id == player.id;
        let is_gone = player.vanished || self.cases.iter().any(in_default);
        Ok(match player.temper {
            _ if is_gone || open <= 0 => 0,
            Temper::Punctual | Temper::Prepaid | Temper::BustOut => all(late >= 0),
            Temper::Early => all((self.today - closed).num_days() >= 1),
            Temper::Late => all(late >= 3),
            Temper::Short if late == 0 => open / 10 * 9,
            Temper::Short => all(late >= 4),
            Temper::Insolvent => all(late >= 0 && (player.recovered || self.day < self.played.insolvency())),
        })
    }

    async fn receipt(&mut self, purpose: &str, player: usize, amount: i64, cycle: Value) -> Result<Value, Failure> {
        let mut receipt = json!({
            "account": "own", "amount": cny(amount), "currency": "CNY", "purpose": purpose, "agency_id": self.players[player].id,
        });
        if !cycle.is_null() {
            receipt["cycle"] = cycle;
        }
        self.at_the_bank("/v1/bank_receipts", receipt).await
    }

    /// What the bank has done today, under a reference that is its own.
    async fn at_the_bank(&mut self, path: &str, mut movement: Value) -> Result<Value, Failure> {
        self.orders += 1;
        movement["value_date"] = json!(self.today.to_string());
        movement["bank_reference"] = json!(format!("Q-{}-{}", self.today, self.orders));
        self.client.post(OPERATOR, path, movement).await
    }

    /// As much of the loans as own money allows, the dearer line first.
    pub(super) async fn repays_banks(&mut self, kept: i64) -> Result<(), Failure> {
        let mut spare = own_cash(&self.client).await?.saturating_sub(kept);
        for line in lines(&self.client).await? {
            let repaid = minor(&line["drawn_amount"])?.min(spare);
            if repaid > 0 {
                self.repays(&text_of(&line["id"]), repaid, 0).await?;
                spare = spare.saturating_sub(repaid);
            }
        }
        Ok(())
    }

    pub(super) async fn repays(&mut self, line: &str, principal: i64, interest: i64) -> Result<(), Failure> {
        let repayment = json!({ "principal_amount": cny(principal), "interest_amount": cny(interest), "currency": "CNY" });
        self.at_the_bank(&format!("/v1/facilities/{line}/repayments"), repayment).await?;
        self.story.counts(self.today, "repaid to the banks", principal.saturating_add(interest));
        Ok(())
    }

    // ---- risk

    async fn risk_desk(&mut self) -> Result<(), Failure> {
        self.stops_the_suspicious().await?;
        for owed in self.client.all(OPERATOR, "/v1/obligations?state=overdue").await? {
            let due: NaiveDate = text_of(&owed["due_on"]).parse()?;
            let Some(player) = self.player_of(&text_of(&owed["agency_id"])) else { continue };
            if (self.today - due).num_days() >= PATIENCE && !self.cases.iter().any(|case| case.player == player) {
                self.declares(player).await?;
            }
        }
        for place in 0..self.cases.len() {
            self.follows(place).await?;
        }
        Ok(())
    }

    /// The morning after, nobody else is sold tickets by it.
    async fn stops_the_suspicious(&mut self) -> Result<(), Failure> {
        for player in std::mem::take(&mut self.suspects) {
            let switch = json!({
                "target_id": self.players[player].id, "scopes": ["issue", "refund", "withdrawal"],
                "reason": "sold its whole limit in a day, for departures within days",
            });
            self.client.post(OPERATOR, "/v1/kill_switches", switch).await?;
            let line = format!("{}: a kill switch stops sales, refunds and withdrawals.", self.players[player].name);
            self.story.tells(self.today, line);
        }
        Ok(())
    }

    async fn declares(&mut self, player: usize) -> Result<(), Failure> {
        let declared = json!({ "agency_id": self.players[player].id, "reason": "does not pay and does not answer" });
        let case = self.client.post(OPERATOR, "/v1/defaults", declared).await?;
        let line = format!(
            "{} is in default: it owed {} CNY; {} came of its deposit.",
            self.players[player].name,
            text_of(&case["owed_amount"]),
            text_of(&case["deposit_applied_amount"])
        );
        self.story.tells(self.today, line);
        self.cases.push(Case { player, declared: self.today, written_off: None, is_over: false });
        Ok(())
    }

    /// Written off after some days; one of them comes back and pays everything.
    async fn follows(&mut self, place: usize) -> Result<(), Failure> {
        let Case { player, declared, written_off, is_over } = self.cases[place];
        if is_over {
            return Ok(());
        }
        match written_off {
            None if (self.today - declared).num_days() >= WRITTEN_OFF_AFTER => {
                let left = self.owes(player).await?;
                if left > 0 {
                    let id = self.players[player].id.clone();
                    self.agreed("write_off", json!({ "agency_id": id, "amount": cny(left), "currency": "CNY" })).await?;
                    self.story.tells(self.today, format!("{}: {} CNY are written off.", self.players[player].name, cny(left)));
                    self.story.written_off += left;
                }
                self.cases[place].written_off = Some((self.today, left.max(0)));
                self.cases[place].is_over = place > 0;
            }
            Some((since, lost)) if (self.today - since).num_days() >= RECOVERED_AFTER => {
                self.comes_back(player, lost).await?;
                self.cases[place].is_over = true;
            }
            None | Some(_) => {}
        }
        Ok(())
    }

    /// What is open of its tickets, net of commission.
    async fn owes(&self, player: usize) -> Result<i64, Failure> {
        let mut owed = 0i64;
        for (code, sign) in [("agency.receivable", 1), ("agency.commission", -1)] {
            let path = format!("/v1/ledger/accounts?code={code}&owner_id={}", self.players[player].id);
            for account in self.client.all(OPERATOR, &path).await? {
                owed = owed.saturating_add(minor(&account["balance_amount"])?.saturating_mul(sign));
            }
        }
        Ok(owed)
    }

    async fn comes_back(&mut self, player: usize, lost: i64) -> Result<(), Failure> {
        if lost > 0 {
            self.receipt("recovery", player, lost, Value::Null).await?;
            self.story.recovered += lost;
        }
        let id = self.players[player].id.clone();
        for (_, _, charges) in balances(&self.client, "agency.charges").await?.into_iter().filter(|(owner, ..)| *owner == id) {
            self.receipt("charges", player, charges, Value::Null).await?;
        }
        self.agreed("reinstate", json!({ "agency_id": id })).await?;
        self.players[player].recovered = true;
        self.story.tells(self.today, format!("{} has paid everything and sells again.", self.players[player].name));
        Ok(())
    }

    /// One asks, another one agrees.
    async fn agreed(&self, kind: &str, change: Value) -> Result<(), Failure> {
        let request = json!({ "kind": kind, "reason": "the risk desk of the quarter", "change": change });
        let asked = self.client.post(OPERATOR, "/v1/approvals", request).await?;
        self.client.post(SECOND, &format!("/v1/approvals/{}/actions/approve", text_of(&asked["id"])), json!({})).await?;
        Ok(())
    }

    // ---- the end

    /// Whoever is still owed something is paid: authorities, and the platform by agencies and airlines.
    pub(super) async fn squares_up(&mut self) -> Result<(), Failure> {
        for (owner, _, amount) in balances(&self.client, "agency.charges").await? {
            let Some(player) = self.player_of(&owner) else { continue };
            if self.cases.iter().any(|case| case.player == player) && !self.players[player].recovered {
                continue;
            }
            self.receipt("charges", player, amount, Value::Null).await?;
            self.story.counts(self.today, "late fees paid", amount);
        }
        for (airline, _, amount) in balances(&self.client, "airline.receivable").await? {
            let repaid = json!({
                "account": "own", "amount": cny(amount), "currency": "CNY", "purpose": "airline_repayment", "airline_id": airline,
            });
            self.at_the_bank("/v1/bank_receipts", repaid).await?;
            self.story.counts(self.today, "given back by airlines", amount);
        }
        self.pays_out_credit().await?;
        self.transfers_arrive().await?;
        self.sweeps().await?;
        for (_, detail, amount) in balances(&self.client, "authority.tax").await? {
            let (payee, code) = detail.split_once('/').ok_or("a tax account names its payee and its code")?;
            let paid = json!({ "payee": payee, "tax_code": code, "amount": cny(amount), "currency": "CNY" });
            self.at_the_bank("/v1/tax_payments", paid).await?;
            self.story.counts(self.today, "taxes paid", amount);
        }
        self.repays_banks(0).await
    }

    /// What came back to agencies that had paid already.
    async fn pays_out_credit(&mut self) -> Result<(), Failure> {
        let credits: Vec<String> =
            self.receivables().await?.into_iter().filter(|(_, owed)| *owed < 0).map(|(id, _)| id).collect();
        for agency in credits {
            let cycles = self.client.get(OPERATOR, &format!("/v1/cycles?agency_id={agency}")).await?;
            for cycle in list(&cycles) {
                let credit = minor(&cycle["open_commission_amount"])?.saturating_sub(minor(&cycle["open_amount"])?);
                if credit > 0 {
                    let payout = json!({
                        "agency_id": agency, "cycle": cycle["cycle"], "amount": cny(credit), "currency": "CNY",
                    });
                    self.at_the_bank("/v1/credit_payouts", payout).await?;
                    self.story.counts(self.today, "credit paid out", credit);
                }
            }
        }
        Ok(())
    }

    /// What agencies owe for tickets; a credit is negative.
    pub(super) async fn receivables(&self) -> Result<Vec<(String, i64)>, Failure> {
        let all = balances(&self.client, "agency.receivable").await?;
        Ok(all.into_iter().map(|(agency, _, owed)| (agency, owed)).collect())
    }

    /// Own money that was on its way to the clients' account, for refunds that airlines had not paid back yet.
    async fn transfers_arrive(&mut self) -> Result<(), Failure> {
        for transfer in self.client.all(OPERATOR, "/v1/cash_transfers?").await? {
            if transfer["to"] == "client" && transfer["confirmed_at"].is_null() {
                let path = format!("/v1/cash_transfers/{}/actions/confirm", text_of(&transfer["id"]));
                self.at_the_bank(&path, json!({})).await?;
            }
        }
        Ok(())
    }

    /// What the clients' account holds above what belongs to clients.
    async fn sweeps(&mut self) -> Result<(), Failure> {
        let mut free = 0i64;
        for (code, sign) in [("platform.cash", 1), ("platform.cash_transfer", 1), ("agency.wallet", -1), ("agency.deposit", -1)] {
            let all = balances(&self.client, code).await?;
            let counted = all.iter().filter(|(_, purse, _)| code != "platform.cash" || purse == "client");
            free = counted.fold(free, |sum, (_, _, amount)| sum.saturating_add(amount.saturating_mul(sign)));
        }
        if free > 0 {
            self.at_the_bank("/v1/cash_transfers", json!({ "to": "own", "amount": cny(free), "currency": "CNY" })).await?;
        }
        Ok(())
    }

    /// The day after the loans were repaid, their last interest is known.
    pub(super) async fn pays_interest(&mut self) -> Result<(), Failure> {
        for (line, _, amount) in balances(&self.client, "bank.interest").await? {
            self.repays(&line, 0, amount).await?;
            self.story.counts(self.today, "interest paid", amount);
        }
        Ok(())
    }

    /// What has to be so at the end.
    pub(super) async fn checks(&mut self) -> Result<(), Failure> {
        let trial = self.client.get(OPERATOR, "/v1/ledger/trial_balance").await?;
        self.story.checks("debits equal credits", "true", &text_of(&trial["balanced"]));
        let empty = [
            ("owed to the banks", "bank.loan"),
            ("interest owed to the banks", "bank.interest"),
            ("owed to airlines", "airline.payable"),
            ("owed by airlines", "airline.receivable"),
            ("owed by agencies", "agency.receivable"),
            ("commission not netted", "agency.commission"),
            ("refunds on their way to wallets", "agency.refund_due"),
            ("owed to tax authorities", "authority.tax"),
            ("own money on its way", "platform.cash_transfer"),
        ];
        for (what, code) in empty {
            let left: i64 = balances(&self.client, code).await?.iter().map(|(_, _, amount)| amount.abs()).sum();
            self.story.checks(&format!("{what}, CNY"), &cny(0), &cny(left));
        }
        let least = self.story.own_least.map_or(0, |(least, _)| least);
        self.story.checks("days on which own money was below zero", "0", if least < 0 { "some" } else { "0" });
        let open = self.obligations().await?.len();
        self.story.checks("obligations neither paid nor written off", "0", &open.to_string());
        self.checks_statements().await
    }

    /// Every statement is the sum of its lines, ticket by ticket.
    async fn checks_statements(&mut self) -> Result<(), Failure> {
        let (mut billed, mut added, mut wrong) = (0i64, 0i64, 0);
        for statement in self.client.all(OPERATOR, "/v1/statements?").await? {
            let path = format!("/v1/statements/{}/lines?", text_of(&statement["id"]));
            let mut sums = [0i64; 3];
            for line in self.client.all(OPERATOR, &path).await? {
                for (sum, field) in sums.iter_mut().zip(["gross_amount", "commission_amount", "net_amount"]) {
                    *sum = sum.saturating_add(minor(&line[field])?);
                }
            }
            let total = |field: &str| minor(&statement[field]);
            let expected = [total("gross_amount")?, total("commission_amount")?, total("to_remit_amount")?];
            wrong += i32::from(sums != expected);
            billed = billed.saturating_add(expected[2]);
            added = added.saturating_add(sums[2]);
        }
        self.story.checks("statements that are not the sum of their lines", "0", &wrong.to_string());
        self.story.checks("billed in all, CNY, and the sum of all lines", &cny(billed), &cny(added));
        Ok(())
    }

    /// The platform's own result, as its accounts say.
    pub(super) async fn result(&self) -> Result<String, Failure> {
        let trial = self.client.get(OPERATOR, "/v1/ledger/trial_balance").await?;
        let mut text = String::from("\n## Trial balance\n\n| account | debit | credit |\n|---|---:|---:|\n");
        for line in list(&trial["lines"]).iter().filter(|line| line["currency"] == "CNY") {
            let [account, debit, credit] = ["account", "debit_amount", "credit_amount"].map(|field| text_of(&line[field]));
            text.push_str(&format!("| {account} | {debit} | {credit} |\n"));
        }
        Ok(text)
    }
}
