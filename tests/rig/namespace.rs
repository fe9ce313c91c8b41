//! A world of its own for every rig: user, network, mount and process namespaces, with the loopback as the only network.
//!
//! The current program starts itself again inside. There, 127.0.0.1 is what a guest sees as 10.0.2.2, `/etc/resolv.conf`
//! names the rig's own name server, and [`SCRATCH`] is a fresh file system in memory. All of it, processes and files, goes
//! with the namespace when the program ends, however it ends. Nothing of the host is changed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode, ExitStatus, Stdio},
};

use rustix::mount::{MountFlags, mount, mount_bind};

use crate::{Error, Result, accelerator, command};

/// The rig's own folder, in memory: every host has this mount point, and nobody keeps a checkout below it.
pub const SCRATCH: &str = "/dev/shm";

/// Set for the program inside.
const MARK: &str = "HPCR_RIG_INSIDE";

/// Upper bound of [`SCRATCH`]: disks there are sparse.
const SCRATCH_SIZE: &std::ffi::CStr = c"size=4g,mode=1777";

/// Runs the rest of a program inside. `prepare` runs outside first: it may still use the network, to fetch packages.
///
/// # Errors
/// Where `prepare` fails or no namespace can be made; the inner program's failures are its exit status.
pub fn run(
    prepare: impl FnOnce() -> Result<()>,
    inside: impl FnOnce() -> ExitCode,
) -> Result<ExitCode> {
    if is_inside() {
        furnish()?;
        return Ok(inside());
    }
    prepare()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let status = again(&arguments)?
        .status()
        .map_err(Error::io("starting inside the namespace"))?;
    Ok(exit_code(status))
}

/// Runs a `#[test]`'s body inside. The test program starts itself again for this one test, whose name is the body's.
///
/// # Panics
/// Where the body fails, with all that it wrote.
pub fn isolated<F: FnOnce() -> Result<()>>(body: F) {
    isolated_as(test_name::<F>(), || Ok(()), body);
}

/// As [`isolated`], for a test whose name the caller found; `prepare` runs outside first and holds what it gives until
/// the end.
///
/// # Panics
/// Where `prepare` or the body fails, with all that it wrote.
#[allow(clippy::panic, reason = "a test fails by panicking")]
pub fn isolated_as<T>(
    test: &str,
    prepare: impl FnOnce() -> Result<T>,
    body: impl FnOnce() -> Result<()>,
) {
    let result = if is_inside() {
        furnish().and_then(|()| body())
    } else {
        prepare().and_then(|_held| isolated_outside(test))
    };
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn isolated_outside(test: &str) -> Result<()> {
    let arguments = [
        "--exact",
        test,
        "--nocapture",
        "--include-ignored",
        "--test-threads=1",
    ]
    .map(String::from);
    let output = again(&arguments)?
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("starting inside the namespace"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    // A test that was not found would pass, having done nothing.
    if output.status.success() && said.contains("test result: ok. 1 passed") {
        return Ok(());
    }
    // Only what the body said: the inner test program's own counts would be taken for the outer one's.
    let output = format!("\n{}", String::from_utf8_lossy(&output.stderr));
    Err(Error::Failed {
        program: test.into(),
        status: "inside its namespace".into(),
        output,
    })
}

/// The name of the test whose body's type this is: `crate::module::test::{{closure}}` is that of `module::test`.
pub fn test_name<F: ?Sized>() -> &'static str {
    let name = std::any::type_name::<F>();
    let name = name.split_once("::").map_or(name, |(_, path)| path);
    name.trim_end_matches("::{{closure}}")
}

/// Inside means marked and the first process: the mark alone could come from anywhere.
fn is_inside() -> bool {
    env::var_os(MARK).is_some() && process::id() == 1
}

/// The command that starts this program again, inside, to die with this thread.
fn again(arguments: &[String]) -> Result<Command> {
    let program = env::current_exe().map_err(Error::io("finding this program"))?;
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--", "unshare"])
        .args(user_namespace()?);
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    ]);
    command
        .arg(program)
        .args(arguments)
        .env(MARK, "1")
        .env("TMPDIR", SCRATCH)
        // Daemons lie where an ordinary user's path may not lead.
        .env(
            "PATH",
            env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin",
        );
    accelerator::pass_on(&mut command);
    Ok(command)
}

/// A user namespace where the host allows one, so that nothing of the rig has any right outside of it.
fn user_namespace() -> Result<&'static [&'static str]> {
    const OWN_USERS: &[&str] = &["--user", "--map-root-user"];
    let probe = |users: &[&str]| {
        command::run(
            Command::new("unshare")
                .args(users)
                .args(["--net", "--mount", "true"]),
            b"",
        )
    };
    match probe(OWN_USERS) {
        Ok(_) => Ok(OWN_USERS),
        Err(_) if rustix::process::geteuid().is_root() && probe(&[]).is_ok() => Ok(&[]),
        Err(error) => Err(Error::NoNamespace(error.to_string())),
    }
}

/// Makes the fresh namespace a place to live in.
fn furnish() -> Result<()> {
    command::run(Command::new("ip").args(["link", "set", "lo", "up"]), b"")?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", SCRATCH, "tmpfs", flags, SCRATCH_SIZE)
        .map_err(|e| Error::io("mounting the scratch folder")(e.into()))?;
    let resolv = Path::new(SCRATCH).join("resolv.conf");
    fs::write(&resolv, "nameserver 127.0.0.1\n").map_err(Error::io("writing resolv.conf"))?;
    mount_bind(&resolv, "/etc/resolv.conf")
        .map_err(|e| Error::io("replacing /etc/resolv.conf")(e.into()))
}

/// A new folder in the scratch space.
///
/// # Errors
/// Where it exists already.
pub fn folder(name: &str) -> Result<PathBuf> {
    let path = Path::new(SCRATCH).join(name);
    fs::create_dir(&path).map_err(Error::io(format!("creating {}", path.display())))?;
    Ok(path)
}

fn exit_code(status: ExitStatus) -> ExitCode {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{
        io::ErrorKind,
        net::{TcpListener, TcpStream, UdpSocket},
        thread,
        time::Duration,
    };

    use crate::wait;

    /// An argument that no other process of the machine has.
    const MARKED_SLEEP: &str = "86399.424242";

    #[test]
    fn no_packet_can_leave() {
        isolated(|| {
            let links: Vec<_> = fs::read_dir("/sys/class/net")
                .unwrap()
                .map(|link| link.unwrap().file_name())
                .collect();
            let devices = fs::read_to_string("/proc/net/dev").unwrap();
            assert_eq!(
                devices.lines().count(),
                3,
                "two lines of heading and the loopback: {devices} {links:?}"
            );
            assert!(devices.contains(" lo:"), "{devices}");
            assert_eq!(
                fs::read_to_string("/proc/net/route")
                    .unwrap()
                    .lines()
                    .count(),
                1,
                "a heading and no route"
            );
            // TEST-NET-1 (RFC 5737) stands for every other address.
            let refused = TcpStream::connect("192.0.2.1:443").unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::NetworkUnreachable);
            let refused = UdpSocket::bind("0.0.0.0:0")
                .unwrap()
                .connect("192.0.2.1:53")
                .unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::NetworkUnreachable);
            Ok(())
        });
    }

    /// Both take the same port, the same folder and the same file name, at the same time.
    fn takes_everything() {
        let _listener = TcpListener::bind("127.0.0.1:6514").unwrap();
        let mine = folder("only-one").unwrap();
        thread::sleep(Duration::from_millis(500));
        assert_eq!(fs::read_dir(mine).unwrap().count(), 0);
    }

    #[test]
    fn two_rigs_side_by_side_do_not_meet_1() {
        isolated(|| {
            takes_everything();
            Ok(())
        });
    }

    #[test]
    fn two_rigs_side_by_side_do_not_meet_2() {
        isolated(|| {
            takes_everything();
            Ok(())
        });
    }

    #[test]
    #[ignore = "runs for a day unless killed: the next test does that"]
    fn sleeps_for_a_day() {
        isolated(|| {
            folder("left-behind")?;
            command::run(Command::new("sleep").arg(MARKED_SLEEP), b"").map(drop)
        });
    }

    #[test]
    fn a_killed_rig_leaves_nothing_behind() {
        let arguments = ["--exact", "namespace::tests::sleeps_for_a_day", "--ignored"];
        let mut rig = Command::new(env::current_exe().unwrap())
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let running = |wanted: bool| {
            wait::until("the sleep", Duration::from_secs(20), || {
                Ok((sleeping() == wanted).then_some(()))
            })
        };
        running(true).unwrap();
        rig.kill().unwrap();
        rig.wait().unwrap();
        running(false).unwrap();
        assert!(!Path::new(SCRATCH).join("left-behind").exists());
    }

    fn sleeping() -> bool {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let command_line = |entry: fs::DirEntry| {
            fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default()
        };
        processes
            .map(command_line)
            .any(|line| line == format!("sleep\0{MARKED_SLEEP}\0"))
    }

    #[test]
    #[ignore = "fails: the next test looks at how"]
    fn fails_inside() {
        isolated(|| Err(Error::Broken("what the body said".into())));
    }

    #[test]
    fn a_failure_inside_is_a_failure_outside_with_its_words() {
        let error = isolated_outside("namespace::tests::fails_inside").unwrap_err();
        assert!(error.to_string().contains("what the body said"), "{error}");
    }

    #[test]
    fn a_test_that_is_not_there_does_not_pass() {
        assert!(isolated_outside("namespace::tests::no_such_test").is_err());
    }
}
