//! `provider::hpcr::libvirt_domain` and `provider::hpcr::kubevirt_manifests`: what `hpcr-image deploy` prints, as text for
//! other providers and tools.
//!
//! Both read an image's description (`image.json`) where they are given its folder, and nothing else.

use std::path::{Path, PathBuf};

use hpcr_image::deploy::kubevirt::{Deployment, Volume};
use hpcr_image::deploy::libvirt;
use hpcr_image::qemu::{Disk, Machine, Tee};

use super::options::{Options, refused};
use crate::context::Context;
use crate::diagnostic::sentence;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
use crate::value::Value;
use crate::value::kind::Kind;

const MEMORY: u32 = 2048;

/// See the module.
pub(crate) struct LibvirtDomain;

/// See the module.
pub(crate) struct KubevirtManifests;

fn signature(summary: &'static str, description: &'static str) -> Signature {
    Signature {
        summary,
        parameters: vec![Parameter {
            name: "options",
            kind: Kind::Dynamic,
            description,
            nullable: false,
        }],
        variadic: None,
        result: Kind::Text,
    }
}

impl Function for LibvirtDomain {
    fn name(&self) -> &'static str {
        "libvirt_domain"
    }

    fn signature(&self) -> Signature {
        signature(
            "A libvirt domain in XML, as `hpcr-image deploy libvirt` prints it.",
            "An object with name, image (its folder; for tee = \"se\", the image file) and seed; and memory (MiB), cpus, tee (none, se, snp, sev or tdx), firmware, volumes (a map of files by the volume's key), scratch (a file) and network.",
        )
    }

    fn call(&self, arguments: &[Value], _: &Context) -> Result<Value, Refused> {
        let mut options = Options::of(arguments)?;
        let name = options.text("name")?;
        let tee = tee(&mut options)?;
        let image = PathBuf::from(options.text("image")?);
        let mut machine = of_image(&image, tee)?;
        machine.memory = options.number("memory", MEMORY)?;
        machine.cpus = options.number("cpus", 1)?;
        machine.firmware = options.optional_text("firmware")?.map(Into::into);
        machine.seed = Some(options.text("seed")?.into());
        let volumes = options.texts("volumes")?.into_iter();
        machine.disks = volumes
            .map(|(serial, path)| Disk::new(path, serial))
            .collect();
        machine
            .disks
            .extend(options.optional_text("scratch")?.map(Disk::scratch));
        let network = options.optional_text("network")?;
        options.end()?;
        let network = network.as_deref().unwrap_or("default");
        libvirt::domain(&name, &machine, Some(network))
            .map(Value::text)
            .map_err(|error| told(&error))
    }
}

impl Function for KubevirtManifests {
    fn name(&self) -> &'static str {
        "kubevirt_manifests"
    }

    fn signature(&self) -> Signature {
        signature(
            "Secret, claims, VirtualMachine and Service in YAML, as `hpcr-image deploy kubevirt` prints them.",
            "An object with name, container, user_data and image (its folder, for the kernel's command line; not for tee = \"se\"); and memory (MiB), cpus, tee (none, se, snp, sev or tdx), network_config, volumes (a map of sizes by the volume's key), scratch (a size), storage_class and ports.",
        )
    }

    fn call(&self, arguments: &[Value], _: &Context) -> Result<Value, Refused> {
        let mut options = Options::of(arguments)?;
        let tee = tee(&mut options)?;
        let command_line = match (tee, options.optional_text("image")?) {
            (Tee::Se, None) => String::new(),
            (Tee::Se, Some(_)) => {
                return Err(refused(
                    "A Secure Execution image has its command line inside. Leave `image` out.",
                ));
            }
            (_, None) => return Err(refused("`image` is missing. Give the image's folder.")),
            (_, Some(image)) => of_image(Path::new(&image), tee)?.command_line,
        };
        let volume = |(serial, size)| Volume { serial, size };
        let deployment = Deployment {
            name: options.text("name")?,
            container: options.text("container")?,
            command_line,
            memory: options.number("memory", MEMORY)?,
            cpus: options.number("cpus", 1)?,
            tee,
            user_data: options.text("user_data")?.into_bytes(),
            network_config: options
                .optional_text("network_config")?
                .map(String::into_bytes),
            volumes: options.texts("volumes")?.into_iter().map(volume).collect(),
            scratch: options.optional_text("scratch")?,
            storage_class: options.optional_text("storage_class")?,
            ports: options.ports("ports")?,
        };
        options.end()?;
        deployment
            .to_yaml()
            .map(Value::text)
            .map_err(|error| told(&error))
    }
}

fn tee(options: &mut Options) -> Result<Tee, Refused> {
    let Some(name) = options.optional_text("tee")? else {
        return Ok(Tee::None);
    };
    Tee::from_name(&name).ok_or_else(|| refused("`tee` is none, se, snp, sev or tdx."))
}

fn of_image(image: &Path, tee: Tee) -> Result<Machine, Refused> {
    let machine = match tee {
        Tee::Se => Machine::of_secure_execution_image(image),
        _ => Machine::of_image(image),
    };
    let mut machine = machine.map_err(|error| told(&error))?;
    machine.tee = tee;
    Ok(machine)
}

/// An error in the words of the options, which are those of the command line without its dashes, or stand for several.
fn told(error: &hpcr_image::Error) -> Refused {
    match error {
        hpcr_image::Error::Deployment {
            option,
            cause,
            remedy,
        } => {
            let option = match option.trim_start_matches('-') {
                "data" => "volumes".to_owned(),
                "publish" => "ports".to_owned(),
                other => other.replace('-', "_"),
            };
            refused(&format!("{option}: {cause}. {}", sentence(remedy)))
        }
        other => refused(&sentence(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::value::Object;

    /// An image's folder with nothing but its description.
    fn image() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let description = r#"{"version": "0", "kind": "development", "architecture": "x86_64", "built": 0,
            "suite": "trixie", "kernelRelease": "6", "baseImage": "00", "commandLine": "quiet", "parts": {}, "packages": [], "files": {}}"#;
        std::fs::write(folder.path().join("image.json"), description).unwrap();
        folder
    }

    fn options(image: &tempfile::TempDir, more: &[(&str, Value)]) -> Value {
        let image = image.path().to_str().unwrap();
        let given =
            [("name", "web"), ("image", image)].map(|(name, text)| (name, Value::text(text)));
        let all = given.iter().chain(more);
        Value::Map(
            all.map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        )
    }

    fn map(name: &str, value: Value) -> Value {
        Value::Map(Object::from([(name.to_owned(), value)]))
    }

    #[test]
    fn what_a_domain_cannot_have_is_refused_by_its_option() {
        let image = image();
        let seed = ("seed", Value::text("/seed.iso"));
        let call = |more: &[(&str, Value)]| {
            LibvirtDomain.call(&[options(&image, more)], &Context::default())
        };
        assert!(call(std::slice::from_ref(&seed)).is_ok());
        for (more, told) in [
            (vec![], "`seed` is missing"),
            (
                vec![seed.clone(), ("tee", Value::text("sgx"))],
                "`tee` is none, se, snp",
            ),
            (
                vec![seed.clone(), ("tee", Value::text("snp"))],
                "firmware: ",
            ),
            (
                vec![seed.clone(), ("memory", Value::text("2"))],
                "`memory` is a whole number",
            ),
            (
                vec![seed.clone(), ("memory", Value::whole(-1))],
                "`memory` is a whole number",
            ),
            (
                vec![seed.clone(), ("volumes", Value::whole(1))],
                "`volumes` is a map of texts",
            ),
            (
                vec![seed.clone(), ("volumes", map("cidata", Value::text("/d")))],
                "volumes: the serial cidata",
            ),
            (
                vec![seed.clone(), ("memroy", Value::whole(1))],
                "`memroy` is not known",
            ),
            (vec![("seed", Value::text("seed.iso"))], "relative"),
            (
                vec![seed.clone(), ("memory", Value::whole(511))],
                "memory: ",
            ),
            (vec![seed.clone(), ("cpus", Value::whole(0))], "cpus: "),
            (
                vec![seed.clone(), ("scratch", Value::text("/seed.iso"))],
                "is there for two disks",
            ),
        ] {
            let (argument, text) = call(&more).err().unwrap();
            assert!(argument == Some(0) && text.contains(told), "{told}: {text}");
        }
        let (_, text) = LibvirtDomain
            .call(&[Value::text("web")], &Context::default())
            .err()
            .unwrap();
        assert!(text.starts_with("Give an object"), "{text}");
    }

    #[test]
    fn manifests_take_ports_sizes_and_no_image_under_secure_execution() {
        let image = image();
        let call = |more: &[(&str, Value)]| {
            let given = [
                ("container", Value::text("r.test/h@sha256:0")),
                ("user_data", Value::text("x")),
            ];
            let more: Vec<_> = given.iter().chain(more).cloned().collect();
            KubevirtManifests.call(&[options(&image, &more)], &Context::default())
        };
        let ports = ("ports", Value::List(vec![Value::whole(80)]));
        let text = call(&[ports, ("volumes", map("data", Value::text("1Gi")))])
            .ok()
            .unwrap();
        let text = text.as_text().unwrap();
        assert!(
            text.contains("tcp-80")
                && text.contains("web-data-data")
                && text.contains("kernelArgs: quiet"),
            "{text}"
        );
        for (name, value, told) in [
            (
                "ports",
                Value::List(vec![Value::whole(65_536)]),
                "from 1 to 65535",
            ),
            ("tee", Value::text("se"), "Leave `image` out"),
            ("scratch", Value::text("1GB"), "scratch: `1GB` is no size"),
            (
                "ports",
                Value::List(vec![Value::whole(80), Value::whole(80)]),
                "ports: ",
            ),
            ("memory", Value::whole(0), "memory: "),
            ("cpus", Value::whole(0), "cpus: "),
            (
                "network_config",
                Value::text("garbage: ["),
                "network_config: ",
            ),
        ] {
            let (_, text) = call(&[(name, value)]).err().unwrap();
            assert!(text.contains(told), "{told}: {text}");
        }
    }
}
