//! What Pods can ask of a cluster and a sealed guest does not have, each with what to do instead. `docs/workload.md` says
//! why.

/// Keys with what to do instead of them.
pub(super) type Table = &'static [(&'static [&'static str], &'static str)];

/// The keys of `spec`.
pub(super) const OF_SPEC: Table = &[
    (
        &[
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "hostUsers",
            "shareProcessNamespace",
        ],
        "remove it: every container has namespaces of its own, but for the network of its Pod",
    ),
    (
        &[
            "nodeName",
            "nodeSelector",
            "affinity",
            "topologySpreadConstraints",
            "schedulerName",
            "priority",
            "priorityClassName",
            "preemptionPolicy",
            "schedulingGates",
            "overhead",
            "runtimeClassName",
            "resourceClaims",
            "resources",
            "schedulingGroup",
            "workloadRef",
        ],
        "remove it: there is one node, this guest, and no scheduler",
    ),
    (
        &[
            "serviceAccount",
            "serviceAccountName",
            "automountServiceAccountToken",
        ],
        "remove it: there is no API server that a token could be for",
    ),
    (
        &["imagePullSecrets"],
        "write the credentials under `auths` of the workload or the env section",
    ),
    (
        &[
            "dnsConfig",
            "subdomain",
            "setHostnameAsFQDN",
            "hostnameOverride",
        ],
        "remove it: names are resolved as the guest's network configuration says; `hostAliases` adds some",
    ),
    (&["activeDeadlineSeconds"], "let the program end by itself"),
    (
        &["ephemeralContainers"],
        "remove it: nothing can be added to a sealed guest",
    ),
    (&["readinessGates"], "use a readinessProbe"),
];

/// The keys of a container.
pub(super) const OF_CONTAINER: Table = &[
    (
        &["volumeDevices"],
        "remove it: containers see no device of the guest",
    ),
    (&["lifecycle"], "do it in the entry point of the image"),
    (
        &["stdin", "stdinOnce", "tty"],
        "remove it: no terminal is attached in a sealed guest; output is read line by line",
    ),
    (
        &["terminationMessagePath", "terminationMessagePolicy"],
        "remove it: what a container says goes to the collector",
    ),
    (
        &["resizePolicy", "restartPolicyRules"],
        "remove it: nothing changes a running Pod",
    ),
];

/// The types of volumes that Kubernetes has beside ours.
pub(super) const VOLUMES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "downwardAPI",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];
