//! When an agency is written to about what it has to pay: steps counted from the due date, before it where they are negative.

use super::CatalogueError;
use super::records::{Row, Table};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Reminder,
    Due,
    Overdue,
    LastNotice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DunningStep {
    pub name: String,
    pub days_after_due: i64,
    pub tone: Tone,
}

/// In the order in which they are taken.
#[derive(Debug)]
pub struct DunningSteps(Vec<DunningStep>);

impl DunningSteps {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        let mut steps = table.rows(step)?;
        steps.sort_by_key(|step| step.days_after_due);
        Ok(DunningSteps(steps))
    }

    /// The step that an obligation is at so many days after its due date; none before the first. Whoever missed some is written to once.
    pub fn at(&self, days_after_due: i64) -> Option<&DunningStep> {
        self.0.iter().rev().find(|step| step.days_after_due <= days_after_due)
    }
}

fn step(row: &Row<'_>) -> Result<DunningStep, CatalogueError> {
    let tone = |text: &str| match text {
        "reminder" => Some(Tone::Reminder),
        "due" => Some(Tone::Due),
        "overdue" => Some(Tone::Overdue),
        "last_notice" => Some(Tone::LastNotice),
        _ => None,
    };
    Ok(DunningStep {
        name: row.text("step")?.to_owned(),
        days_after_due: row.parsed("days_after_due")?,
        tone: row.with("tone", tone)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::catalogue;

    #[test]
    fn steps_follow_the_due_date() {
        let at = |days| catalogue().dunning.at(days).map(|step| step.name.as_str());
        let expected =
            [(-3, None), (-2, Some("reminder")), (-1, Some("reminder")), (0, Some("due_today")), (1, Some("overdue_1"))];
        for (days, step) in expected {
            assert_eq!(at(days), step, "{days}");
        }
        assert_eq!((at(2), at(6), at(400)), (Some("overdue_1"), Some("overdue_3"), Some("last_notice")));
    }
}
