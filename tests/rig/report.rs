//! How every benchmark of the project reports: rows of medians, as JSON for programs and as Markdown for people.
//!
//! It measures nothing. A row without a peer has `null` there: the number stands alone.

use std::{fmt::Write as _, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One measured case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What is measured, in one word (`boot`).
    pub area: String,
    /// Which of its cases (`first page`).
    pub case: String,
    /// The median of our runs.
    pub ours: f64,
    /// What it is compared with, measured in the same run.
    pub peer: Option<String>,
    /// The median of the peer's runs.
    pub peer_value: Option<f64>,
    /// `ms`, `MiB`.
    pub unit: String,
    /// `ours` divided by `peer_value`.
    pub ratio: Option<f64>,
    /// How many runs the medians are of.
    pub runs: usize,
}

impl Row {
    /// A row without a peer.
    pub fn alone(area: &str, case: &str, unit: &str, values: &[f64]) -> Self {
        let (area, case, unit) = (area.into(), case.into(), unit.into());
        Self {
            area,
            case,
            ours: median(values),
            peer: None,
            peer_value: None,
            unit,
            ratio: None,
            runs: values.len(),
        }
    }

    /// The same row beside the peer's runs; as it was where there are none.
    #[must_use]
    pub fn beside(self, peer: &str, values: &[f64]) -> Self {
        if values.is_empty() {
            return self;
        }
        let value = median(values);
        Self {
            peer: Some(peer.into()),
            peer_value: Some(value),
            ratio: Some(self.ours / value),
            ..self
        }
    }
}

/// The middle value, or the mean of the two in the middle; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Writes `report.json` and `report.md` into `folder`. Rows that stand there of other areas stay.
///
/// # Errors
/// Where the folder cannot be written, or holds a report that is none.
pub fn write(folder: &Path, new: &[Row]) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::io(format!("creating {}", folder.display())))?;
    let path = folder.join("report.json");
    let old: Vec<Row> = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|e| Error::Broken(format!("{}: {e}", path.display())))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::io("reading report.json")(error)),
    };
    let rows = merge(old, new);
    let json = serde_json::to_string_pretty(&rows).map_err(|e| Error::Broken(e.to_string()))?;
    fs::write(&path, json + "\n").map_err(Error::io("writing report.json"))?;
    fs::write(folder.join("report.md"), markdown(&rows)).map_err(Error::io("writing report.md"))
}

fn merge(mut rows: Vec<Row>, new: &[Row]) -> Vec<Row> {
    rows.retain(|old| new.iter().all(|row| row.area != old.area));
    rows.extend_from_slice(new);
    rows
}

/// The rows as a table for people.
pub fn markdown(rows: &[Row]) -> String {
    let mut table = String::from(
        "| area | case | ours | peer | peer's | unit | ratio | runs |\n|---|---|--:|---|--:|---|--:|--:|\n",
    );
    for row in rows {
        let number =
            |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.1}"));
        let peer = row.peer.as_deref().unwrap_or("-");
        let (peer_value, ratio) = (
            number(row.peer_value),
            row.ratio.map_or_else(|| "-".into(), |r| format!("{r:.2}")),
        );
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {:.1} | {peer} | {peer_value} | {} | {ratio} | {} |",
            row.area, row.case, row.ours, row.unit, row.runs
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let cases: [(&[f64], f64); 4] = [
            (&[], 0.0),
            (&[3.0], 3.0),
            (&[9.0, 1.0, 2.0], 2.0),
            (&[4.0, 1.0, 2.0, 9.0], 3.0),
        ];
        for (values, middle) in cases {
            assert!((median(values) - middle).abs() < f64::EPSILON, "{values:?}");
        }
    }

    #[test]
    fn a_run_replaces_the_rows_of_its_area_and_leaves_the_others() {
        let row = |area: &str, value: f64| Row::alone(area, "case", "ms", &[value]);
        let rows = merge(
            vec![row("boot", 1.0), row("pull", 2.0), row("boot", 3.0)],
            &[row("boot", 4.0)],
        );
        assert_eq!(rows, [row("pull", 2.0), row("boot", 4.0)]);
    }

    #[test]
    fn a_peer_without_runs_is_no_peer() {
        let row = || Row::alone("boot", "first page", "ms", &[20.0]);
        let beside = row().beside("podman", &[70.0, 90.0, 80.0]);
        assert_eq!(
            (beside.peer.as_deref(), beside.peer_value, beside.ratio),
            (Some("podman"), Some(80.0), Some(0.25))
        );
        assert_eq!(row().beside("podman", &[]), row());
    }

    #[test]
    fn a_row_reads_the_same_for_programs_and_for_people() {
        let row = Row::alone("image", "initramfs", "MiB", &[12.34]);
        let json = serde_json::to_value(&row).unwrap_or_default();
        assert_eq!(json["peer"], serde_json::Value::Null);
        assert_eq!(json["runs"], 1);
        assert!(markdown(&[row]).ends_with("| image | initramfs | 12.3 | - | - | MiB | - | 1 |\n"));
    }
}
