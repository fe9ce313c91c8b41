output "page" {
  description = "Where the workload answers."
  value       = "http://127.0.0.1:${var.port}/"
}

output "console" {
  description = "The file with the guest's message codes."
  value       = hpcr_guest.web.console
}

output "digests" {
  description = "What the attestation record must say of the contract, for the auditor."
  value       = module.contract.digests
}
