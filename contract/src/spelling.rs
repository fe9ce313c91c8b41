//! What to do about a key that is not known: the known one that was probably meant, and all of them.
//!
//! Only names are compared, which findings tell anyway.

/// Names beyond this are like none.
const LONGEST: usize = 64;

/// A remedy for a key that is not among those that are known.
pub(crate) fn remedy(key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .filter_map(|name| Some((distance(key, name)?, name)))
        .filter(|(distance, name)| distance * 3 <= name.len().max(3))
        .min();
    let guess = nearest.map(|(_, name)| format!("write `{name}` if that is meant; "));
    format!(
        "{}known keys: {}",
        guess.unwrap_or_default(),
        known.join(", ")
    )
}

/// How many letters differ between two names, whatever their case: missing, added, another, or two neighbours swapped
/// (optimal string alignment).
fn distance(one: &str, other: &str) -> Option<usize> {
    let letters = |name: &str| -> Vec<char> { name.to_lowercase().chars().collect() };
    if one.len() > LONGEST || other.len() > LONGEST {
        return None;
    }
    let (one, other) = (letters(one), letters(other));
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for at in 0..=one.len() {
        for with in 0..=other.len() {
            rows[at][with] = match (at, with) {
                (0, count) | (count, 0) => count,
                _ => {
                    let is_other = usize::from(one[at - 1] != other[with - 1]);
                    let nearest = (rows[at - 1][with - 1] + is_other)
                        .min(rows[at - 1][with] + 1)
                        .min(rows[at][with - 1] + 1);
                    let is_swapped = at > 1
                        && with > 1
                        && one[at - 1] == other[with - 2]
                        && one[at - 2] == other[with - 1];
                    if is_swapped {
                        nearest.min(rows[at - 2][with - 2] + 1)
                    } else {
                        nearest
                    }
                }
            };
        }
    }
    Some(rows[one.len()][other.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_key_that_was_probably_meant_comes_first() {
        let known = ["ports", "image", "env_file", "volumes", "cpus"];
        for (key, guess) in [
            ("prots", Some("ports")),
            ("Port", Some("ports")),
            ("imaeg", Some("image")),
            ("envfile", Some("env_file")),
            ("volums", Some("volumes")),
            ("cup", None),
            ("healthcheck", None),
            ("", None),
        ] {
            let told = remedy(key, &known);
            let expected = guess.map(|guess| format!("write `{guess}` if that is meant; "));
            assert_eq!(
                told,
                format!(
                    "{}known keys: {}",
                    expected.unwrap_or_default(),
                    known.join(", ")
                ),
                "{key}"
            );
        }
        assert!(remedy(&"ports".repeat(100_000), &known).starts_with("known keys"));
    }
}
