//! Everything around a guest: name server, registry with the workload image, collector, and a contract that fits them.

use std::path::{Path, PathBuf};

use crate::{
    Result, collector::Collector, contract::Draft, daemon::Daemon, dns, oci::Image, recipe,
    registry::Registry,
};

/// The image's repository in the registry.
const REPOSITORY: &str = "demo/web";

/// What the guest meets on its network.
pub struct World {
    /// The collector.
    pub collector: Collector,
    /// The registry, holding `image`.
    pub registry: Registry,
    /// The workload image.
    pub image: Image,
    scratch: PathBuf,
    _dns: Daemon,
}

impl World {
    /// Starts it all in `scratch`, inside of a namespace.
    ///
    /// # Errors
    /// Where a part does not start.
    pub fn start(scratch: &Path, image: Image) -> Result<Self> {
        let dns = dns::start(scratch)?;
        let collector = Collector::start(scratch)?;
        let registry = Registry::start(scratch)?;
        registry.push(&image, REPOSITORY)?;
        recipe::signing_key(&scratch.join("signing.key"))?;
        Ok(Self {
            collector,
            registry,
            image,
            scratch: scratch.into(),
            _dns: dns,
        })
    }

    /// Where its files lie, and a test's may.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// A contract draft that holds in this world.
    pub fn draft(&self) -> Draft {
        Draft {
            image: format!(
                "{}/{REPOSITORY}@{}",
                Registry::host(),
                self.image.manifest.digest
            ),
            registry_password: self.registry.password().into(),
            registry_authority: self.registry.authority().into(),
            collector_authority: self.collector.authority().into(),
            client: self.collector.client().clone(),
            workload_seed: "the-workload-providers-seed".into(),
            env_seed: "the-deployers-own-seed".into(),
            greeting: "Good morning from the appliance".into(),
            command: None,
            further: "",
            play: None,
            signing_key: self.scratch.join("signing.key"),
        }
    }
}
