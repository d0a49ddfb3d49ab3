//! Who takes part: a hundred agencies, each with a temper, five airlines and two banks.

use super::dice::Dice;
use crate::demo::client::{Client, Failure, list, minor, text_of};
use crate::demo::sell::OPERATOR;
use chrono::NaiveDate;
use serde_json::{Value, json};

/// The operator's second person.
pub(super) const SECOND: &str = "the operator's second person";
/// Of which tickets are sold.
pub(super) const CARRIERS: [&str; 5] = ["CA", "CZ", "MU", "HU", "ZH"];

/// How an agency pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Temper {
    /// On the day.
    Punctual,
    /// As soon as it is billed.
    Early,
    /// Days after it was due.
    Late,
    /// Nine tenths on the day, the rest days later.
    Short,
    /// Out of its wallet.
    Prepaid,
    /// Half a quarter long, and then no more.
    Insolvent,
    /// Sells as much as it can before it disappears.
    BustOut,
}

impl Temper {
    pub const ALL: [Temper; 7] =
        [Temper::Punctual, Temper::Early, Temper::Late, Temper::Short, Temper::Prepaid, Temper::Insolvent, Temper::BustOut];

    pub fn text(self) -> &'static str {
        match self {
            Temper::Punctual => "pays on the day",
            Temper::Early => "pays early",
            Temper::Late => "pays late",
            Temper::Short => "pays short, then the rest",
            Temper::Prepaid => "prepaid",
            Temper::Insolvent => "becomes insolvent",
            Temper::BustOut => "bust-out",
        }
    }

    /// One of each, however few they are; most of the others pay on the day.
    fn of(place: usize, agencies: usize) -> Self {
        let percent = place.saturating_mul(100).checked_div(agencies).unwrap_or(0);
        match (place, percent) {
            (0, _) => Temper::BustOut,
            (1, _) | (6.., ..8) => Temper::Insolvent,
            (2, _) | (6.., 8..11) => Temper::Prepaid,
            (3, _) | (6.., 11..17) => Temper::Short,
            (4, _) | (6.., 17..31) => Temper::Late,
            (5, _) | (6.., 31..39) => Temper::Early,
            (6.., 39..) => Temper::Punctual,
        }
    }
}

/// An order of which something may still become.
#[derive(Clone, Debug)]
pub(super) struct Sold {
    pub order: Value,
    pub on: NaiveDate,
    pub route: (&'static str, &'static str),
    pub departs: NaiveDate,
}

pub(super) struct Player {
    pub name: String,
    pub id: String,
    pub temper: Temper,
    /// Orders in a hundred days.
    pub busy: u64,
    pub sold: Vec<Sold>,
    /// It sells no more, and pays no more.
    pub vanished: bool,
    /// It was in default, has paid everything, and pays on the day from then on.
    pub recovered: bool,
}

/// Everybody, over the API: the operator signs them as it would sign anybody.
pub(super) async fn signed(
    client: &mut Client,
    dice: &mut Dice,
    agencies: usize,
    today: NaiveDate,
) -> Result<Vec<Player>, Failure> {
    let scopes = ["approvals:write", "finance:read"];
    let second = client.post(OPERATOR, "/v1/keys", json!({ "name": SECOND, "scopes": scopes })).await?;
    client.knows(SECOND, text_of(&second["secret"]));
    second_line(client).await?;
    let known = client.all(OPERATOR, "/v1/agencies?").await?;
    let mut codes = (0..).map(|number| 8_800_000 + number).map(|head: u32| format!("{head}{}", head % 7));
    let mut players = Vec::new();
    for place in 0..agencies {
        let is_free = |code: &String| !known.iter().any(|agency| agency["numeric_code"] == code.as_str());
        let code = codes.find(is_free).ok_or("there is no numeric code left")?;
        players.push(agency(client, dice, Temper::of(place, agencies), &code, today).await?);
    }
    Ok(players)
}

/// Cheaper than the first, and smaller.
async fn second_line(client: &Client) -> Result<(), Failure> {
    let bank = json!({ "kind": "bank", "name": "Pudong Credit Bank", "country": "CN" });
    let bank = client.post(OPERATOR, "/v1/organisations", bank).await?;
    let line = json!({
        "organisation_id": bank["id"], "name": "CNY ticket line, second bank", "limit_amount": "400000.00", "limit_currency": "CNY",
        "debit_account": "line-CNY-2", "base_rate": "0.03", "margin_rate": "0.02", "day_count": "ACT/360",
        "commitment_rate": "0.001", "max_unconfirmed": 2_000, "max_unresolved_secs": 600,
    });
    client.post(OPERATOR, "/v1/facilities", line).await?;
    Ok(())
}

async fn agency(client: &mut Client, dice: &mut Dice, temper: Temper, code: &str, today: NaiveDate) -> Result<Player, Failure> {
    let name = format!("Quarter Travel {code}");
    let organisation = json!({ "kind": "agency", "name": name, "country": "CN" });
    let organisation = client.post(OPERATOR, "/v1/organisations", organisation).await?;
    let tender = if temper == Temper::Prepaid { "wallet_only" } else { "credit_then_wallet" };
    let agency = json!({
        "organisation_id": organisation["id"], "numeric_code": code, "name": name, "country": "CN",
        "time_zone": "Asia/Shanghai", "currency": "CNY", "tender_order": tender,
    });
    let agency = client.post(OPERATOR, "/v1/agencies", agency).await?;
    let id = text_of(&agency["id"]);
    let contract = json!({
        "agency_id": id, "currency": "CNY", "effective_from": today.to_string(), "commission_rate": "0.02", "commission_base": "price",
        "fee_rate": "0.008", "tax_remitter": "platform", "payment_days": 7, "clawback": "full", "fee_on_refund": "kept",
        "airline_return": "set_off", "cycle_rule": if dice.percent(30) { "weekly" } else { "half_monthly" },
        "due_rule": "next_working_day", "costs": { "late_fee_rate": "0.0005" },
    });
    client.post(OPERATOR, "/v1/contracts", contract).await?;
    let key = json!({ "organisation_id": organisation["id"], "name": "ticketing",
        "scopes": ["air:read", "air:write", "finance:read", "parties:read"] });
    let key = client.post(OPERATOR, "/v1/keys", key).await?;
    client.knows(&name, text_of(&key["secret"]));
    let (purpose, amount) = match temper {
        Temper::Prepaid => ("wallet", 150_000 + 10_000 * dice.below(5)),
        Temper::BustOut => ("deposit", 30_000),
        Temper::Insolvent => ("deposit", 6_000),
        _ => ("deposit", 15_000 + 5_000 * dice.below(6)),
    };
    let lodged = json!({
        "account": "client", "amount": format!("{amount}.00"), "currency": "CNY", "value_date": today.to_string(),
        "bank_reference": format!("Q-{purpose}-{code}"), "purpose": purpose, "agency_id": id,
    });
    client.post(OPERATOR, "/v1/bank_receipts", lodged).await?;
    let busy = match temper {
        Temper::BustOut => 15,
        Temper::Insolvent => 60,
        _ => 15 + dice.below(45),
    };
    Ok(Player { name, id, temper, busy, sold: Vec::new(), vanished: false, recovered: false })
}

/// Accounts of one code that are not at zero: whose, which detail, how much.
pub(super) async fn balances(client: &Client, code: &str) -> Result<Vec<(String, String, i64)>, Failure> {
    let mut found = Vec::new();
    for account in client.all(OPERATOR, &format!("/v1/ledger/accounts?code={code}")).await? {
        let amount = minor(&account["balance_amount"])?;
        if amount != 0 && account["currency"] == "CNY" {
            found.push((text_of(&account["owner_id"]), text_of(&account["detail"]), amount));
        }
    }
    Ok(found)
}

/// Of the platform's own money.
pub(super) async fn own_cash(client: &Client) -> Result<i64, Failure> {
    let all = balances(client, "platform.cash").await?;
    Ok(all.iter().filter(|(_, purse, _)| purse == "own").map(|(_, _, amount)| amount).sum())
}

pub(super) async fn lines(client: &Client) -> Result<Vec<Value>, Failure> {
    let lines = client.get(OPERATOR, "/v1/facilities").await?;
    Ok(list(&lines).iter().filter(|line| line["currency"] == "CNY").cloned().collect())
}
