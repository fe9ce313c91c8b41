//! Phase 3: exactly one seed device; its bytes are read once, bounded, hashed, and parsed from that buffer.

use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::messages;
use hpcr_contract::yaml;
use serde::Deserialize;

use crate::cidata::{self, Seed};
use crate::console::uptime;
use crate::error::Error;
use crate::guest::Guest;
use crate::phases::early::Early;
use crate::phases::platform::Platform;

/// How long the device may take to appear. Disks are there when their driver is; this is for slow buses.
const WAIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

pub(crate) async fn run(
    guest: &Arc<Guest>,
    early: &Early,
    _platform: &Platform,
) -> Result<Seed, Error> {
    let (sys, dev) = (guest.path("/sys"), guest.path("/dev"));
    let look = || cidata::candidates(&sys, &dev).map_err(Error::act("listing the disks of", &sys));
    let until = uptime() + WAIT;
    while look()?.is_empty() && uptime() < until {
        tokio::time::sleep(LOOK).await;
    }
    // A second one must not slip through because its turn comes later.
    early.modules.settled().await?;
    let candidates = look()?;
    let seed = cidata::read(&candidates)?;
    if let Some(name) = seed.meta_data.as_deref().and_then(host_name) {
        guest
            .acts
            .set_host_name(&name)
            .map_err(Error::act("naming", "the guest"))?;
    }
    Ok(seed)
}

/// `local-hostname` of the meta-data, where it is one (RFC 1123). It is the host's word, and names nothing but log lines.
fn host_name(meta_data: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct MetaData {
        #[serde(rename = "local-hostname")]
        local_hostname: Option<String>,
    }
    let text = std::str::from_utf8(meta_data).ok()?;
    let document = yaml::Document::parse(text, "meta-data", messages::INVALID_CONTRACT).ok()?;
    let name = document.read::<MetaData>().ok()?.local_hostname?;
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 63 && name.split('.').all(is_label)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_taken_where_it_is_one() {
        for (meta_data, name) in [
            ("local-hostname: web-1\n", Some("web-1")),
            (
                "instance-id: i\nlocal-hostname: a.example\n",
                Some("a.example"),
            ),
            ("local-hostname: -x\n", None),
            ("local-hostname: 'a b'\n", None),
            ("local-hostname: a..b\n", None),
            ("instance-id: i\n", None),
            ("{", None),
            ("", None),
        ] {
            assert_eq!(
                host_name(meta_data.as_bytes()).as_deref(),
                name,
                "{meta_data}"
            );
        }
    }
}
