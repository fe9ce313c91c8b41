# N guests of one contract: each with seeds of its own, derived from one root, and manifests for KubeVirt.
#
# A new image goes from guest to guest: the first `upgraded` guests have its boot container, its command line and a
# contract sealed to its key; the others have all three of the previous one, so that they can boot again at any time.
# Claims are objects of their own: a guest that is started with another image opens the volume that it had.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

locals {
  new = {
    container = var.container
    image     = var.image
    cert      = file(var.cert != null ? var.cert : "${var.image}/encryption.crt")
  }
  previous = {
    container = coalesce(var.previous_container, var.container)
    image     = var.previous_image != null ? var.previous_image : var.image
    cert = (
      var.previous_cert != null ? file(var.previous_cert)
      : var.previous_image != null ? file("${var.previous_image}/encryption.crt")
      : local.new.cert
    )
  }
  guests = {
    for index in range(var.size) : "${var.name}-${index}" => index < var.upgraded ? local.new : local.previous
  }
}

module "contract" {
  source      = "../contract"
  for_each    = local.guests
  cert        = each.value.cert
  compose     = var.compose
  environment = merge(var.environment, { GUEST = each.key })
  auditor     = var.auditor

  secrets = merge(var.secrets, {
    workload_seed = provider::hpcr::derive_seed(var.root, "${each.key}/data/workload")
    env_seed      = provider::hpcr::derive_seed(var.root, "${each.key}/data/env")
  })
}
