//! A kernel of its own for a test program: it starts itself again in a guest, under the image's kernel and beside the
//! image's tools, where control groups and networks are its own and nothing of the host is touched.

use std::{fs, path::Path, time::Duration};

use hpcr_image::initramfs::{Node, Tree};

use crate::{Error, Result, guest::Appliance, namespace, workload};

/// Set for the program inside.
const MARK: &str = "HPCR_RIG_GUEST";
/// How long the guest takes to its end without the program, on a busy machine.
const BOOT: Duration = Duration::from_mins(1);
/// The first process, which makes a root, and what goes on in that.
const SCRIPTS: [(&str, &str); 2] = [
    ("test-init", include_str!("../guest/init")),
    ("test-run", include_str!("../guest/run")),
];

/// Whether this program is the one inside.
pub fn is_here() -> bool {
    std::env::var_os(MARK).is_some()
}

/// The body of the `#[test]` named `caller`: runs the ignored tests of this program inside whose names hold `filter`, one
/// after the other, as they share everything.
///
/// # Panics
/// With the whole console, where one fails, none is found, or they take longer than `limit`.
pub fn run_tests(caller: &str, filter: &str, limit: Duration) {
    namespace::isolated_as(caller, crate::prepare, || run(filter, limit));
}

fn run(filter: &str, limit: Duration) -> Result<()> {
    let mut tree = Tree::default();
    for (path, script) in SCRIPTS {
        tree.insert(path, Node::File(0o755, script.into()));
    }
    let program = std::env::current_exe().map_err(Error::io("finding this program"))?;
    let program = fs::read(program).map_err(Error::io("reading this program"))?;
    tree.insert("test-program", Node::File(0o755, program));
    let busybox = workload::image()?.file("usr/bin/busybox")?;
    tree.insert("usr/bin/busybox", Node::File(0o755, busybox));
    let mut appliance = Appliance::new(Path::new(namespace::SCRATCH), None)?;
    appliance.first_process(
        &format!("/test-init -- --ignored --test-threads=1 {filter}"),
        &tree.to_cpio(0),
    )?;
    let guest = appliance.boot(|_| ())?;
    guest.wait_for_power_off(BOOT + limit)?;
    let console = guest.console.to_string();
    let well = |line: &str| line.contains("test result: ok.") && !line.contains(" 0 passed");
    if console.lines().any(well) {
        return Ok(());
    }
    Err(Error::Broken(format!("the tests in the guest:\n{console}")))
}
