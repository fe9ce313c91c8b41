# N guests of one contract: each with seeds of its own, derived from one root, and manifests for KubeVirt.
#
# A new boot container goes from guest to guest: the first `upgraded` guests have it, the others the previous one. Claims
# are objects of their own, so a guest that is started with another image opens the volume that it had.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

locals {
  guests = { for index in range(var.size) : "${var.name}-${index}" => index }
}

module "contract" {
  source      = "../contract"
  for_each    = local.guests
  cert        = file("${var.image}/encryption.crt")
  compose     = var.compose
  environment = merge(var.environment, { GUEST = each.key })
  auditor     = var.auditor

  secrets = merge(var.secrets, {
    workload_seed = provider::hpcr::derive_seed(var.root, "${each.key}/data/workload")
    env_seed      = provider::hpcr::derive_seed(var.root, "${each.key}/data/env")
  })
}
