//! Text that may be secret and grows without leaving copies of itself behind.

use zeroize::Zeroizing;

/// Adds to a text.
pub(super) fn push(output: &mut Zeroizing<String>, text: &str) {
    make_room(output, text.len());
    output.push_str(text);
}

/// Makes room for more bytes: in a new buffer where the old one is full, because growing in place would leave a copy.
pub(super) fn make_room(output: &mut Zeroizing<String>, bytes: usize) {
    if output.capacity() - output.len() < bytes {
        let mut larger = String::with_capacity((output.len() + bytes).saturating_mul(2));
        larger.push_str(output);
        *output = Zeroizing::new(larger);
    }
}
