//! Everything that can go wrong while an image is made, checked or run, with its place, its cause and its remedy.
//!
//! These are told to the person at the terminal. They carry no HPL code: those belong to the guest's console.

use std::io;
use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of the host could not be used.
    #[error("{}: cannot {action}: {source}; check the path and its permissions", path.display())]
    Io {
        /// What was tried, in a few words (`read`, `create the folder`).
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program of the host could not be started.
    #[error("{program} cannot be started: {source}; install the package `{package}`")]
    Start {
        /// The program.
        program: &'static str,
        /// The Debian package that brings it.
        package: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A program of the host failed.
    #[error("{program} failed while {purpose}: {message}")]
    Program {
        /// The program.
        program: &'static str,
        /// What it was to do.
        purpose: String,
        /// The last lines that it said.
        message: String,
    },
    /// A program of the host answered with something else than was agreed.
    #[error(
        "{program} gave an answer that is not understood: `{answer}`; use the one that Debian packages"
    )]
    Answer {
        /// The program.
        program: &'static str,
        /// The line in question.
        answer: String,
    },
    /// The machine's package sources name no Debian archive.
    #[error(
        "no Debian archive among the machine's package sources in /etc/apt; add one (component `main`), which is \
         used for the image only"
    )]
    NoDebianSources,
    /// A source answered with a release of someone else.
    #[error("{}: this package source is not Debian's (its Release file has no `Origin: Debian`); remove it", path.display())]
    NotDebian {
        /// The Release file that says so.
        path: PathBuf,
    },
    /// A name that cannot be a Debian package or suite.
    #[error(
        "`{name}` cannot be the name of a Debian package or suite; write it as Debian does, such as trixie"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A downloaded package is not the one that the signed index names.
    #[error("{}: SHA-256 is not {expected}, as the signed package index has it; remove the file and build again", path.display())]
    PackageDigest {
        /// The package file.
        path: PathBuf,
        /// Lower-case hexadecimal SHA-256 of the index.
        expected: String,
    },
    /// The packages are not those of the lock file.
    #[error(
        "{}: the packages differ from the lock file: {}; fetch again with --refresh, or build without --locked to write a new lock file",
        path.display(),
        differences.join("; ")
    )]
    LockDiffers {
        /// The lock file.
        path: PathBuf,
        /// One sentence for each package that differs.
        differences: Vec<String>,
    },
    /// A line of a lock file is not `NAME VERSION SHA256`.
    #[error("{}:{line}: expected `NAME VERSION SHA256`; remove the file and build again", path.display())]
    LockSyntax {
        /// The lock file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// Development keys that cannot be used together.
    #[error(
        "{}: {cause}; put it back as it was, or make a new set with --new-keys (contracts sealed for the old one then no longer open)",
        path.display()
    )]
    KeySet {
        /// The file in question.
        path: PathBuf,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A chosen file is in none of the packages.
    #[error(
        "{path} is in none of the chosen packages; see whether a package of this suite has moved it, and change the table in image/src/userland.rs"
    )]
    NotPackaged {
        /// Path in the guest.
        path: String,
    },
    /// A shared library is in none of the packages.
    #[error(
        "{needed_by} needs {soname}, which is in none of the chosen packages; add its package to the table in image/src/userland.rs"
    )]
    LibraryMissing {
        /// The library's DT_NEEDED name.
        soname: String,
        /// Who needs it, as a path in the guest.
        needed_by: String,
    },
    /// A program, library or kernel module is not the ELF file that it should be.
    #[error("{path}: not a usable ELF file: {source}; fetch the packages again with --refresh")]
    Elf {
        /// Path in the guest.
        path: String,
        /// The reader's reason.
        source: object::Error,
    },
    /// A kernel module is neither in the package nor built into the kernel.
    #[error(
        "kernel module {name} is neither in {release} nor built into it; see the table in image/src/modules.rs"
    )]
    ModuleMissing {
        /// The module.
        name: String,
        /// The kernel release.
        release: String,
    },
    /// Kernel modules that need each other in a circle.
    #[error(
        "kernel module {name} needs itself, through others; fetch the packages again with --refresh"
    )]
    ModuleCycle {
        /// One module of the circle.
        name: String,
    },
    /// OpenSSL refused.
    #[error("development keys: {source}; with --new-keys they are made afresh")]
    Keys {
        /// OpenSSL's reason.
        #[from]
        source: openssl::error::ErrorStack,
    },
    /// A production image was asked for where nothing would protect its key.
    #[error(
        "a production image is not built here: its contract key would lie readable in the initramfs, and only a Secure \
         Execution image, which this version does not make, hides it from the host; use --development"
    )]
    ProductionNeedsSecureExecution,
    /// `SOURCE_DATE_EPOCH` is not a number.
    #[error(
        "SOURCE_DATE_EPOCH in the environment is not a whole number of seconds; correct or unset it"
    )]
    SourceDateEpoch,
    /// The image's description is damaged.
    #[error("{}: {source}; build the image again", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The reader's reason.
        source: serde_json::Error,
    },
    /// Parts of the image are not those that were built.
    #[error("{}: not the image that was built: {}; build it again", path.display(), differences.join("; "))]
    PartsDiffer {
        /// The image folder.
        path: PathBuf,
        /// One sentence for each part.
        differences: Vec<String>,
    },
    /// QEMU's control socket answered with an error, or not at all.
    #[error("QEMU's control socket: {message}; the console tells whether the guest still runs")]
    Qmp {
        /// What happened.
        message: String,
    },
    /// A deployment that could not run.
    #[error("{option}: {cause}; {remedy}")]
    Deployment {
        /// The option that asks for it.
        option: &'static str,
        /// Why not.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The contract's library refused.
    #[error(transparent)]
    Contract(#[from] hpcr_contract::error::ContractError),
}
