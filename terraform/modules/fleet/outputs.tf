output "manifests" {
  description = "Manifests in YAML, by guest."
  value = {
    for name, boot in local.guests : name => provider::hpcr::kubevirt_manifests({
      name      = name
      container = boot.container
      image     = boot.image
      tee       = var.tee
      memory    = var.memory
      user_data = module.contract[name].user_data
      volumes   = { data = var.data }
      scratch   = var.scratch
      ports     = var.ports
    })
  }
}

output "digests" {
  description = "What each guest's attestation record must say, by guest."
  value       = { for name, contract in module.contract : name => contract.digests }
}

output "contracts" {
  description = "The sealed contracts that were sent, by guest, for the auditor."
  value       = { for name, contract in module.contract : name => contract.user_data }
}
