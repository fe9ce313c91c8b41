//! Facility and severity: the two halves of PRI (RFC 5424 section 6.2.1).

use hpcr_contract::messages;

/// A syslog facility, 0 to 23 (RFC 5424 table 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility(pub(super) u8);

impl Facility {
    /// Messages of the kernel.
    pub const KERNEL: Self = Self(0);
    /// Messages of workloads.
    pub const USER: Self = Self(1);
    /// Messages of the appliance itself.
    pub const DAEMON: Self = Self(3);

    /// The facility of a number, where there is one.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 24 {
            Some(Self(number))
        } else {
            None
        }
    }
}

/// A syslog severity (RFC 5424 table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The system is unusable.
    Emergency,
    /// Action must be taken at once.
    Alert,
    /// Critical conditions.
    Critical,
    /// Errors.
    Error,
    /// Warnings.
    Warning,
    /// Normal but significant.
    Notice,
    /// Informational.
    Informational,
    /// Debugging.
    Debug,
}

impl Severity {
    /// The severity in the low three bits of a priority.
    pub const fn of_priority(priority: u8) -> Self {
        match priority & 7 {
            0 => Self::Emergency,
            1 => Self::Alert,
            2 => Self::Critical,
            3 => Self::Error,
            4 => Self::Warning,
            5 => Self::Notice,
            6 => Self::Informational,
            _ => Self::Debug,
        }
    }
}

impl From<messages::Severity> for Severity {
    fn from(severity: messages::Severity) -> Self {
        match severity {
            messages::Severity::Info => Self::Informational,
            messages::Severity::Warning => Self::Warning,
            messages::Severity::Error => Self::Error,
        }
    }
}
