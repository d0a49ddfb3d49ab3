//! Scores: measured from the records, decided by a card, lowered limits, and made again from what is stored and from the records.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::agencies::{CycleRule, agency};
use airsettle::credit::agency_limits;
use airsettle::credit::score::{
    AsOf, Band, CardError, Caution, Characteristic, Grade, NewReview, NewScoreCard, Replay, ReviewError, RiskStatus, Score,
    ScoreCard, ScoreCause, ScoreError, Verdict, Weighted, adopt_score_card, cards_in_force, count_days, page_of_agencies,
    record_review, replay, score_of, score_page, scores,
};
use airsettle::db::Window;
use airsettle::ids::AgencyId;
use airsettle::money::{Currency, Money};
use airsettle::risk::RiskEventKind;
use airsettle::settlement::declare_default;
use airsettle::ticketing::RefundKind;
use chrono::{Days, Duration, NaiveDate};

on_both_engines!(
    a_decision_is_made_again_from_its_inputs_and_from_the_records,
    what_is_stored_wrong_is_noticed,
    a_cycle_that_is_late_costs_the_grade_at_once,
    a_default_fails_the_risk_history,
    a_night_decides_once_and_not_over_what_was_decided_later,
    every_version_explains_what_it_has_decided,
    there_is_no_score_before_the_agency_and_none_of_the_future,
    a_card_begins_today_or_later,
    the_last_financial_review_counts_while_it_is_valid,
);

fn weighted(of: Characteristic, weight: i64, bands: &[(Option<i64>, i64)]) -> Weighted {
    let mut from = None;
    let band = |(below, points): &(Option<i64>, i64)| {
        let band = Band { from, below: *below, points: *points };
        from = *below;
        band
    };
    Weighted { name: of.to_string(), weight, missing_points: 60, bands: bands.iter().map(band).collect() }
}

/// Every characteristic, each with two bands; being late weighs most.
pub fn card(effective_from: NaiveDate) -> NewScoreCard {
    let of = |of: Characteristic| match of {
        Characteristic::LateRemittances => weighted(of, 60, &[(Some(1), 100), (None, 0)]),
        Characteristic::FinancialReview => weighted(of, 5, &[(Some(1), 0), (None, 100)]),
        Characteristic::Tenure => weighted(of, 5, &[(Some(30), 40), (None, 100)]),
        Characteristic::SalesLevel | Characteristic::DepositCoverage => weighted(of, 5, &[(Some(1_000), 50), (None, 100)]),
        _ => weighted(of, 5, &[(Some(5_000), 100), (None, 50)]),
    };
    let grade = |grade: &str, from_points, multiplier: &str, cap_minor| Grade {
        grade: grade.into(),
        from_points,
        multiplier: multiplier.into(),
        cap_minor,
    };
    NewScoreCard {
        currency: Currency::CNY,
        effective_from,
        characteristics: Characteristic::ALL.iter().map(|one| of(*one)).collect(),
        grades: vec![
            grade("A", 650, "1", None),
            grade("B", 500, "0.8", Some(50_000_000)),
            grade("C", 0, "0.5", Some(10_000_000)),
        ],
        history_most_late: 1,
    }
}

impl World {
    pub fn adopts_card(&self) -> ScoreCard {
        let today = self.today();
        self.store.write(|tx| adopt_score_card(tx, card(today))).unwrap()
    }

    pub fn counts_days(&self) {
        while self.write(|tx| Ok(count_days(tx)?)).is_some() {}
    }

    fn as_of_now(&self) -> AsOf {
        self.write(|tx| Ok(AsOf { date: tx.ledger_date, at: tx.now }))
    }

    /// As the close of day does it; answers how many were decided.
    pub fn scores_agencies(&self) -> usize {
        self.counts_days();
        let as_of = self.as_of_now();
        let cards = self.read(|db| cards_in_force(db, as_of.date));
        let (mut after, mut decided) = (0, 0);
        loop {
            let page = self.read(|db| page_of_agencies(db, after, as_of, self.store.zone()));
            let Some(last) = page.last() else { return decided };
            after = airsettle::ids::Id::raw(last.id);
            decided += self.write(|tx| Ok(score_page(tx, &cards, &page, as_of, ScoreCause::Nightly)?));
        }
    }

    fn score(&self) -> Score {
        self.score_by(None).unwrap()
    }

    fn score_by(&self, asked: Option<NaiveDate>) -> Result<Score, ScoreError> {
        self.store.read(|db| score_of(db, self.agency, asked, self.today(), self.store.zone()))
    }

    fn replays(&self, asked: Option<NaiveDate>) -> Replay {
        self.store.read(|db| replay(db, self.agency, asked, self.today(), self.store.zone())).unwrap()
    }

    fn caution(&self, of: AgencyId) -> Caution {
        let row = self.read(|db| agency(db, of)).unwrap();
        Caution::parse(&row.caution, row.currency).unwrap()
    }

    /// What its agency may owe today.
    fn limit(&self) -> Money {
        let row = self.read(|db| agency(db, self.agency)).unwrap();
        self.read(|db| Ok(agency_limits(db, &[row], self.today()).unwrap()))[0].derived.limit
    }

    fn reviewed(&self, result: Verdict, valid_days: u64) {
        let valid_until = self.today() + Days::new(valid_days);
        let new = NewReview { agency: self.agency, result, reviewed_on: self.today(), valid_until };
        self.store.write(|tx| record_review(tx, new)).unwrap();
    }
}

fn agrees(replay: &Replay) {
    assert!(replay.inputs_agree(), "{replay:?}");
    let differences = replay.score.inputs.differences(&replay.inputs);
    assert!(replay.records_agree() && differences.is_empty(), "{differences:?}");
}

/// At the start of a cycle, with a card, having sold nothing.
fn carded(engine: Engine) -> World {
    let world = World::on(engine);
    world.bears_with_its_bank();
    world.lodges_deposit("9000.00");
    world.goes_to(NaiveDate::from_ymd_opt(2027, 3, 2).unwrap());
    world.adopts_card();
    world
}

fn a_decision_is_made_again_from_its_inputs_and_from_the_records(engine: Engine) {
    let world = carded(engine);
    world.reviewed(Verdict::Passed, 365);
    let soon = world.today().and_hms_opt(23, 59, 0).unwrap();
    world.sells(world.order().departing_at(soon).tickets(2));
    let voided = world.sells(world.order());
    world.voids(&voided);
    let refunded = world.sells(world.order().flown_by("DZ", 'K'));
    world.refunds_as(&crate::refunds::wish(&refunded, RefundKind::Voluntary)).unwrap();
    world.goes_to(world.today() + Days::new(9));
    world.sells(world.order());
    world.goes_to(world.today() + Days::new(1));
    assert_eq!(world.scores_agencies(), 2);
    let first = world.score();
    let value = |of| first.inputs.value(of);
    assert_eq!(value(Characteristic::Voids), Some(2_000), "one of five");
    assert_eq!(value(Characteristic::Refunds), Some(2_000));
    assert_eq!(value(Characteristic::SameDayDepartures), Some(4_000));
    assert_eq!(value(Characteristic::AirlineConcentration), Some(10_000));
    assert_eq!(value(Characteristic::LateRemittances), None, "nothing fell due");
    assert_eq!(value(Characteristic::FinancialReview), Some(1));
    // Five tickets of 1,000.00 in 91 days; 9,000.00 cover that of thirty days more than five times.
    assert_eq!(value(Characteristic::DepositCoverage), Some(54_600));
    assert_eq!((first.status, first.risk_history), (RiskStatus::A, Verdict::Passed));
    agrees(&world.replays(None));
    let day = world.today();
    // What happens later changes nothing of it.
    world.sells(world.order().tickets(3));
    world.lodges_deposit("500.00");
    world.reviewed(Verdict::Failed, 365);
    world.goes_to(day + Days::new(40));
    world.closes_the_day();
    assert_eq!(world.scores_agencies(), 2);
    let replayed = world.replays(Some(day));
    assert_eq!(replayed.score.id, first.id);
    agrees(&replayed);
    let now = world.replays(None);
    agrees(&now);
    assert_ne!(now.score.inputs, first.inputs);
    assert_eq!(world.score_by(Some(day + Days::new(5))).unwrap().id, first.id, "the last one by then");
    world.adds_up();
}

fn what_is_stored_wrong_is_noticed(engine: Engine) {
    let world = carded(engine);
    world.sells(world.order());
    world.goes_to(world.today() + Days::new(1));
    world.scores_agencies();
    agrees(&world.replays(None));
    let id = airsettle::ids::Id::raw(world.score().id);
    let refused = world.database.as_application(&format!("UPDATE score SET points = 1 WHERE id = {id}"));
    assert!(refused.is_err(), "a decision stays what it was");
    let better = format!("UPDATE score SET inputs = inputs || ' voids=9999', points = points + 1 WHERE id = {id}");
    world.database.tamper("score", &better);
    let replayed = world.replays(None);
    assert!(!replayed.inputs_agree() && !replayed.records_agree());
}

fn late(world: &World) -> NaiveDate {
    let cycle = CycleRule::HalfMonthly.cycle_of(world.today());
    world.sells(world.order());
    world.goes_to(cycle.last_day() + Days::new(1));
    world.closes_the_day();
    world.scores_agencies();
    world.goes_to(cycle.last_day() + Days::new(20));
    world.closes_the_day();
    world.today()
}

fn a_cycle_that_is_late_costs_the_grade_at_once(engine: Engine) {
    let world = carded(engine);
    let cycle = CycleRule::HalfMonthly.cycle_of(world.today());
    world.sells(world.order());
    world.goes_to(cycle.last_day() + Days::new(1));
    world.closes_the_day();
    world.scores_agencies();
    let before = world.score();
    assert_eq!((before.grade.as_str(), before.cause), ("A", ScoreCause::Nightly));
    world.remits("100.00", cycle).unwrap();
    world.goes_to(cycle.last_day() + Days::new(20));
    world.closes_the_day();
    let after = world.score();
    assert_eq!(after.cause, ScoreCause::Event(RiskEventKind::ShortRemittance));
    assert_eq!(after.inputs.value(Characteristic::LateRemittances), Some(10_000));
    assert_eq!(after.inputs.value(Characteristic::ShortRemittances), Some(10_000));
    assert_eq!((after.grade.as_str(), world.caution(world.agency).grade.as_deref()), ("C", Some("C")));
    // 9,000.00 of deposit; grade C halves it.
    assert_eq!(world.limit(), cny("4500.00"));
    let told = "SELECT COUNT(*) AS value FROM event WHERE kind = 'score.changed'";
    assert_eq!(world.number(told), 1);
    agrees(&world.replays(None));
    // The money comes; the late payment stays on record.
    world.remits("870.00", cycle).unwrap();
    world.goes_to(world.today() + Days::new(1));
    world.scores_agencies();
    assert_eq!(world.score().inputs.late, 1);
    agrees(&world.replays(None));
    world.adds_up();
}

fn a_default_fails_the_risk_history(engine: Engine) {
    let world = carded(engine);
    late(&world);
    world.reviewed(Verdict::Failed, 365);
    let status = world.score().status;
    assert_eq!(status, RiskStatus::B, "one late payment is within what the card allows");
    world.store.write(|tx| declare_default(tx, &world.cause(), world.agency, "nothing came")).unwrap();
    let score = world.score();
    assert_eq!(score.cause, ScoreCause::Event(RiskEventKind::Default));
    assert_eq!((score.risk_history, score.status, score.inputs.defaults), (Verdict::Failed, RiskStatus::C, 1));
    assert_eq!(world.caution(world.agency).status, RiskStatus::C);
    agrees(&world.replays(None));
    // Declared again, it is the same default.
    world.store.write(|tx| declare_default(tx, &world.cause(), world.agency, "again")).unwrap();
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM risk_event WHERE kind = 'default'"), 1);
    // A year later nothing of it counts any more.
    world.goes_to(world.today() + Days::new(366));
    world.scores_agencies();
    assert_eq!((world.score().risk_history, world.score().inputs.defaults), (Verdict::Passed, 0));
    agrees(&world.replays(None));
}

fn a_night_decides_once_and_not_over_what_was_decided_later(engine: Engine) {
    let world = carded(engine);
    assert_eq!(world.scores_agencies(), 2);
    assert_eq!(world.scores_agencies(), 0, "tried again, nothing is left");
    world.goes_to(world.today() + Days::new(1));
    // A page was read, and then the agency got into trouble.
    world.counts_days();
    let as_of = world.as_of_now();
    let (cards, page) =
        world.read(|db| Ok((cards_in_force(db, as_of.date)?, page_of_agencies(db, 0, as_of, world.store.zone())?)));
    let raw = airsettle::ids::Id::raw(world.agency);
    world.write(|tx| {
        airsettle::risk::note_risk(tx, world.agency, RiskEventKind::Default, raw)?;
        Ok(airsettle::credit::score::score_agency(tx, world.agency, RiskEventKind::Default)?)
    });
    let trouble = world.score();
    assert_eq!(world.write(|tx| Ok(score_page(tx, &cards, &page, as_of, ScoreCause::Nightly)?)), 1, "the other one");
    assert_eq!(world.score().id, trouble.id);
    assert_eq!(world.caution(world.agency).status, RiskStatus::C);
    let all = world.read(|db| scores(db, Some(&[world.agency]), Window::NEWEST, 10));
    assert_eq!(all.len(), 2);
}

fn every_version_explains_what_it_has_decided(engine: Engine) {
    let world = carded(engine);
    world.scores_agencies();
    let (first, day) = (world.score(), world.today());
    world.goes_to(day + Days::new(1));
    let mut harsher = card(world.today());
    harsher.characteristics.retain(|one| one.name == "tenure");
    harsher.characteristics[0].bands = vec![Band { from: None, below: None, points: 10 }];
    let second = world.store.write(|tx| adopt_score_card(tx, harsher)).unwrap();
    assert_eq!(second.version, 2);
    world.scores_agencies();
    assert_eq!((world.score().card, world.score().points), (second.id, 100));
    let replayed = world.replays(Some(day));
    assert_eq!((replayed.score.id, replayed.card.version), (first.id, 1));
    agrees(&replayed);
}

fn there_is_no_score_before_the_agency_and_none_of_the_future(engine: Engine) {
    let world = World::on(engine);
    let opened = world.today();
    let before = world.score_by(Some(opened - Days::new(1)));
    assert!(matches!(before, Err(ScoreError::BeforeAgency { opened: known, .. }) if known == opened), "{before:?}");
    assert!(matches!(world.score_by(Some(opened + Days::new(1))), Err(ScoreError::Future(_))));
    assert!(matches!(world.score_by(None), Err(ScoreError::NotScored(_))));
    let nobody = airsettle::ids::Id::of(7);
    let unknown = world.store.read(|db| score_of(db, nobody, None, opened, world.store.zone()));
    assert!(matches!(unknown, Err(ScoreError::NoAgency)));
    assert_eq!(world.scores_agencies(), 0, "without a card nothing is decided");
    assert_eq!(world.caution(world.agency), Caution::none());
}

fn a_card_begins_today_or_later(engine: Engine) {
    let world = World::on(engine);
    let adopt = |days: i64| world.store.write(|tx| adopt_score_card(tx, card(world.today() + Duration::days(days))));
    assert!(matches!(adopt(-1), Err(CardError::Past { .. })));
    assert_eq!(adopt(5).unwrap().version, 1);
    assert!(matches!(adopt(4), Err(CardError::BeforeLatest { latest: 1, .. })));
    assert_eq!(world.scores_agencies(), 0, "it has not begun");
    world.goes_to(world.today() + Days::new(5));
    assert_eq!(world.scores_agencies(), 2);
}

fn the_last_financial_review_counts_while_it_is_valid(engine: Engine) {
    let world = carded(engine);
    world.reviewed(Verdict::Failed, 100);
    world.reviewed(Verdict::Passed, 2);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        world.scores_agencies();
        statuses.push(world.score().status);
        world.goes_to(world.today() + Days::new(1));
    }
    assert_eq!(statuses, [RiskStatus::A, RiskStatus::A, RiskStatus::A, RiskStatus::B]);
    let today = world.today();
    let review = |agency, reviewed_on: NaiveDate, valid_until: NaiveDate| {
        let new = NewReview { agency, result: Verdict::Passed, reviewed_on, valid_until };
        world.store.write(|tx| record_review(tx, new)).unwrap_err()
    };
    let tomorrow = today + Days::new(1);
    assert!(matches!(review(world.agency, tomorrow, tomorrow), ReviewError::Future(_)));
    assert!(matches!(review(world.agency, today, today - Days::new(1)), ReviewError::NeverValid));
    assert!(matches!(review(airsettle::ids::Id::of(7), today, tomorrow), ReviewError::NoAgency));
}
