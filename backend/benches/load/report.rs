//! The table and `bench.json`.

use crate::stage::Engine;
use serde_json::{Value, json};
use std::path::Path;

pub struct Row {
    name: String,
    engine: &'static str,
    value: f64,
    unit: &'static str,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    /// TPC-B transactions per second of the same minutes.
    yardstick: Option<f64>,
}

impl Row {
    pub fn rate(name: &str, engine: Engine, per_second: f64, latencies: &[f64], yardstick: f64) -> Self {
        let mut sorted = latencies.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len() as f64 - 1.0) * share).round() as usize).copied();
        Row {
            name: name.to_owned(),
            engine: engine.name(),
            value: per_second,
            unit: "per second",
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            yardstick: (yardstick > 0.0).then_some(yardstick),
        }
    }

    pub fn value(name: &str, engine: Engine, value: f64, unit: &'static str) -> Self {
        Row { name: name.to_owned(), engine: engine.name(), value, unit, p50_ms: None, p99_ms: None, yardstick: None }
    }

    fn ratio(&self) -> Option<f64> {
        self.yardstick.map(|yardstick| self.value / yardstick)
    }
}

pub struct Report(Vec<Row>);

impl Report {
    pub fn new() -> Self {
        Report(Vec::new())
    }

    /// Printed as it comes, so that a run that fails later has said something.
    pub fn add(&mut self, row: Row) {
        println!("{}", line(&row));
        self.0.push(row);
    }

    pub fn print(&self) {
        println!(
            "\n{:<56} {:<10} {:>12} {:<11} {:>8} {:>8} {:>10} {:>7}",
            "what", "engine", "value", "unit", "p50 ms", "p99 ms", "yardstick", "ratio"
        );
        for row in &self.0 {
            println!("{}", line(row));
        }
        println!("yardstick: pgbench TPC-B, scale 50, 8 clients, prepared, on the same PostgreSQL, before and after each row");
    }

    pub fn write(&self, path: &Path) {
        let row = |row: &Row| -> Value {
            json!({ "name": row.name, "engine": row.engine, "value": row.value, "unit": row.unit, "p50_ms": row.p50_ms,
                "p99_ms": row.p99_ms, "yardstick": row.yardstick, "ratio": row.ratio() })
        };
        let rows: Vec<Value> = self.0.iter().map(row).collect();
        std::fs::write(path, serde_json::to_string_pretty(&rows).unwrap()).unwrap();
        println!("written: {}", path.display());
    }
}

fn line(row: &Row) -> String {
    let shown = |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
    format!(
        "{:<56} {:<10} {:>12.1} {:<11} {:>8} {:>8} {:>10} {:>7}",
        row.name,
        row.engine,
        row.value,
        row.unit,
        shown(row.p50_ms, 2),
        shown(row.p99_ms, 2),
        shown(row.yardstick, 0),
        shown(row.ratio(), 2)
    )
}
