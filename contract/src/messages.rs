//! The catalogue of message codes: what an operator sees on the console, searches for, and reads in the book.
//!
//! Codes keep the published HPCR meaning (component, number, severity). This module never decides when a message is
//! due, and a text here never carries a value of a contract.

use std::fmt;

/// How bad it is: the last letter of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// `I`: something happened as it should.
    Info,
    /// `W`: it goes on, but someone should look.
    Warning,
    /// `E`: the appliance stops.
    Error,
}

/// A message code such as `HPL11001E`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    component: u8,
    number: u16,
    severity: Severity,
}

impl Code {
    /// The severity that the last letter names.
    pub const fn severity(self) -> Severity {
        self.severity
    }

    /// The catalogue's entry for this code, where it has one.
    pub fn entry(self) -> Option<&'static Entry> {
        CATALOGUE.iter().find(|entry| entry.code == self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.severity {
            Severity::Info => 'I',
            Severity::Warning => 'W',
            Severity::Error => 'E',
        };
        write!(f, "HPL{:02}{:03}{letter}", self.component, self.number)
    }
}

/// One row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Its name, as the constant of this module is called.
    pub name: &'static str,
    /// What it tells, in a few words: the first words of the console line.
    pub text: &'static str,
}

macro_rules! catalogue {
    ($($name:ident = $component:literal $number:literal $severity:ident $text:literal;)+) => {
        $(#[doc = $text]
        pub const $name: Code = Code { component: $component, number: $number, severity: Severity::$severity };)+

        /// Every code of this appliance, in the order of the codes.
        pub const CATALOGUE: &[Entry] = &[$(Entry { code: $name, name: stringify!($name), text: $text }),+];
    };
}

catalogue! {
    LOGGING_READY = 1 10 Info "logging has been set up";
    LOGGING_NONE = 1 2 Warning "no collector for the lines of the guest is named";
    CERTIFICATE_ENDS = 1 100 Warning "a certificate of the contract does not last";
    LOGGING_MISSING_PEM = 1 5 Error "logging: a PEM block is missing";
    LOGGING_UNKNOWN_KEY_TYPE = 1 6 Error "logging: the client key is of an unknown type";
    LOGGING_MISSING_SERVER_CERTIFICATE = 1 7 Error "logging: the server certificate authority is missing";
    LOGGING_MISSING_CLIENT_CERTIFICATE = 1 8 Error "logging: the client certificate is missing";
    LOGGING_MISSING_PRIVATE_KEY = 1 9 Error "logging: the client key is missing";
    LOGGING_SYSLOG_FAILED = 1 11 Error "logging: the syslog collector cannot be used";
    LUKS_FORMAT_FAILED = 2 2 Error "the volume could not be encrypted";
    LUKS_OPEN_FAILED = 2 3 Error "the encrypted volume could not be opened";
    CREATE_FS_FAILED = 2 5 Error "the file system could not be created";
    MOUNT_DEVICE_FAILED = 2 7 Error "the volume could not be mounted";
    DISK_UNEXPECTED = 2 120 Error "unexpected error of the disk encryption";
    DISK_INVALID_INPUT = 2 121 Error "the volume is not in a form that can be used";
    DISK_NOT_FOUND = 2 122 Error "a disk was not found";
    LUKS_PASSWORD_CHANGE_FAILED = 2 125 Error "the key of the volume could not be changed";
    ENCRYPTION_SUCCESS = 2 1 Info "the volume is encrypted";
    HEADER_UNPROVEN = 2 3 Warning "the volume's header has no record that proves it";
    MOUNT_SUCCESS = 2 2 Info "the volume is mounted";
    SCHEMA_PARSE_CONTRACT = 5 0 Error "the contract could not be parsed";
    SCHEMA_VALIDATE_CONTRACT = 5 1 Error "the contract does not follow its schema";
    UNKNOWN_KEY = 5 100 Warning "the contract has a key that means nothing here";
    PLAIN_SECRETS = 5 101 Warning "secrets of the contract stand in the clear";
    PLACEHOLDER = 5 102 Warning "a placeholder of a template is still there";
    IMAGE_FETCH_FAILED = 6 4 Error "an image could not be fetched";
    IMAGE_DECOMPRESS_COMPOSE = 6 6 Error "the compose archive could not be unpacked";
    IMAGE_NO_COMPOSE = 6 8 Error "the compose archive holds no docker-compose.yaml";
    IMAGE_PARSE_COMPOSE = 6 9 Error "the compose file could not be understood";
    IMAGE_MISMATCH = 6 10 Error "an image cannot be verified";
    PARTITIONS_FAILED = 7 3 Error "the partitions could not be created";
    PARTITION_COUNT = 7 6 Error "the disk has an unsupported number of partitions";
    META_PARTITION_WRITE = 7 7 Error "the metadata partition could not be written";
    VOLUME_NAMES = 7 15 Error "the volumes of env and workload do not match";
    WEAK_SEED = 7 100 Warning "a seed of a volume can be guessed";
    VOLUME_IDLE = 7 101 Warning "no container mounts the volume";
    VOLUMES_MOUNTED = 7 3 Info "all volumes are mounted";
    VOLUMES_ENCRYPTED = 7 5 Info "all volumes are encrypted";
    WORKLOAD_ADVICE = 8 100 Warning "the workload is worth a look";
    DATA_LOST = 8 101 Warning "data would be lost at power-off";
    CONTAINER_FAILED = 8 4 Error "a container could not be run";
    SERVICE_FAILED = 10 0 Error "the appliance shuts down";
    SERVICE_SUCCESS = 10 1 Info "all services started successfully";
    INTERNAL_ERROR = 11 0 Error "internal error";
    INVALID_CONTRACT = 11 1 Error "the contract is invalid";
    WEAK_TOKEN = 11 100 Warning "a token is weaker than it looks";
    NOT_OPENED = 11 101 Info "a sealed part of the contract was not looked into";
    ENCRYPT_ATTESTATION = 11 2 Error "the attestation record could not be made or verified";
    INSUFFICIENT_MEMORY = 11 3 Error "the guest has too little memory";
    BOOTLOADER_END = 11 99 Info "the contract has been opened and attested";
    SIGNATURE_INVALID = 12 1 Error "the signature of the contract is not valid";
    CONSENT_REFUSED = 12 100 Error "workload and env do not agree to each other";
    CONTRACT_WILL_EXPIRE = 12 6 Error "the contract will expire";
    CONTRACT_EXPIRED = 12 7 Error "the contract has expired";
    CERTIFICATE_INVALID = 12 101 Error "a certificate cannot be trusted or used";
    CONTRACT_VALID = 12 5 Error "the contract is valid";
    NETWORK_READY = 14 0 Info "the network is ready";
    NETWORK_FAILED = 14 1 Error "the network could not be set up";
    NETWORK_TIMEOUT = 14 2 Error "the network was not ready in time";
    PODS_FAILED = 15 2 Error "the Pods could not be understood";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_print_as_published() {
        assert_eq!(INVALID_CONTRACT.to_string(), "HPL11001E");
        assert_eq!(BOOTLOADER_END.to_string(), "HPL11099I");
        assert_eq!(DISK_UNEXPECTED.to_string(), "HPL02120E");
        assert_eq!(SERVICE_SUCCESS.to_string(), "HPL10001I");
    }

    #[test]
    fn no_code_stands_twice() {
        let codes: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), CATALOGUE.len());
    }
}
