# The workload provider: what runs, sealed for the image. Hands workload.txt to the deployer.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

resource "hpcr_contract" "workload" {
  cert = file(var.cert)

  workload_wo = yamlencode({
    type    = "workload"
    compose = { archive = provider::hpcr::tgz(var.compose) }
    auths   = var.auths
    volumes = { data = { seed = var.seed, mount = "/mnt/data", filesystem = "ext4" } }
  })
}

output "workload" {
  description = "The sealed section."
  value       = hpcr_contract.workload.workload_sealed
}
