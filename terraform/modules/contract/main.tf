# A contract for one compose file with one volume, sealed and signed. Its secrets are write-only: no state and no plan
# holds them.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

resource "hpcr_contract" "this" {
  cert                   = var.cert
  signing_key_wo         = var.secrets.signing_key
  attestation_public_key = var.auditor

  workload_wo = yamlencode({
    type    = "workload"
    compose = { archive = provider::hpcr::tgz(var.compose) }
    auths   = var.secrets.auths
    volumes = {
      data = { seed = var.secrets.workload_seed, mount = "/mnt/data", filesystem = "ext4" }
    }
  })

  env_wo = yamlencode({
    type    = "env"
    logging = { syslog = var.secrets.collector }
    volumes = { data = { seed = var.secrets.env_seed } }
    cacerts = var.registry_authorities
    env     = var.environment
  })
}
