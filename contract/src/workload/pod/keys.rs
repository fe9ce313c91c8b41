//! The keys of every object of a Pod, each named once: its reader takes the fields by them, a key in another case is spelt by
//! them, and whoever writes one that is not known is told of them.

use super::fields::Keys;
use super::refused;

pub(super) const POD: Keys = Keys::of(&["apiVersion", "kind", "metadata", "spec"]).and(&["status"]);

pub(super) const CONFIG_MAP: Keys = Keys::of(&[
    "apiVersion",
    "kind",
    "metadata",
    "data",
    "binaryData",
    "immutable",
]);

pub(super) const METADATA: Keys = Keys::of(&["name", "namespace", "labels", "annotations"]).and(&[
    "creationTimestamp",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
]);

pub(super) const SPEC: Keys = Keys::of(&[
    "containers",
    "initContainers",
    "volumes",
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "securityContext",
    "hostname",
    "hostAliases",
    "dnsPolicy",
])
.and(&["enableServiceLinks", "os", "tolerations"])
.refusing(refused::OF_SPEC);

pub(super) const HOST_ALIAS: Keys = Keys::of(&["ip", "hostnames"]);

pub(super) const CONTAINER: Keys = Keys::of(&[
    "name",
    "image",
    "imagePullPolicy",
    "command",
    "args",
    "workingDir",
    "env",
    "envFrom",
    "ports",
    "volumeMounts",
    "resources",
    "securityContext",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "restartPolicy",
])
.refusing(refused::OF_CONTAINER);

pub(super) const PORT: Keys =
    Keys::of(&["containerPort", "hostPort", "hostIP", "protocol", "name"]);

pub(super) const RESOURCES: Keys = Keys::of(&["limits", "requests"]).and(&["claims"]);

/// An item of `env`, its `valueFrom`, and what that takes.
pub(super) const VARIABLE: Keys = Keys::of(&["name", "value", "valueFrom"]);
pub(super) const VALUE_FROM: Keys = Keys::of(&["configMapKeyRef", "fieldRef"]).and(&[
    "secretKeyRef",
    "resourceFieldRef",
    "fileKeyRef",
]);
pub(super) const CONFIG_MAP_KEY: Keys = Keys::of(&["name", "key", "optional"]);
pub(super) const FIELD: Keys = Keys::of(&["fieldPath", "apiVersion"]);

/// An item of `envFrom`, and the map that it takes.
pub(super) const ENV_FROM: Keys = Keys::of(&["configMapRef", "prefix"]).and(&["secretRef"]);
pub(super) const WHOLE_CONFIG_MAP: Keys = Keys::of(&["name", "optional"]);

pub(super) const PROBE: Keys = Keys::of(&[
    "exec",
    "httpGet",
    "tcpSocket",
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "successThreshold",
    "failureThreshold",
])
.and(&["grpc", "terminationGracePeriodSeconds"]);
pub(super) const EXEC: Keys = Keys::of(&["command"]);
pub(super) const HTTP_GET: Keys =
    Keys::of(&["path", "port", "scheme", "httpHeaders"]).and(&["host"]);
pub(super) const TCP_SOCKET: Keys = Keys::of(&["port"]).and(&["host"]);

/// A field of a header, and a kernel parameter.
pub(super) const NAMED_VALUE: Keys = Keys::of(&["name", "value"]);

/// `securityContext` of a Pod.
pub(super) const POD_SECURITY: Keys = Keys::of(&[
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "supplementalGroups",
    "sysctls",
    "seccompProfile",
    "appArmorProfile",
])
.and(&[
    "fsGroup",
    "fsGroupChangePolicy",
    "seLinuxChangePolicy",
    "seLinuxOptions",
    "supplementalGroupsPolicy",
    "windowsOptions",
]);

/// `securityContext` of a container.
pub(super) const CONTAINER_SECURITY: Keys = Keys::of(&[
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "privileged",
    "readOnlyRootFilesystem",
    "allowPrivilegeEscalation",
    "capabilities",
    "seccompProfile",
    "appArmorProfile",
])
.and(&["procMount", "seLinuxOptions", "windowsOptions"]);

pub(super) const PROFILE: Keys = Keys::of(&["type"]).and(&["localhostProfile"]);
pub(super) const CAPABILITIES: Keys = Keys::of(&["add", "drop"]);

/// A volume, and what it can be.
pub(super) const VOLUME: Keys =
    Keys::of(&["name", "hostPath", "emptyDir", "configMap"]).and(refused::VOLUMES);
pub(super) const HOST_PATH: Keys = Keys::of(&["path", "type"]);
pub(super) const EMPTY_DIR: Keys = Keys::of(&["medium", "sizeLimit"]);
pub(super) const CONFIG_MAP_VOLUME: Keys = Keys::of(&["name", "items", "defaultMode", "optional"]);
pub(super) const CONFIG_MAP_ITEM: Keys = Keys::of(&["key", "path", "mode"]);

/// An item of `volumeMounts`.
pub(super) const MOUNT: Keys = Keys::of(&["name", "mountPath", "subPath", "readOnly"]).and(&[
    "mountPropagation",
    "recursiveReadOnly",
    "subPathExpr",
]);
