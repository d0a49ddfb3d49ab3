//! What a bank names by a reference of its own is recorded once: the same content under it again is the same thing.

/// What was asked for, and whether it had been recorded before.
#[derive(Clone, Debug)]
pub enum Recorded<T> {
    Now(T),
    Before(T),
}

impl<T> Recorded<T> {
    pub fn into_inner(self) -> T {
        match self {
            Recorded::Now(it) | Recorded::Before(it) => it,
        }
    }
}
