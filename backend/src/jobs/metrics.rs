//! What is measured, in the form Prometheus reads.

use prometheus::{Encoder, Gauge, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

pub struct Metrics {
    registry: Registry,
    /// From the sale of a ticket to the bank's confirmation that its airline was paid.
    pub sale_to_credit: Histogram,
    /// Orders by outcome: issued, replayed, or the rule that refused them.
    pub orders: IntCounterVec,
    /// Refunds that were due and are neither paid nor rejected.
    pub refunds_overdue: IntGauge,
    /// From the start of the process until it serves.
    pub ready: Gauge,
}

impl Metrics {
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let buckets = vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
        let about = "Seconds from the sale of a ticket to the bank's confirmation that its airline was paid.";
        let sale_to_credit =
            Histogram::with_opts(HistogramOpts::new("airsettle_sale_to_credit_seconds", about).buckets(buckets))?;
        let orders = IntCounterVec::new(Opts::new("airsettle_orders_total", "Orders by outcome."), &["outcome"])?;
        registry.register(Box::new(sale_to_credit.clone()))?;
        let ready = Gauge::new("airsettle_ready_seconds", "Seconds from the start of the process until it served.")?;
        registry.register(Box::new(orders.clone()))?;
        registry.register(Box::new(ready.clone()))?;
        let about = "Refunds that were due and are neither paid nor rejected.";
        let refunds_overdue = IntGauge::new("airsettle_refunds_overdue", about)?;
        registry.register(Box::new(refunds_overdue.clone()))?;
        Ok(Metrics { registry, sale_to_credit, orders, refunds_overdue, ready })
    }

    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        String::from_utf8(buffer).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}
