//! What contracts of confidential containers for OpenShift travel in (specification 1.8): another runtime reads them, so
//! these are made and read back for authors, and never by the guest.

pub mod initdata;
pub mod sealed_secret;
