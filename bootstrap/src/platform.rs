//! Which trusted execution environment this is, decided from what the kernel shows of it.
//!
//! The kernel is measured and asks the processor, so what it shows is true inside of a real TEE; outside of one a host
//! can fake anything. So this decides what evidence is asked for, never whom to trust.

use std::fmt;
use std::path::Path;

/// A trusted execution environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tee {
    /// IBM Secure Execution.
    SecureExecution,
    /// AMD SEV-SNP.
    SevSnp,
    /// AMD SEV or SEV-ES, which cannot give evidence to a guest.
    Sev,
    /// Intel TDX.
    Tdx,
    /// IBM Protected Execution Facility.
    Pef,
    /// No TEE: the host can read everything.
    None,
}

impl Tee {
    /// Whether the hardware gives evidence of this guest.
    pub(crate) fn gives_evidence(self) -> bool {
        matches!(self, Self::SecureExecution | Self::SevSnp | Self::Tdx)
    }
}

impl fmt::Display for Tee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecureExecution => "IBM Secure Execution",
            Self::SevSnp => "AMD SEV-SNP",
            Self::Sev => "AMD SEV",
            Self::Tdx => "Intel TDX",
            Self::Pef => "IBM PEF",
            Self::None => "none",
        })
    }
}

/// What the kernel shows.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not depend on each other"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `/sys/firmware/uv/prot_virt_guest` holds 1.
    pub(crate) ultravisor_guest: bool,
    /// `/sys/devices/system/cpu/svm` holds 1.
    pub(crate) svm: bool,
    /// `/sys/devices/system/cpu/sev/vmpl` is there, as in an SNP guest only.
    pub(crate) snp_interface: bool,
    /// The processor's flags hold `tdx_guest`.
    pub(crate) tdx_flag: bool,
    /// The kernel log's line of active memory encryption (`AMD SEV SEV-ES`).
    pub(crate) memory_encryption: String,
}

impl Facts {
    /// Reads them below a root; what is not there is no.
    pub(crate) fn read(root: &Path, kernel_log: &str) -> Self {
        let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        let cpuinfo = text("proc/cpuinfo");
        let mut flags = cpuinfo
            .lines()
            .find(|line| line.starts_with("flags"))
            .unwrap_or_default()
            .split(' ');
        let active = kernel_log
            .lines()
            .find_map(|line| line.split_once("Memory Encryption Features active: "));
        Self {
            ultravisor_guest: text("sys/firmware/uv/prot_virt_guest").trim() == "1",
            svm: text("sys/devices/system/cpu/svm").trim() == "1",
            snp_interface: root.join("sys/devices/system/cpu/sev/vmpl").exists(),
            tdx_flag: flags.any(|flag| flag == "tdx_guest"),
            memory_encryption: active
                .map(|(_, features)| features.trim().to_owned())
                .unwrap_or_default(),
        }
    }
}

/// Decides. Pure.
pub(crate) fn detect(facts: &Facts) -> Tee {
    let encrypted = |feature: &str| {
        facts
            .memory_encryption
            .split(' ')
            .any(|word| word == feature)
    };
    if facts.ultravisor_guest {
        Tee::SecureExecution
    } else if facts.tdx_flag {
        Tee::Tdx
    } else if facts.snp_interface || encrypted("SEV-SNP") {
        Tee::SevSnp
    } else if encrypted("SEV") || encrypted("SEV-ES") {
        Tee::Sev
    } else if facts.svm {
        Tee::Pef
    } else {
        Tee::None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(files: &[(&str, &str)], log: &str) -> Tee {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        detect(&Facts::read(root.path(), log))
    }

    #[test]
    fn each_environment_is_known_by_what_the_kernel_shows() {
        type Case = (&'static [(&'static str, &'static str)], &'static str, Tee);
        let cases: &[Case] = &[
            (&[], "", Tee::None),
            (
                &[("proc/cpuinfo", "flags\t\t: fpu sev_es svm\n")],
                "",
                Tee::None,
            ),
            (
                &[("sys/firmware/uv/prot_virt_guest", "1\n")],
                "",
                Tee::SecureExecution,
            ),
            (&[("sys/firmware/uv/prot_virt_guest", "0\n")], "", Tee::None),
            (&[("sys/devices/system/cpu/svm", "1\n")], "", Tee::Pef),
            (
                &[("sys/devices/system/cpu/sev/vmpl", "0\n")],
                "",
                Tee::SevSnp,
            ),
            (
                &[("proc/cpuinfo", "flags\t\t: fpu tdx_guest sse\n")],
                "",
                Tee::Tdx,
            ),
            (
                &[],
                "x\nMemory Encryption Features active: AMD SEV SEV-ES SEV-SNP\n",
                Tee::SevSnp,
            ),
            (
                &[],
                "Memory Encryption Features active: AMD SEV SEV-ES",
                Tee::Sev,
            ),
            (&[], "Memory Encryption Features active: AMD SME", Tee::None),
        ];
        for (files, log, tee) in cases {
            assert_eq!(read(files, log), *tee, "{files:?} {log}");
        }
    }

    #[test]
    fn plain_sev_and_pef_give_no_evidence() {
        assert!(
            Tee::SevSnp.gives_evidence()
                && Tee::Tdx.gives_evidence()
                && Tee::SecureExecution.gives_evidence()
        );
        assert!(
            !Tee::Sev.gives_evidence() && !Tee::Pef.gives_evidence() && !Tee::None.gives_evidence()
        );
    }
}
