# The auditor: opens the guest's record, and holds it against what the deployer says that was deployed. The key is given
# to a function: no state and no plan holds it.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

locals {
  expected = jsondecode(file(var.digests))
}

data "hpcr_attestation" "web" {
  attestation = provider::hpcr::attestation_open(file(var.record), file(var.key))

  lifecycle {
    postcondition {
      condition     = alltrue([for name, digest in local.expected : lookup(self.checksums, name, "") == digest])
      error_message = "The guest booted another contract than the deployer says: compare the outputs of this configuration with the file of digests."
    }
  }
}

output "checksums" {
  description = "What the guest says that it booted."
  value       = data.hpcr_attestation.web.checksums
}
