//! Sales in plain numbers: who may, on which limit, and what they move.

use super::lines::RATES;
use super::people::travellers;
use super::refunds::Given;
use super::{
    Buyer, COMMISSION, DEPOSIT, FEES, LINES, LOANS, Legs, Model, PAYABLE, Payment, RECEIVABLE, Sale, Stage, TAX, WALLETS,
    cycle_of,
};
use airsettle::agencies::FreezeScope;
use airsettle::ticketing::{IssueOrder, Refusal, TicketPlan};

/// The bucket of each coupon, ticket by ticket.
pub(super) type Seats = Vec<Vec<i64>>;

/// All of them in one bucket.
pub(super) fn seats_in(bucket: i64, tickets: &[Legs]) -> Seats {
    tickets.iter().map(|ticket| vec![bucket; ticket.coupons]).collect()
}

impl Model {
    pub fn limit(&self) -> i64 {
        self.limit_with(self.credit(DEPOSIT))
    }

    pub fn exposure(&self) -> i64 {
        self.debit(RECEIVABLE) - self.credit(COMMISSION)
    }

    /// Sells, or says why not.
    pub fn sells(&mut self, order: &IssueOrder, buyer: Buyer) -> Result<(), Refusal> {
        self.may_trade(buyer)?;
        let tickets: Vec<Legs> = order.tickets.iter().map(legs).collect();
        self.has_seats(order)?;
        let (seats, party) = (seats_in(order.seats[0].bucket, &tickets), self.people.len());
        self.issues(tickets, seats.clone(), party, buyer)?;
        self.people.push(travellers(order.tickets.len()));
        self.takes_seats(&seats);
        Ok(())
    }

    /// What was offered before its flight was cancelled is not sold.
    pub(super) fn has_seats(&self, order: &IssueOrder) -> Result<(), Refusal> {
        let demand = &order.seats[0];
        if self.flight_of(demand.bucket).is_some_and(|flight| flight.leaves.is_none()) {
            return Err(Refusal::ScheduleChanged { flight: demand.flight.clone() });
        }
        let left = self.seats_left(demand.bucket);
        if left < demand.seats {
            let (flight, booking_class) = (demand.flight.clone(), demand.booking_class);
            return Err(Refusal::SeatsSoldOut { flight, booking_class, left, asked: demand.seats });
        }
        Ok(())
    }

    pub(super) fn takes_seats(&mut self, seats: &Seats) {
        for bucket in seats.iter().flatten() {
            *self.state.seats_sold.entry(*bucket).or_default() += 1;
        }
    }

    pub(super) fn gives_seats_back<'a>(&mut self, seats: impl IntoIterator<Item = &'a i64>) {
        for bucket in seats {
            *self.state.seats_sold.get_mut(bucket).unwrap() -= 1;
        }
        self.state.seats_sold.retain(|_, sold| *sold > 0);
    }

    /// Money and tickets; the seats are another matter.
    pub(super) fn issues(&mut self, tickets: Vec<Legs>, seats: Seats, party: usize, buyer: Buyer) -> Result<(), Refusal> {
        let net = tickets.iter().map(|one| one.price - one.commission).sum();
        let airline = tickets.iter().map(|one| one.airline).sum();
        let count = i64::try_from(tickets.len()).unwrap();
        let wallet = WALLETS[usize::from(buyer == Buyer::Prepaid)];
        let nothing = [0; LINES];
        let (on_credit, line) = match buyer {
            Buyer::Credit => (true, self.has_credit(net, airline, nothing)?),
            Buyer::CreditThenWallet => match self.has_credit(net, airline, nothing) {
                Ok(line) => (true, line),
                Err(refusal) => self.has_prepaid(wallet, net).map(|()| (false, None)).map_err(|_| refusal)?,
            },
            Buyer::Prepaid => self.has_prepaid(wallet, net).map(|()| (false, None))?,
        };
        self.state.tickets += count;
        let first_payment = self.state.payments.len();
        let refunded = tickets.iter().map(|ticket| vec![false; ticket.coupons]).collect();
        let day = self.today;
        let given = vec![Given::default(); tickets.len()];
        let sale = Sale {
            on_credit,
            wallet,
            day,
            seats,
            tickets,
            first_payment,
            voided: false,
            cancelled: false,
            coupon: "O",
            refunded,
            given,
            exchanged: false,
            before: None,
            party,
        };
        self.books_sale(&sale, 1);
        for ticket in &sale.tickets {
            self.moves(if on_credit { RECEIVABLE } else { wallet }, PAYABLE, ticket.airline);
            let (amount, state) = (ticket.airline, Stage::Held);
            let new = Payment { state, amount, set_off: 0, cancelled: 0, reclaimed: 0, on_line: line, is_over: false };
            self.state.payments.push(new);
            self.taken.push(0);
            self.sent_on.push(self.today);
            self.payers.push(wallet);
        }
        if let Some(line) = line {
            self.state.lines[line].held += airline;
            self.state.lines[line].unconfirmed += count;
        }
        self.sales.push(sale);
        Ok(())
    }

    pub(super) fn may_trade(&self, buyer: Buyer) -> Result<(), Refusal> {
        match buyer {
            Buyer::Prepaid => Ok(()),
            _ if self.is_frozen(FreezeScope::Api) => Err(Refusal::AgencyApiFrozen),
            _ if self.is_frozen(FreezeScope::Issue) => Err(Refusal::AgencyFrozen),
            _ => Ok(()),
        }
    }

    /// All legs but the airline's: a sale once, a void once with the other sign. A wallet ticket nets its commission at once.
    pub(super) fn books_sale(&mut self, sale: &Sale, sign: i64) {
        for ticket in &sale.tickets {
            let payer = if sale.on_credit { RECEIVABLE } else { sale.wallet };
            self.moves(payer, TAX, sign * ticket.tax);
            self.moves(payer, FEES, sign * ticket.fee);
            if sale.on_credit {
                self.moves(payer, COMMISSION, sign * ticket.commission);
                let cycle = self.cycles.entry(cycle_of(sale.day)).or_default();
                cycle.gross += sign * ticket.price;
                cycle.commission += sign * ticket.commission;
            }
        }
    }

    /// What the airline says about the first coupon of an order: used, it is only opened again; void, it stays void.
    pub fn reports(&mut self, index: usize, to: &'static str) -> Result<(), String> {
        let sale = &mut self.sales[index];
        match (sale.voided, sale.coupon, to) {
            (true, _, "O") => return Err("the coupon was settled with status V".into()),
            (true, _, _) => return Err(format!("from V to {to}")),
            (false, _, "O") if sale.refunded[0][0] => return Err("the coupon was settled with status".into()),
            (false, _, _) if sale.refunded[0][0] => return Err("from ".into()),
            (false, "F", "O" | "F") | (false, "O" | "C", _) => {}
            (false, from, _) => return Err(format!("from {from} to {to}")),
        }
        self.state.flown += i64::from(to == "F") - i64::from(sale.coupon == "F");
        sale.coupon = to;
        Ok(())
    }

    /// What adds nothing passes a limit; `released` of each line is not held any more. Answers the line that pays the airline.
    pub(super) fn has_credit(&self, net: i64, airline: i64, released: [i64; LINES]) -> Result<Option<usize>, Refusal> {
        let (currency, exposure_minor, limit_minor) = ("CNY".to_owned(), self.exposure(), self.limit());
        let short_minor = exposure_minor + net - limit_minor;
        if net > 0 && short_minor > 0 {
            return Err(Refusal::LimitExceeded { short_minor, limit_minor, exposure_minor, currency });
        }
        if airline == 0 { Ok(None) } else { self.chosen_line(airline, released).map(Some) }
    }

    /// The cheapest open line with room, and of those that cost the same the one with most of it.
    fn chosen_line(&self, airline: i64, released: [i64; LINES]) -> Result<usize, Refusal> {
        let used = |line: usize| self.credit(LOANS[line]) + self.state.lines[line].held;
        let short = |line: usize| used(line) - released[line] + airline - self.state.lines[line].limit;
        let open: Vec<usize> = (0..LINES).filter(|line| self.state.lines[*line].closed.is_none()).collect();
        let with_room = open.iter().copied().filter(|line| short(*line) <= 0);
        if let Some(line) = with_room.min_by_key(|line| (RATES[*line], used(*line) - self.state.lines[*line].limit, *line)) {
            return Ok(line);
        }
        match open.iter().map(|line| short(*line)).min() {
            Some(short_minor) => Err(Refusal::FacilityExhausted { short_minor, currency: "CNY".to_owned() }),
            None => Err(Refusal::FacilityClosed { reason: self.state.lines[LINES - 1].closed.clone().unwrap() }),
        }
    }

    pub(super) fn has_prepaid(&self, wallet: &str, net: i64) -> Result<(), Refusal> {
        let balance_minor = self.credit(wallet);
        let short_minor = net - balance_minor;
        let insufficient = Refusal::WalletInsufficient { short_minor, balance_minor, currency: "CNY".into() };
        if short_minor > 0 { Err(insufficient) } else { Ok(()) }
    }
}

pub(super) fn legs(ticket: &TicketPlan) -> Legs {
    let split = &ticket.split;
    Legs {
        price: split.price.minor,
        tax: split.price.minor - split.commission.minor - split.fee.minor - split.airline.minor,
        commission: split.commission.minor,
        fee: split.fee.minor,
        airline: split.airline.minor,
        base: ticket.base.minor,
        coupons: ticket.coupons.len(),
    }
}
