variable "record" {
  description = "The record of the guest: se-checksums.txt.enc."
  type        = string
  default     = "se-checksums.txt.enc"
}

variable "digests" {
  description = "The deployer's file."
  type        = string
  default     = "digests.json"
}

variable "key" {
  description = "The file with the auditor's private key (PEM)."
  type        = string
  default     = "auditor.key"
}
