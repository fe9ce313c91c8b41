//! What all phases share: the console, the kernel, and what has to be ended before the power goes off.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hpcr_contract::image_config::ImageKind;
use tokio::sync::mpsc;

use crate::acts::Acts;
use crate::console::{self, Console};
use crate::ends::Ends;
use crate::power::Ending;

/// The guest.
pub(crate) struct Guest {
    pub(crate) console: Console,
    pub(crate) acts: Box<dyn Acts>,
    /// What the phases have set up, to be taken down in reverse order.
    pub(crate) ends: Ends,
    /// Where guards, signals and panics ask for the end.
    pub(crate) ask: mpsc::UnboundedSender<Ending>,
    root: PathBuf,
    kind: OnceLock<ImageKind>,
    is_ending: AtomicBool,
    /// Milliseconds since the kernel's start at which the main thread powers off by itself; 0 is never.
    deadline: AtomicU64,
}

impl Guest {
    /// A guest whose file system starts at `root`, and the way to what it is asked.
    pub(crate) fn new(
        console: Console,
        acts: impl Acts + 'static,
        root: impl Into<PathBuf>,
    ) -> (Self, mpsc::UnboundedReceiver<Ending>) {
        let (ask, asked) = mpsc::unbounded_channel();
        let guest = Self {
            console,
            acts: Box::new(acts),
            ends: Ends::default(),
            ask,
            root: root.into(),
            kind: OnceLock::new(),
            is_ending: AtomicBool::new(false),
            deadline: AtomicU64::new(0),
        };
        (guest, asked)
    }

    /// A path of the guest.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// What kind of image this is; until that is known, the kind that tells less.
    pub(crate) fn kind(&self) -> ImageKind {
        self.kind.get().copied().unwrap_or(ImageKind::Production)
    }

    /// Fixes the kind of the image, once.
    pub(crate) fn set_kind(&self, kind: ImageKind) {
        // A second call changes nothing: the image is of one kind.
        let _ = self.kind.set(kind);
    }

    /// Marks the end as begun; false where it has begun before.
    pub(crate) fn begin_end(&self) -> bool {
        !self.is_ending.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    /// Gives the tasks of the runtime until then; `None` is for ever.
    pub(crate) fn set_deadline(&self, limit: Option<Duration>) {
        let end = limit.map(|limit| console::uptime() + limit);
        let end = end.map_or(0, |end| u64::try_from(end.as_millis()).unwrap_or(u64::MAX));
        self.deadline.store(end, Ordering::SeqCst);
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_overdue(&self) -> bool {
        match self.deadline.load(Ordering::SeqCst) {
            0 => false,
            deadline => console::uptime().as_millis() > u128::from(deadline),
        }
    }
}
