//! Images by digest: every document and every layer fetched, hashed and only then kept; all of them at once.
//!
//! Which bytes an image has is decided by the contract's digest alone. What is done with a layer's bytes is told in
//! [`crate::layer`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use hpcr_contract::plan::ImageReference;
use tokio::sync::{Semaphore, mpsc};

use crate::acts::Acts;
use crate::error::{ContainerError, Part, RegistryFault};
use crate::image::{self, Document, Image, Manifest};
use crate::layer::{self, Chunks, Layer, Rejected};
use crate::limits;
use crate::registry::{Answer, Patience, Registries, Repository};
use crate::store::Store;
use crate::verify::Digest;

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Manifest and configuration of an image are verified.
    Resolved {
        /// Registry, repository and digest.
        image: String,
        /// Number of layers.
        layers: usize,
        /// Bytes to download, before layers that images share are counted once.
        bytes: u64,
    },
    /// A layer is verified and unpacked.
    Layer {
        /// Its diff-id, `sha256:...`.
        diff_id: String,
        /// Bytes downloaded.
        bytes: u64,
        /// From the request to the last check.
        took: Duration,
    },
}

/// What fetching needs.
pub(crate) struct Fetch<'a> {
    pub registries: &'a Registries,
    pub store: &'a Arc<Store>,
    pub acts: &'a Arc<dyn Acts>,
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Fetch<'_> {
    /// Fetches all of these images.
    pub(crate) async fn images(
        &self,
        references: &[&ImageReference],
    ) -> Result<BTreeMap<String, Image>, ContainerError> {
        let unique: BTreeMap<String, &ImageReference> =
            references.iter().map(|r| (r.to_string(), *r)).collect();
        let sources: Vec<_> = unique
            .iter()
            .map(|(name, reference)| Source {
                name,
                repository: self.registries.repository(reference),
                fetch: self,
            })
            .collect();
        let resolved = try_join_all(
            sources
                .iter()
                .zip(unique.values())
                .map(|(source, reference)| source.resolve(reference)),
        )
        .await?;

        let slots = Semaphore::new(limits::PARALLEL_LAYERS);
        let mut seen = BTreeSet::new();
        let layers = sources
            .iter()
            .zip(&resolved)
            .flat_map(|(source, (_, layers))| layers.iter().map(move |l| (source, *l)));
        let wanted: Vec<_> = layers
            .filter(|(_, layer)| seen.insert(layer.diff_id))
            .collect();
        try_join_all(wanted.into_iter().map(async |(source, layer)| {
            // The semaphore is never closed.
            let _slot = slots.acquire().await;
            source.layer(layer).await
        }))
        .await?;
        Ok(unique
            .into_keys()
            .zip(resolved.into_iter().map(|(image, _)| image))
            .collect())
    }
}

/// One image on its way.
struct Source<'a> {
    name: &'a str,
    repository: Repository<'a>,
    fetch: &'a Fetch<'a>,
}

impl Source<'_> {
    /// Manifest and configuration, verified: what the image is and what its layers are.
    async fn resolve(
        &self,
        reference: &ImageReference,
    ) -> Result<(Image, Vec<Layer>), ContainerError> {
        let digest = Digest::parse(&reference.digest).ok_or_else(|| {
            self.malformed(Part::Manifest, "the contract names it by no sha256 digest")
        })?;
        let manifest = self.manifest(digest).await?;
        let bytes = self
            .document(Part::Config, manifest.config.digest, manifest.config.size)
            .await?;
        let (configuration, diff_ids) = image::configuration(&bytes, manifest.layers.len())
            .map_err(|cause| self.malformed(Part::Config, cause))?;
        if !image::runs_here(&configuration, &image::architecture()) {
            return Err(self.platform());
        }
        (self.fetch.progress)(Progress::Resolved {
            image: self.name.to_owned(),
            layers: diff_ids.len(),
            bytes: manifest.layers.iter().map(|(blob, _)| blob.size).sum(),
        });
        let layers = manifest.layers.iter().zip(&diff_ids);
        let layers = layers
            .map(|(&(blob, compression), &diff_id)| Layer {
                blob,
                compression,
                diff_id,
            })
            .collect();
        Ok((
            Image {
                layers: diff_ids,
                settings: image::settings(&configuration),
            },
            layers,
        ))
    }

    /// The manifest behind a digest, through at most one index.
    async fn manifest(&self, digest: Digest) -> Result<Manifest, ContainerError> {
        let document = self.read_manifest(digest).await?;
        let digest = match document {
            Document::Image(manifest) => return Ok(manifest),
            Document::Index(entry) => entry.ok_or_else(|| self.platform())?,
        };
        match self.read_manifest(digest).await? {
            Document::Image(manifest) => Ok(manifest),
            Document::Index(_) => {
                Err(self.malformed(Part::Manifest, "an index leads to another index"))
            }
        }
    }

    async fn read_manifest(&self, digest: Digest) -> Result<Document, ContainerError> {
        let bytes = self
            .document(Part::Manifest, digest, limits::MANIFEST)
            .await?;
        image::document(&bytes, &image::architecture())
            .map_err(|cause| self.malformed(Part::Manifest, cause))
    }

    /// A small document whose digest has been checked.
    async fn document(
        &self,
        part: Part,
        digest: Digest,
        limit: u64,
    ) -> Result<Vec<u8>, ContainerError> {
        let mut patience = Patience::new();
        loop {
            match self.try_document(part, digest, limit, &mut patience).await {
                Ok(bytes) if Digest::of(&bytes) == digest => return Ok(bytes),
                Ok(_) => return Err(self.mismatch(part, digest)),
                Err(fault) => patience
                    .after(fault)
                    .await
                    .map_err(|fault| self.registry(fault))?,
            }
        }
    }

    async fn try_document(
        &self,
        part: Part,
        digest: Digest,
        limit: u64,
        patience: &mut Patience,
    ) -> Result<Vec<u8>, RegistryFault> {
        let mut answer = self.open(part, digest, patience).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            patience.progress();
            bytes.extend_from_slice(&chunk);
            // More than there may be cannot have the digest of what was pushed.
            if bytes.len() as u64 > limit {
                break;
            }
        }
        Ok(bytes)
    }

    async fn open(
        &self,
        part: Part,
        digest: Digest,
        patience: &mut Patience,
    ) -> Result<Answer, RegistryFault> {
        let asked = async {
            match part {
                Part::Manifest => self.repository.manifest(digest).await,
                Part::Config | Part::Layer | Part::UnpackedLayer => {
                    self.repository.blob(digest).await
                }
            }
        };
        let answer = tokio::time::timeout(patience.left(), asked).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(RegistryFault::Unreachable {
                cause: "it took too long".into(),
            })
        })?;
        patience.progress();
        Ok(answer)
    }

    /// A layer into the store, or nothing of it.
    async fn layer(&self, layer: Layer) -> Result<(), ContainerError> {
        if self.fetch.store.has_layer(layer.diff_id) {
            return Ok(());
        }
        let begun = std::time::Instant::now();
        let mut patience = Patience::new();
        loop {
            match self.try_layer(layer, &mut patience).await? {
                Ok(()) => break,
                Err(fault) => patience
                    .after(fault)
                    .await
                    .map_err(|fault| self.registry(fault))?,
            }
        }
        let Layer { diff_id, blob, .. } = layer;
        (self.fetch.progress)(Progress::Layer {
            diff_id: diff_id.to_string(),
            bytes: blob.size,
            took: begun.elapsed(),
        });
        Ok(())
    }

    async fn try_layer(
        &self,
        layer: Layer,
        patience: &mut Patience,
    ) -> Result<Result<(), RegistryFault>, ContainerError> {
        let mut answer = match self.open(Part::Layer, layer.blob.digest, patience).await {
            Ok(answer) => answer,
            Err(fault) => return Ok(Err(fault)),
        };
        let (sender, receiver) = mpsc::channel(limits::CHUNKS);
        let (store, acts) = (Arc::clone(self.fetch.store), Arc::clone(self.fetch.acts));
        let unpacking = tokio::task::spawn_blocking(move || {
            layer::receive(layer, Chunks::new(receiver), &store, &*acts)
        });
        let fault = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => {
                    patience.progress();
                    // The other end stops listening once it knows that the layer is not to be had.
                    if sender.send(Some(chunk)).await.is_err() {
                        break None;
                    }
                }
                Ok(None) => {
                    let _ended = sender.send(None).await;
                    break None;
                }
                Err(fault) => break Some(fault),
            }
        };
        drop(sender);
        let unpacked = unpacking.await;
        if let Some(fault) = fault {
            return Ok(Err(fault));
        }
        match unpacked {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(rejected)) => Err(self.rejected(rejected)),
            Err(_) => Err(self.malformed(Part::Layer, "unpacking it ended early")),
        }
    }

    fn rejected(&self, rejected: Rejected) -> ContainerError {
        match rejected {
            Rejected::Mismatch(part, expected) => self.mismatch(part, expected),
            Rejected::Malformed(cause) => self.malformed(Part::Layer, cause),
            Rejected::Store(error) => error,
        }
    }

    fn mismatch(&self, part: Part, expected: Digest) -> ContainerError {
        ContainerError::Mismatch {
            image: self.name.to_owned(),
            part,
            expected: expected.to_string(),
        }
    }

    fn malformed(&self, part: Part, cause: impl Into<String>) -> ContainerError {
        ContainerError::Malformed {
            image: self.name.to_owned(),
            part,
            cause: cause.into(),
        }
    }

    fn platform(&self) -> ContainerError {
        ContainerError::Platform {
            image: self.name.to_owned(),
            platform: format!("linux/{}", image::architecture()),
        }
    }

    fn registry(&self, fault: RegistryFault) -> ContainerError {
        ContainerError::Registry {
            registry: self.repository.registry().to_owned(),
            fault,
        }
    }
}

#[cfg(test)]
mod tests;
