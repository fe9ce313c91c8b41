# The deployer: where it runs, sealed and signed together with what the workload provider and the auditor handed over.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

resource "hpcr_contract" "web" {
  cert                   = file(var.cert)
  workload_yaml          = file(var.workload)
  attestation_public_key = file(var.auditor)
  signing_key_wo         = var.signing_key

  env_wo = yamlencode({
    type    = "env"
    logging = { syslog = var.collector }
    volumes = { data = { seed = var.seed } }
    env     = var.environment
  })
}

output "user_data" {
  description = "The contract, as a guest takes it."
  value       = hpcr_contract.web.rendered
}

output "digests" {
  description = "What the attestation record must say, for the auditor."
  value       = hpcr_contract.web.digests
}
