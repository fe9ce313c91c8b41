# The contract of an instance of IBM Cloud VPC. cloud.tf makes the instance out of it, with IBM's own provider.

module "contract" {
  source      = "../../modules/contract"
  cert        = file(var.cert)
  compose     = var.compose
  environment = var.environment
  secrets     = var.secrets
}

output "user_data" {
  description = "The contract, as the instance takes it."
  value       = module.contract.user_data
}
