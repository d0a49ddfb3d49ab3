//! The score of an agency: a policy scorecard over the platform's own records, and what it takes from a limit.
//!
//! `days` counts each day once when it is over; `measure` reads what a page of agencies is measured by, in set statements; `assess` (pure) turns inputs into
//! points, a grade, a multiplier and a cap, with the reasons; `decision` keeps every decision with its inputs; `replay` makes it again from those, and from the
//! records. A score only ever lowers what policy, baseline and security allow.
//!
//! Of what a card could ask for, there is no record yet of dishonoured debits and of disputes: they are no characteristics until there is.

mod assess;
mod card;
mod caution;
mod characteristic;
mod days;
mod decision;
mod inputs;
mod measure;
mod replay;
mod review;

pub use assess::{Assessment, Part, RiskStatus, Verdict, assess};
pub use card::{
    Band, CardError, Grade, NewScoreCard, ScoreCard, Weighted, adopt_score_card, cards_in_force, score_card, score_cards,
};
pub use caution::Caution;
pub use characteristic::Characteristic;
pub use days::{count_days, counted_to};
pub use decision::{PAGE, Score, ScoreCause, ScoreError, page_of_agencies, score_agency, score_of, score_page, scores};
pub use inputs::Inputs;
pub use measure::AsOf;
pub use replay::{Replay, replay};
pub use review::{FinancialReview, NewReview, ReviewError, ReviewResult, financial_reviews, record_review};
