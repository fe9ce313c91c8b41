//! The boot timeline: how long each phase took, as the guest's own console lines tell it.

use std::time::Duration;

use crate::console::Line;

/// One finished phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name in the phase table.
    pub name: String,
    /// When its line came, since the start of QEMU.
    pub ended: Duration,
    /// How long it took, by the guest's clock.
    pub took: Duration,
}

/// The phases that finished, in their order.
pub fn phases(lines: &[Line]) -> Vec<Phase> {
    lines.iter().filter_map(phase).collect()
}

/// Reads `… phase network (4/13): done, 120 ms`.
fn phase(line: &Line) -> Option<Phase> {
    let (_, told) = line.text.split_once("phase ")?;
    let (name, rest) = told.split_once(" (")?;
    let (_, took) = rest.split_once("): done, ")?;
    let took = Duration::from_millis(took.trim().strip_suffix("ms")?.trim().parse().ok()?);
    Some(Phase {
        name: name.into(),
        ended: line.at,
        took,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finished_phases_count() {
        let line = |text: &str| Line {
            at: Duration::from_secs(2),
            text: text.into(),
        };
        let lines = [
            "hpcr-init: phase early (1/13): done, 35 ms",
            "phase network (4/13): started",
            "reboot: Power down",
        ];
        let expected = Phase {
            name: "early".into(),
            ended: Duration::from_secs(2),
            took: Duration::from_millis(35),
        };
        assert_eq!(phases(&lines.map(line)), [expected]);
    }
}
