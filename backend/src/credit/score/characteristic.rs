//! What an agency is measured by.

use std::fmt;

macro_rules! characteristics {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $english:literal, $chinese:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Characteristic { $($(#[$doc])* $name),+ }

        impl Characteristic {
            pub const ALL: &'static [Characteristic] = &[$(Characteristic::$name),+];

            pub fn text(self) -> &'static str {
                match self { $(Characteristic::$name => $text),+ }
            }

            /// The reason that is given where it cost points.
            pub fn english(self) -> &'static str {
                match self { $(Characteristic::$name => $english),+ }
            }

            pub fn chinese(self) -> &'static str {
                match self { $(Characteristic::$name => $chinese),+ }
            }
        }
    };
}

// Alphabetical. Shares are parts of 10,000, rounded down; sales are counted over the thirteen weeks before the day of the decision, payments over a year.
// A name, once given out, keeps its meaning: decisions are stored with it.
characteristics! {
    /// Tickets of the airline that most are of.
    AirlineConcentration = "airline_concentration",
        "Sales depend on a single airline", "销售过度集中于单一航空公司";
    /// The deposit as a share of thirty days' average sales on credit.
    DepositCoverage = "deposit_coverage",
        "The deposit covers little of the sales on credit", "押金对赊销额的覆盖不足";
    /// 1 where a review of its financial statements in force has passed, 0 where it has failed.
    FinancialReview = "financial_review",
        "The financial statements were not found sound, or not reviewed", "财务审查未通过或未进行";
    /// Cycles that became overdue, of those that fell due.
    LateRemittances = "late_remittances",
        "Cycles were remitted late", "存在逾期汇款的结算周期";
    /// Tickets issued in the first six hours of the operator's day.
    NightSales = "night_sales",
        "Many tickets are issued at night", "夜间出票比例偏高";
    /// Tickets that were given back.
    Refunds = "refunds",
        "Many tickets are refunded", "退票比例偏高";
    /// Tickets of the route that most are for.
    RouteConcentration = "route_concentration",
        "Sales depend on a single route", "销售过度集中于单一航线";
    /// The last four weeks against the nine before, both by the week; 10,000 is as much as before.
    SalesGrowth = "sales_growth",
        "Sales rise faster than the agency's own usual", "销售额增长明显快于以往";
    /// By the day, in minor units.
    SalesLevel = "sales_level",
        "The level of sales says little for the agency", "销售规模不足以支持评级";
    /// The standard deviation of a week's sales as a share of their mean.
    SalesVolatility = "sales_volatility",
        "Sales vary strongly from week to week", "每周销售额波动较大";
    /// Tickets whose first flight leaves on the day of issue.
    SameDayDepartures = "same_day_departures",
        "Many tickets are for departures on the day of issue", "当日起飞的机票比例偏高";
    /// Cycles that became overdue with a part of them paid, of those that fell due.
    ShortRemittances = "short_remittances",
        "Cycles were remitted short", "存在未足额汇款的结算周期";
    /// In days.
    Tenure = "tenure",
        "The agency is new to the platform", "入驻平台时间较短";
    /// Tickets that were voided.
    Voids = "voids",
        "Many tickets are voided", "作废比例偏高";
}

impl Characteristic {
    pub fn parse(text: &str) -> Option<Self> {
        Characteristic::ALL.iter().copied().find(|known| known.text() == text)
    }
}

impl fmt::Display for Characteristic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
