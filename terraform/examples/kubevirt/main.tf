# A VirtualMachine of KubeVirt, its contract in a Secret, its volume in a claim that outlives it:
#
#   terraform apply
#   terraform output -raw manifests | kubectl apply -f -

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

module "contract" {
  source      = "../../modules/contract"
  cert        = file(var.cert != null ? var.cert : "${var.image}/encryption.crt")
  compose     = var.compose
  environment = var.environment
  secrets     = var.secrets
}

output "manifests" {
  description = "Secret, claim, VirtualMachine and Service in YAML."
  value = provider::hpcr::kubevirt_manifests({
    name      = "web"
    container = var.container
    image     = var.image
    tee       = var.tee
    user_data = module.contract.user_data
    volumes   = { data = "10Gi" }
    scratch   = "20Gi"
    ports     = [8080]
  })
}
