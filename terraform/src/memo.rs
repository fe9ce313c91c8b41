//! What is asked again in a run. Terraform has each resource validated, planned and applied, most of them name the same
//! key and the same certificate, and every time their text comes anew. The last answers are kept here, so that a key is
//! parsed once and a contract reviewed once.
//!
//! An answer is kept by a digest of all that it depends on, the time included where it depends on that; so it is what
//! would be answered anew. How many are kept and what they weigh is bounded, and what is pushed out wipes itself as it
//! would have done without. Questions are not kept, and nothing here prints.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

/// The most answers of one kind. Terraform asks of ten resources at once, and of each all there is to ask in a row.
const MOST: usize = 64;
/// The most that they weigh, in bytes.
const ROOM: usize = 4 << 20;

/// The last answers of one kind, those that were asked for lately at the end.
pub(crate) struct Memo<A> {
    weigh: fn(&A) -> usize,
    kept: Mutex<Vec<Kept<A>>>,
}

struct Kept<A> {
    question: [u8; 32],
    answer: Arc<A>,
    weight: usize,
}

impl<A> Memo<A> {
    /// `weigh` tells about how many bytes an answer takes.
    pub(crate) const fn new(weigh: fn(&A) -> usize) -> Self {
        Self {
            weigh,
            kept: Mutex::new(Vec::new()),
        }
    }

    /// The answer to a question: the kept one, or that of `think`, which depends on nothing but the question. What fails
    /// is tried again the next time.
    pub(crate) fn answer<E>(
        &self,
        question: &[&[u8]],
        think: impl FnOnce() -> Result<A, E>,
    ) -> Result<Arc<A>, E> {
        let question = digest(question);
        if let Some(kept) = self.find(question) {
            return Ok(kept);
        }
        // Two who ask at once both think: nobody waits for another's question.
        let answer = Arc::new(think()?);
        self.keep(question, answer.clone());
        Ok(answer)
    }

    /// Drops all answers. Nothing else would: what is static outlives the program's end.
    pub(crate) fn forget(&self) {
        self.kept().clear();
    }

    fn find(&self, question: [u8; 32]) -> Option<Arc<A>> {
        let mut kept = self.kept();
        let at = kept.iter().position(|one| one.question == question)?;
        kept[at..].rotate_left(1);
        kept.last().map(|last| last.answer.clone())
    }

    fn keep(&self, question: [u8; 32], answer: Arc<A>) {
        let weight = (self.weigh)(&answer);
        let mut kept = self.kept();
        kept.retain(|one| one.question != question);
        kept.push(Kept {
            question,
            answer,
            weight,
        });
        while kept.len() > MOST || kept.iter().map(|one| one.weight).sum::<usize>() > ROOM {
            kept.remove(0);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept<A>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SHA-256 of all parts, each behind its length.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    /// Answers with the question's first part, and counts how often it had to think.
    fn ask(memo: &Memo<Vec<u8>>, thought: &Cell<usize>, question: &[&[u8]]) -> Arc<Vec<u8>> {
        let think = || {
            thought.set(thought.get() + 1);
            Ok::<_, Infallible>(question[0].to_vec())
        };
        memo.answer(question, think).unwrap()
    }

    #[test]
    fn one_question_is_thought_about_once_and_every_other_by_itself() {
        let (memo, thought) = (Memo::new(Vec::len), Cell::new(0));
        let questions: [&[&[u8]]; 5] = [
            &[b"ab"],
            &[b"a", b"b"],
            &[b"ab", b""],
            &[b"b", b"a"],
            &[b""],
        ];
        for round in 0..3 {
            for question in questions {
                assert_eq!(*ask(&memo, &thought, question), question[0], "{round}");
            }
            assert_eq!(thought.get(), questions.len());
        }
    }

    #[test]
    fn what_fails_is_tried_again() {
        let memo = Memo::new(Vec::len);
        assert_eq!(memo.answer(&[b"a"], || Err("not now")), Err("not now"));
        let answer = memo.answer(&[b"a"], || Ok::<_, &str>(vec![1]));
        assert_eq!(*answer.unwrap(), [1]);
    }

    #[test]
    fn the_answer_that_nobody_asked_for_longest_goes_and_is_dropped() {
        let (memo, thought) = (Memo::new(Vec::len), Cell::new(0));
        let numbers: Vec<_> = (0..=MOST).map(usize::to_be_bytes).collect();
        let first = Arc::downgrade(&ask(&memo, &thought, &[&numbers[0]]));
        let second = Arc::downgrade(&ask(&memo, &thought, &[&numbers[1]]));
        for number in &numbers[2..] {
            ask(&memo, &thought, &[&numbers[0]]);
            ask(&memo, &thought, &[number]);
        }
        assert_eq!(memo.kept().len(), MOST);
        assert!(first.upgrade().is_some() && second.upgrade().is_none());
    }

    #[test]
    fn what_is_forgotten_is_dropped() {
        let (memo, thought) = (Memo::new(Vec::len), Cell::new(0));
        let answer = Arc::downgrade(&ask(&memo, &thought, &[b"a"]));
        assert!(answer.upgrade().is_some());
        memo.forget();
        assert!(answer.upgrade().is_none());
    }

    #[test]
    fn what_is_kept_weighs_no_more_than_there_is_room() {
        let (memo, thought) = (Memo::new(Vec::len), Cell::new(0));
        let heavy = vec![1; ROOM / 2];
        for last in 0..4 {
            ask(&memo, &thought, &[&heavy, &[last]]);
        }
        assert_eq!(memo.kept().len(), 2);
        let too_heavy = ask(&memo, &thought, &[&vec![1; ROOM + 1]]);
        assert_eq!((too_heavy.len(), memo.kept().len()), (ROOM + 1, 0));
    }
}
