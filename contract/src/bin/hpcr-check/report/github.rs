//! Findings as workflow commands of GitHub: annotations of the file.
//!
//! A line that begins with `::` is a command: no text of a contract may begin a line of its own or end a property.

use hpcr_contract::finding::Finding;

use super::{Report, Severity, outermost};

/// One command a finding.
pub(super) fn report(report: &Report) -> String {
    report.told().map(|found| command(report, found)).collect()
}

fn command(report: &Report, (severity, finding): (Severity, &Finding)) -> String {
    let (place, message) = outermost(report, finding);
    let mut properties = Vec::new();
    if !place.file.is_empty() {
        properties.push(format!("file={}", property(&place.file)));
    }
    properties.extend(place.line.map(|line| format!("line={line}")));
    properties.extend(place.column.map(|column| format!("col={column}")));
    properties.push(format!("title={}", finding.code));
    let command = match severity {
        Severity::Note => "notice",
        severity => severity.name(),
    };
    format!("::{command} {}::{}\n", properties.join(","), data(&message))
}

/// The three escapes of a message; other controls are replaced, as they could reach a terminal.
fn data(text: &str) -> String {
    let text = text
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    crate::output::plain(&text)
}

/// The five escapes of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_property_or_its_line() {
        assert_eq!(
            property("a,b:c%\r\n::x\u{1b}"),
            "a%2Cb%3Ac%25%0D%0A%3A%3Ax\u{fffd}"
        );
    }
}
