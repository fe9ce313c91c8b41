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

/// Reads `hpcr-init: phase network 4/13 done at 2.345 s, took 120 ms`.
fn phase(line: &Line) -> Option<Phase> {
    let words: Vec<_> = line.text.split_once("phase ")?.1.split(' ').collect();
    let [name, _, "done", "at", _, "s,", "took", took, "ms"] = words[..] else {
        return None;
    };
    Some(Phase {
        name: name.into(),
        ended: line.at,
        took: Duration::from_millis(took.parse().ok()?),
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
            "hpcr-init: phase early 1/13 done at 1.200 s, took 35 ms",
            "hpcr-init: phase network 4/13 failed",
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
