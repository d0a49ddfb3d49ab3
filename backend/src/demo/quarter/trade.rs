//! A day of the agencies: they sell, void what was sold by mistake, refund and exchange.

use super::Quarter;
use super::cast::{CARRIERS, Sold, Temper};
use crate::demo::change::{change_to, confirm_change};
use crate::demo::client::{Client, Failure, Refused, list, minor, text_of};
use crate::demo::sell::people_for;
use chrono::{Days, NaiveDate};
use futures_util::future::join_all;
use serde_json::{Value, json};

const ROUTES: [(&str, &str); 8] = [
    ("PEK", "SHA"),
    ("SHA", "PEK"),
    ("PEK", "CAN"),
    ("CAN", "PEK"),
    ("SHA", "CTU"),
    ("CTU", "PEK"),
    ("PEK", "DLC"),
    ("SHA", "CAN"),
];
/// Agencies that ask at the same time.
const AT_ONCE: usize = 8;

/// An order that somebody is going to place.
#[derive(Clone, Debug)]
struct Wish {
    player: usize,
    route: (&'static str, &'static str),
    departs: NaiveDate,
    adults: usize,
    /// Which of the offers.
    choice: u64,
    number: u64,
}

impl Quarter {
    pub(super) async fn trade(&mut self) -> Result<(), Failure> {
        let wishes = self.wishes();
        for batch in wishes.chunks(AT_ONCE) {
            let placed = join_all(batch.iter().map(|wish| place(&self.client, &self.players[wish.player].name, wish))).await;
            for (wish, answer) in batch.iter().zip(placed) {
                self.hears(wish, answer?)?;
            }
        }
        self.bursts().await?;
        self.changes_its_mind().await
    }

    fn wishes(&mut self) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for player in 0..self.players.len() {
            let busy = self.players[player].busy;
            if self.dice.percent(busy) && !self.players[player].vanished {
                wishes.push(self.wish(player, 5 + u64::from(self.day % 7)));
            }
        }
        wishes
    }

    fn wish(&mut self, player: usize, soonest: u64) -> Wish {
        self.orders += 1;
        let ahead = soonest + self.dice.below(40);
        let route = *self.dice.pick(&ROUTES).unwrap_or(&ROUTES[0]);
        let adults = if self.dice.percent(25) { 2 } else { 1 };
        let (departs, choice) = (self.today + Days::new(ahead), self.dice.below(1_000));
        Wish { player, route, departs, adults, choice, number: self.orders }
    }

    fn hears(&mut self, wish: &Wish, answer: Result<Value, Refused>) -> Result<bool, Failure> {
        match answer {
            Ok(order) => {
                self.story.sold(self.today, self.players[wish.player].temper, minor(&order["total_amount"])?);
                let sold = Sold { order, on: self.today, route: wish.route, departs: wish.departs };
                self.players[wish.player].sold.push(sold);
                Ok(true)
            }
            Err(refused) => {
                self.story.refuses(&refused.code);
                Ok(false)
            }
        }
    }

    /// An agency that means to disappear sells all it can, for soon.
    async fn bursts(&mut self) -> Result<(), Failure> {
        if self.day != self.played.burst() {
            return Ok(());
        }
        for player in 0..self.players.len() {
            if self.players[player].temper != Temper::BustOut {
                continue;
            }
            let mut sold = 0;
            loop {
                let wish = Wish { adults: 2, ..self.wish(player, 1) };
                let answer = place(&self.client, &self.players[player].name, &wish).await?;
                if !self.hears(&wish, answer)? {
                    break;
                }
                sold += 1;
            }
            let line = format!("{} sold {sold} orders in a day, and no more: its limit was used up.", self.players[player].name);
            self.story.tells(self.today, line);
            self.players[player].vanished = true;
            self.suspects.push(player);
        }
        Ok(())
    }

    /// Voids on the day, refunds and exchanges some days later.
    async fn changes_its_mind(&mut self) -> Result<(), Failure> {
        for player in 0..self.players.len() {
            if matches!(self.players[player].temper, Temper::BustOut | Temper::Insolvent) {
                continue;
            }
            let mut kept = Vec::new();
            for sold in std::mem::take(&mut self.players[player].sold) {
                let age = (self.today - sold.on).num_days();
                let still_to_fly = (sold.departs - self.today).num_days() > 3;
                match age {
                    0 if self.dice.percent(4) => self.cancels(player, &sold, "orders voided").await?,
                    2 if still_to_fly && self.dice.percent(6) => self.cancels(player, &sold, "orders refunded").await?,
                    3 if still_to_fly && self.dice.percent(4) => self.exchanges(player, &sold).await?,
                    0..=3 => kept.push(sold),
                    _ => {}
                }
            }
            self.players[player].sold = kept;
        }
        Ok(())
    }

    async fn cancels(&mut self, player: usize, sold: &Sold, what: &'static str) -> Result<(), Failure> {
        let of = &self.players[player].name;
        let quote = self.client.ask(of, "/air/order_cancellations", &json!({ "order_id": sold.order["id"] })).await?;
        let Ok(quote) = quote else { return Ok(()) };
        let confirm = format!("/air/order_cancellations/{}/actions/confirm", text_of(&quote["id"]));
        match self.client.ask(of, &confirm, &json!({})).await? {
            Ok(done) => self.story.counts(self.today, what, minor(&done["refund_amount"])?),
            Err(refused) => self.story.refuses(&refused.code),
        }
        Ok(())
    }

    /// For another day.
    async fn exchanges(&mut self, player: usize, sold: &Sold) -> Result<(), Failure> {
        let (name, later) = (self.players[player].name.clone(), sold.departs + Days::new(2));
        let found = change_to(&self.client, &name, (&sold.order, sold.route), &later.to_string()).await?;
        let Ok(Some(change)) = found else { return Ok(()) };
        let due = minor(&change["change_total_amount"])?;
        let tender = if self.players[player].temper == Temper::Prepaid { "balance" } else { "arc_bsp_cash" };
        match confirm_change(&self.client, &name, &change, tender).await? {
            Ok(_) => self.story.counts(self.today, "orders exchanged, add-collect", due),
            Err(refused) => self.story.refuses(&refused.code),
        }
        Ok(())
    }
}

/// Searches and orders.
async fn place(client: &Client, of: &str, wish: &Wish) -> Result<Result<Value, Refused>, Failure> {
    let (origin, destination) = wish.route;
    let passengers = vec![json!({ "type": "adult" }); wish.adults];
    let slice = json!({ "origin": origin, "destination": destination, "departure_date": wish.departs.to_string() });
    let found = client.ask(of, "/air/offer_requests", &json!({ "slices": [slice], "passengers": passengers })).await?;
    let found = match found {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let ours = |offer: &&Value| CARRIERS.contains(&text_of(&offer["owner"]["iata_code"]).as_str());
    let offers: Vec<&Value> = list(&found["offers"]).iter().filter(ours).collect();
    let chosen = wish.choice.checked_rem(u64::try_from(offers.len())?).and_then(|place| offers.get(usize::try_from(place).ok()?));
    let offer = chosen.ok_or_else(|| format!("no offer from {origin} to {destination} on {}", wish.departs))?;
    let payment = json!({ "type": "balance", "amount": offer["total_amount"], "currency": offer["total_currency"] });
    let order = json!({
        "type": "instant", "selected_offers": [offer["id"]], "payments": [payment],
        "passengers": people_for(offer, wish.number),
    });
    client.ask(of, "/air/orders", &order).await
}
