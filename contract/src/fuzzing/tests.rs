#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;

/// How long one door is knocked at with made-up input: `make fuzz` is where the search is done.
const A_WHILE: Duration = Duration::from_millis(1500);

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus")
}

/// The seeds of a door: small inputs that reach deep, and every input that once broke it.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = corpus().join(name);
    let listed = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_door_has_seeds_and_a_fuzz_target_and_nothing_else_has() {
    let names = |folder: PathBuf| -> Vec<String> {
        let listed = fs::read_dir(folder).unwrap();
        listed
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    let targets = names(corpus().join("../targets"));
    for (name, _) in DOORS {
        assert!(!seeds(name).is_empty(), "{name} has no seeds");
        assert!(
            targets.iter().any(|target| target == name),
            "{name} has no fuzz target"
        );
    }
    for folder in names(corpus()) {
        assert!(
            DOORS.iter().any(|(name, _)| *name == folder),
            "{folder} is nobody's"
        );
    }
}

#[test]
fn no_seed_breaks_its_door() {
    for (name, door) in DOORS {
        for seed in seeds(name) {
            door(&seed);
        }
    }
}

#[test]
fn no_change_of_a_seed_breaks_its_door() {
    std::thread::scope(|scope| {
        for (name, door) in DOORS {
            scope.spawn(move || {
                let (seeds, mut dice) = (seeds(name), Dice(0x9e37_79b9_7f4a_7c15));
                let begun = Instant::now();
                while begun.elapsed() < A_WHILE {
                    door(&dice.change(&seeds));
                }
            });
        }
    });
}

/// Numbers that look random and are the same in every run (xorshift64*), so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end.max(1)
    }

    fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// One seed with a few bytes overwritten, cut out, doubled, or exchanged for a piece of another.
    fn change(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.one_of(seeds).clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(16)).min(bytes.len());
            match self.below(5) {
                _ if bytes.is_empty() => bytes.push(b'\n'),
                0 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                3 => {
                    let other = self.one_of(seeds);
                    let from = self.below(other.len());
                    let piece = other[from..(from + 1 + self.below(64)).min(other.len())].to_vec();
                    bytes.splice(at..end, piece);
                }
                _ => bytes[at] = *self.one_of(b":{}[]-'\"&*!|>%@`#.,\n \t0$"),
            }
        }
        bytes
    }
}
