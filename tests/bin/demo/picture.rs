//! A recorded boot as a picture: an SVG in which every console line appears at the moment it came. Programs that do not
//! animate show all lines at once. It never shows what was not on the console.

use std::fmt::Write as _;
use std::time::Duration;

use rig::console::Line;

const WIDTH: usize = 108;
const ROW: usize = 17;
const TOP: usize = 44;
const LEFT: usize = 16;

/// The console, and under it the answer of the workload's page with the moment it came.
pub(crate) fn of(console: &[Line], page: &str, answered: Duration) -> String {
    let asked = Line {
        at: answered,
        text: format!("$ curl http://guest:8080/    # answered after {answered:.1?}"),
    };
    let blank = Line {
        at: answered,
        text: String::new(),
    };
    let answer = page.lines().map(|text| Line {
        at: answered,
        text: text.to_owned(),
    });
    let rows: Vec<Line> = console
        .iter()
        .filter(|line| line.at <= answered)
        .cloned()
        .chain([blank, asked])
        .chain(answer)
        .collect();
    let (width, height) = (WIDTH * 8 + 2 * LEFT, TOP + rows.len() * ROW + ROW);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"ui-monospace, monospace\" font-size=\"13\">\n\
         <title>A boot of the appliance, as its console told it</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#10151c\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" fill=\"#7d8a99\">the guest's console; lines come as they came</text>\n"
    );
    for (number, line) in rows.iter().enumerate() {
        let hidden = line.at.as_secs_f64();
        let _ = writeln!(
            picture,
            "<text x=\"{LEFT}\" y=\"{}\" fill=\"{}\" xml:space=\"preserve\">{}<set attributeName=\"opacity\" to=\"0\" \
             begin=\"0s\" dur=\"{hidden:.2}s\"/></text>",
            TOP + number * ROW,
            colour(&line.text),
            escaped(&line.text),
        );
    }
    picture + "</svg>\n"
}

/// Phases stand back, messages stand out.
fn colour(text: &str) -> &'static str {
    match text {
        _ if text.starts_with("HPL") => "#f2c94c",
        _ if text.starts_with("$ ") => "#6fcf97",
        _ if text.contains(": phase ") => "#9fb3c8",
        _ => "#e6edf3",
    }
}

/// As far as it fits, with what XML needs.
fn escaped(text: &str) -> String {
    let mut shown: String = text.chars().take(WIDTH).collect();
    if shown.len() < text.len() {
        shown.pop();
        shown.push('…');
    }
    shown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_up_to_the_answer_is_shown_at_its_moment_and_as_text() {
        let line = |seconds, text: &str| Line {
            at: Duration::from_secs(seconds),
            text: text.into(),
        };
        let console = [
            line(1, "a <b> & c"),
            line(3, "HPL10001I: up"),
            line(9, "later"),
        ];
        let picture = of(&console, "visits: 1\n", Duration::from_secs(4));
        assert!(picture.contains("a &lt;b&gt; &amp; c<set attributeName=\"opacity\" to=\"0\" begin=\"0s\" dur=\"1.00s\"/>"));
        assert!(picture.contains(
            ">visits: 1<set attributeName=\"opacity\" to=\"0\" begin=\"0s\" dur=\"4.00s\"/>"
        ));
        assert!(!picture.contains("later"));
        assert!(!of(&[line(0, &"x".repeat(500))], "", Duration::ZERO).contains(&"x".repeat(WIDTH)));
    }
}
