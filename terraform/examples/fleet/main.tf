# Three guests under KubeVirt, each with seeds of its own:
#
#   terraform apply
#   terraform output -json manifests | jq -r '.[]' | kubectl apply -f -
#
# An upgrade goes guest by guest; the data stays:
#
#   terraform apply -var container=NEW -var previous_container=OLD -var image=NEW -var previous_image=OLD -var upgraded=1
#   terraform output -json manifests | jq -r '.[]' | kubectl apply -f -
#   virtctl restart web-0        # and on, with upgraded=2, when it is well
#
# The auditor collects the record and signature of each guest in records/, and the contracts in sent/:
#
#   hpcr-check attestation verify --fleet records --contract sent --cert IMAGE/attestation.pub

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

module "fleet" {
  source = "../../modules/fleet"

  name               = "web"
  size               = var.size
  container          = var.container
  previous_container = var.previous_container
  upgraded           = var.upgraded
  image              = var.image
  cert               = var.cert
  previous_image     = var.previous_image
  previous_cert      = var.previous_cert
  tee                = var.tee
  compose            = var.compose
  environment        = var.environment
  root               = var.root
  secrets            = var.secrets
  ports              = [8080]
}

output "manifests" {
  description = "Manifests in YAML, by guest."
  value       = module.fleet.manifests
}

output "contracts" {
  description = "The sealed contracts that were sent, by guest."
  value       = module.fleet.contracts
}

output "digests" {
  description = "What each guest's attestation record must say, by guest."
  value       = module.fleet.digests
}
