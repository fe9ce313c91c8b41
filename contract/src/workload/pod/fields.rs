//! The fields of an object as Go's decoder takes them, by which Kubernetes and Podman read Pods: a key counts whatever the
//! case of its letters, and one without a value (null) is left out. What is in a mapping of the author's own names (labels,
//! `data`) is none of this module's.

use std::collections::BTreeSet;

use super::super::reader::{Reader, Value};
use crate::yaml::{Kind, Node};

/// Every key of an object that is known here, done or refused, sorted.
const KNOWN: [&str; 150] = [
    "activeDeadlineSeconds",
    "add",
    "affinity",
    "allowPrivilegeEscalation",
    "annotations",
    "apiVersion",
    "appArmorProfile",
    "args",
    "automountServiceAccountToken",
    "binaryData",
    "capabilities",
    "claims",
    "command",
    "configMap",
    "configMapKeyRef",
    "configMapRef",
    "containerPort",
    "containers",
    "creationTimestamp",
    "data",
    "defaultMode",
    "dnsConfig",
    "dnsPolicy",
    "drop",
    "emptyDir",
    "enableServiceLinks",
    "env",
    "envFrom",
    "ephemeralContainers",
    "exec",
    "failureThreshold",
    "fieldPath",
    "fieldRef",
    "fsGroup",
    "fsGroupChangePolicy",
    "generation",
    "grpc",
    "host",
    "hostAliases",
    "hostIP",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPath",
    "hostPort",
    "hostUsers",
    "hostname",
    "hostnameOverride",
    "hostnames",
    "httpGet",
    "httpHeaders",
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "immutable",
    "initContainers",
    "initialDelaySeconds",
    "ip",
    "items",
    "key",
    "kind",
    "labels",
    "lifecycle",
    "limits",
    "livenessProbe",
    "managedFields",
    "medium",
    "metadata",
    "mode",
    "mountPath",
    "mountPropagation",
    "name",
    "namespace",
    "nodeName",
    "nodeSelector",
    "optional",
    "os",
    "overhead",
    "path",
    "periodSeconds",
    "port",
    "ports",
    "preemptionPolicy",
    "prefix",
    "priority",
    "priorityClassName",
    "privileged",
    "procMount",
    "protocol",
    "readOnly",
    "readOnlyRootFilesystem",
    "readinessGates",
    "readinessProbe",
    "recursiveReadOnly",
    "requests",
    "resizePolicy",
    "resourceClaims",
    "resourceFieldRef",
    "resourceVersion",
    "resources",
    "restartPolicy",
    "restartPolicyRules",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "runtimeClassName",
    "schedulerName",
    "schedulingGates",
    "scheme",
    "seLinuxChangePolicy",
    "seLinuxOptions",
    "seccompProfile",
    "secretKeyRef",
    "secretRef",
    "securityContext",
    "selfLink",
    "serviceAccount",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "sizeLimit",
    "spec",
    "startupProbe",
    "status",
    "stdin",
    "stdinOnce",
    "subPath",
    "subPathExpr",
    "subdomain",
    "successThreshold",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "sysctls",
    "tcpSocket",
    "terminationGracePeriodSeconds",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "timeoutSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "tty",
    "type",
    "uid",
    "value",
    "valueFrom",
    "volumeDevices",
    "volumeMounts",
    "volumes",
    "windowsOptions",
    "workingDir",
];

/// The fields of an object by the right spelling of their keys; a warning names it where another was written.
pub(super) fn of<'n>(reader: &mut Reader<'_>, object: &Value<'n>) -> Vec<(&'n str, Value<'n>)> {
    let mut fields = with_nulls(reader, object);
    fields.retain(|(_, value)| !value.is_null());
    fields
}

/// The same, with those that have no value.
pub(super) fn with_nulls<'n>(
    reader: &mut Reader<'_>,
    object: &Value<'n>,
) -> Vec<(&'n str, Value<'n>)> {
    let (mut fields, mut known) = (Vec::new(), BTreeSet::new());
    for (key, value) in reader.entries(object) {
        let spelt = spelt(key);
        if !known.insert(spelt) {
            let cause =
                format!("it is the key `{spelt}` once more: the case of letters does not count");
            reader.refuse_key(&value, cause, "remove one of them");
            continue;
        }
        if spelt != key {
            let cause = format!("the key `{key}` is taken for `{spelt}`");
            reader.advise_key(&value, cause, format!("write `{spelt}`"));
        }
        fields.push((spelt, value));
    }
    fields
}

/// The value of a field of an object, where it has one.
pub(super) fn get<'n>(object: &'n Node, wanted: &str) -> Option<&'n Node> {
    let Kind::Mapping(entries) = &object.kind else {
        return None;
    };
    entries
        .iter()
        .find(|(key, value)| {
            key.name.eq_ignore_ascii_case(wanted) && !matches!(value.kind, Kind::Null)
        })
        .map(|(_, value)| value)
}

/// The items of a field that is a list.
pub(super) fn list<'n>(object: &'n Node, wanted: &str) -> &'n [Node] {
    match get(object, wanted).map(|list| &list.kind) {
        Some(Kind::Sequence(items)) => items,
        _ => &[],
    }
}

/// The right spelling of a key, where it is known.
fn spelt(key: &str) -> &str {
    if KNOWN.binary_search(&key).is_ok() {
        return key;
    }
    let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(key));
    known.copied().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_spelling() {
        assert!(KNOWN.is_sorted());
        for key in KNOWN {
            assert_eq!(spelt(&key.to_ascii_uppercase()), key);
        }
        assert_eq!(spelt("livenesProbe"), "livenesProbe");
    }
}
