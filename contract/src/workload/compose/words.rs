//! Splits a command that is written as one string into its words, as a POSIX shell would: quotes and backslashes, and
//! nothing else of a shell. Nothing is expanded and nothing is run.

/// The words of a command.
///
/// # Errors
/// What is wrong with it: a quote that is not closed, or a backslash at the end.
pub(super) fn split(command: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = command.chars();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => single_quoted(&mut rest, word.get_or_insert_default())?,
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '\\' => word
                .get_or_insert_default()
                .push(rest.next().ok_or("a backslash stands at the end")?),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

const OPEN: &str = "a quote is not closed";

fn single_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match rest.next().ok_or(OPEN)? {
            '\'' => return Ok(()),
            plain => word.push(plain),
        }
    }
}

fn double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match rest.next().ok_or(OPEN)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(OPEN)? {
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                plain => word.extend(['\\', plain]),
            },
            plain => word.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (command, words) in [
            ("", &[][..]),
            (
                "  nginx  -g\t'daemon off;' ",
                &["nginx", "-g", "daemon off;"],
            ),
            (
                r#"sh -c "echo \"$HOME\" \n""#,
                &["sh", "-c", r#"echo "$HOME" \n"#],
            ),
            (r"a\ b 'c'd''", &["a b", "cd"]),
            ("'' \"\"", &["", ""]),
        ] {
            assert_eq!(
                split(command),
                Ok(words.iter().map(ToString::to_string).collect()),
                "{command}"
            );
        }
    }

    #[test]
    fn what_is_left_open_is_refused() {
        for command in ["'a", "\"a", "\"a\\", "a\\"] {
            assert!(split(command).is_err(), "{command}");
        }
    }

    proptest! {
        #[test]
        fn quoted_words_come_back_whole(words in proptest::collection::vec("[^']{0,12}", 0..6)) {
            let command: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(split(&command.join(" ")), Ok(words));
        }
    }
}
