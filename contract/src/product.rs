//! The products that contracts are written for: what one may say differs a little from the other.

use std::fmt;

/// A product. The guest of this project runs contracts of all but [`Product::Ccco`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Product {
    /// The confidential computing container runtime: compose archives or Pods.
    #[default]
    Ccrt,
    /// The same on a cloud's virtual servers; its contracts say the same.
    Hpvs,
    /// The runtime for a virtualisation platform: Pods alone.
    Ccrv,
    /// Confidential containers of a cluster: another runtime, whose contracts are checked here and run elsewhere.
    Ccco,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ccrt, Self::Hpvs, Self::Ccrv, Self::Ccco];

    /// Its name on command lines and in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ccrt => "ccrt",
            Self::Hpvs => "hpvs",
            Self::Ccrv => "ccrv",
            Self::Ccco => "ccco",
        }
    }

    /// The product of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
