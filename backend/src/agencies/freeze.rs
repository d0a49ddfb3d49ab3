//! What of an agency's doings can be stopped one by one.

/// Alphabetical: so they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreezeScope {
    /// Its keys are refused.
    Api,
    /// It sells nothing, and exchanges nothing.
    Issue,
    Refund,
    /// Nothing of its wallet, its deposit or its credit goes out.
    Withdrawal,
}

impl FreezeScope {
    pub const ALL: [FreezeScope; 4] = [FreezeScope::Api, FreezeScope::Issue, FreezeScope::Refund, FreezeScope::Withdrawal];

    pub fn text(self) -> &'static str {
        match self {
            FreezeScope::Api => "api",
            FreezeScope::Issue => "issue",
            FreezeScope::Refund => "refund",
            FreezeScope::Withdrawal => "withdrawal",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        FreezeScope::ALL.into_iter().find(|scope| scope.text() == text)
    }
}

/// Some of them, each once, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrozenScopes(Vec<FreezeScope>);

impl FrozenScopes {
    pub fn of(scopes: impl IntoIterator<Item = FreezeScope>) -> Self {
        let mut scopes: Vec<FreezeScope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        FrozenScopes(scopes)
    }

    /// Words with blanks between them, as they are stored.
    pub fn parse(text: &str) -> Option<Self> {
        let scopes = text.split(' ').filter(|word| !word.is_empty()).map(FreezeScope::parse);
        scopes.collect::<Option<Vec<_>>>().map(FrozenScopes::of)
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|scope| scope.text()).collect::<Vec<_>>().join(" ")
    }

    pub fn has(&self, scope: FreezeScope) -> bool {
        self.0.contains(&scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = FreezeScope> + '_ {
        self.0.iter().copied()
    }
}
