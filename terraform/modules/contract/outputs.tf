output "user_data" {
  description = "The contract, as the guest takes it."
  value       = hpcr_contract.this.rendered
}

output "digests" {
  description = "What the attestation record must say of the contract."
  value       = hpcr_contract.this.digests
}
