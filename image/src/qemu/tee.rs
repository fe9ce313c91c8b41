//! What keeps the host out of a guest's memory, and what QEMU, libvirt and KubeVirt each call it.
//!
//! A table of facts. Whether a host has the hardware is not looked at here: whoever starts the guest finds out.

use clap::ValueEnum;

/// A trusted execution environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tee {
    /// None: the host can read everything. For development.
    None,
    /// IBM Secure Execution for Linux, on s390x. The kernel is a Secure Execution image.
    Se,
    /// AMD SEV-SNP, with the kernel's digests in the launch measurement.
    Snp,
    /// AMD SEV without nested paging: memory is encrypted and there is no evidence that this appliance can use.
    Sev,
    /// Intel TDX.
    Tdx,
}

impl Tee {
    /// The one that the command line calls so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    /// QEMU's name of the processor.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Se => "s390x",
            _ => "x86_64",
        }
    }

    /// QEMU's name of the machine type.
    pub fn machine(self) -> &'static str {
        match self {
            Self::Se => "s390-ccw-virtio",
            _ => "q35",
        }
    }

    /// Whether the guest starts in a firmware image, which is then measured.
    pub fn needs_firmware(self) -> bool {
        matches!(self, Self::Snp | Self::Sev | Self::Tdx)
    }

    /// Whether devices must go through memory that the guest shares on purpose.
    pub fn is_confidential(self) -> bool {
        self != Self::None
    }

    /// The guest's launch policy: no debugging; for SEV, no key shared with another guest; for SEV-SNP, the bit that is
    /// always set and simultaneous multithreading.
    pub(crate) fn policy(self) -> Option<u32> {
        match self {
            Self::None | Self::Se => None,
            Self::Sev => Some(0x3),
            Self::Snp => Some(0x3_0000),
            // Page faults of the guest's own pages are not turned into exceptions, which Linux asks for.
            Self::Tdx => Some(0x1000_0000),
        }
    }
}
