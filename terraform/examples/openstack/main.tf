# The contract of an OpenStack instance. cloud.tf makes the instance out of it, with OpenStack's own provider.
#
# Images of IBM's service read user_data. This project's image reads a seed disk and no config drive, so the seed is
# uploaded as an image and attached, too.

module "contract" {
  source      = "../../modules/contract"
  cert        = file(var.cert)
  compose     = var.compose
  environment = var.environment
  secrets     = var.secrets
}

resource "hpcr_cidata" "web" {
  user_data = module.contract.user_data
  meta_data = "local-hostname: web\n"
  path      = "${var.folder}/seed.iso"
}

output "user_data" {
  description = "The contract, as the instance takes it."
  value       = module.contract.user_data
}
