//! What the simulated bank is told to do wrong. A plan is a script, whose entries are drawn one per payment in the order in which
//! payments arrive, and a default for when the script is used up. A payment that the bank already knows draws nothing.
//! Bounds: 1,000 entries, ten minutes for any delay.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

pub const MAX_SCRIPT: usize = 1_000;
pub const MAX_DELAY_MS: u64 = 600_000;
const MAX_CODE_CHARS: usize = 35;

/// One payment's behaviour. As JSON: `{"kind": "slow", "ms": 500}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Settles at once, in the answer.
    #[default]
    Normal,
    /// Settles after a while, then answers. Meanwhile the status is accepted.
    Slow { ms: u64 },
    /// Refuses; what is not refused for good may be sent again and is then a payment like any other.
    Refuse {
        code: String,
        #[serde(rename = "final")]
        is_final: bool,
    },
    /// Settles, holds the answer back, then drops the connection.
    TimeoutAfterSuccess {
        #[serde(default)]
        ms: u64,
    },
    /// Settles at another amount: the ordered one plus so many minor units, or a decimal string in the order's currency.
    WrongAmount {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delta_minor: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<String>,
    },
    /// Answers 500, after booking or without.
    #[serde(rename = "error_500")]
    Error500 { booked: bool },
    /// Settles in the answer and sends the same notification twice.
    DuplicateCallback,
    /// Answers accepted, settles later and notifies.
    AcceptThenCallback { ms: u64 },
    /// Settles, delivers the notification, and only then answers.
    CallbackBeforeAnswer,
    /// Drops the connection without having looked at the order.
    DropConnection,
    /// Answers 503 to this payment and to everything after it, the probe included, until the plan is cleared or replaced.
    Down,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    #[serde(default)]
    pub script: VecDeque<Fault>,
    #[serde(default)]
    pub default: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    #[error("a script has at most {MAX_SCRIPT} entries")]
    TooLong,
    #[error("a delay is at most {MAX_DELAY_MS} ms")]
    DelayTooLong,
    #[error("wrong_amount takes either delta_minor or amount")]
    AmountOrDelta,
    #[error("a refusal's code has 1 to {MAX_CODE_CHARS} printable ASCII characters")]
    BadCode,
}

/// The plan as it is being used up.
#[derive(Debug, Default)]
pub struct Faults {
    plan: FaultPlan,
    down: bool,
}

impl Fault {
    fn check(&self) -> Result<(), BadPlan> {
        match self {
            Fault::Slow { ms } | Fault::TimeoutAfterSuccess { ms } | Fault::AcceptThenCallback { ms } if *ms > MAX_DELAY_MS => {
                Err(BadPlan::DelayTooLong)
            }
            Fault::WrongAmount { delta_minor, amount } if delta_minor.is_some() == amount.is_some() => {
                Err(BadPlan::AmountOrDelta)
            }
            Fault::Refuse { code, .. } => {
                let printable = code.bytes().all(|byte| byte.is_ascii_graphic());
                if code.is_empty() || code.len() > MAX_CODE_CHARS || !printable { Err(BadPlan::BadCode) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}

impl FaultPlan {
    /// These faults in order, then normal behaviour.
    pub fn script(faults: impl IntoIterator<Item = Fault>) -> Self {
        FaultPlan { script: faults.into_iter().collect(), default: Fault::Normal }
    }

    /// The same behaviour for every payment.
    pub fn always(fault: Fault) -> Self {
        FaultPlan { script: VecDeque::new(), default: fault }
    }

    pub fn check(&self) -> Result<(), BadPlan> {
        if self.script.len() > MAX_SCRIPT {
            return Err(BadPlan::TooLong);
        }
        self.script.iter().chain([&self.default]).try_for_each(Fault::check)
    }
}

impl Faults {
    /// Replaces what is left of the plan before; a bank that was down is up again.
    pub fn replace(&mut self, plan: FaultPlan) -> Result<(), BadPlan> {
        plan.check()?;
        *self = Faults { plan, down: false };
        Ok(())
    }

    /// What is left of the plan.
    pub fn remaining(&self) -> &FaultPlan {
        &self.plan
    }

    pub fn is_down(&self) -> bool {
        self.down || (self.plan.script.is_empty() && self.plan.default == Fault::Down)
    }

    pub fn draw(&mut self) -> Fault {
        let fault = self.plan.script.pop_front().unwrap_or_else(|| self.plan.default.clone());
        self.down = self.down || fault == Fault::Down;
        fault
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_used_up_in_order_and_then_the_default_holds() {
        let mut faults = Faults::default();
        let text =
            r#"{"script": [{"kind":"slow","ms":5}, {"kind":"error_500","booked":true}], "default": {"kind":"drop_connection"}}"#;
        faults.replace(serde_json::from_str(text).unwrap()).unwrap();
        let drawn: Vec<Fault> = (0..4).map(|_| faults.draw()).collect();
        let expected = [Fault::Slow { ms: 5 }, Fault::Error500 { booked: true }, Fault::DropConnection, Fault::DropConnection];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn down_lasts_until_the_plan_is_replaced() {
        let mut faults = Faults::default();
        faults.replace(FaultPlan::script([Fault::Normal, Fault::Down, Fault::Normal])).unwrap();
        faults.draw();
        assert!(!faults.is_down());
        faults.draw();
        assert!(faults.is_down());
        faults.replace(FaultPlan::default()).unwrap();
        assert!(!faults.is_down());
        faults.replace(FaultPlan::always(Fault::Down)).unwrap();
        assert!(faults.is_down(), "as the default it holds at once");
    }

    #[test]
    fn plans_out_of_bounds_are_refused() {
        let bad = |fault: Fault| FaultPlan::always(fault).check().unwrap_err();
        assert_eq!(bad(Fault::Slow { ms: MAX_DELAY_MS + 1 }), BadPlan::DelayTooLong);
        assert_eq!(bad(Fault::WrongAmount { delta_minor: None, amount: None }), BadPlan::AmountOrDelta);
        assert_eq!(bad(Fault::Refuse { code: String::new(), is_final: true }), BadPlan::BadCode);
        let long = FaultPlan::script(vec![Fault::Normal; MAX_SCRIPT + 1]);
        assert_eq!(long.check(), Err(BadPlan::TooLong));
        for text in [r#"{"scripts":[]}"#, r#"{"default":{"kind":"sleepy"}}"#, r#"{"default":{"kind":"slow"}}"#] {
            assert!(serde_json::from_str::<FaultPlan>(text).is_err(), "{text}");
        }
    }
}
