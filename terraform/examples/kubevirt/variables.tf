variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it."
  type        = string
}

variable "container" {
  description = "The container image with /boot/vmlinuz and /boot/initramfs, by digest; docs/deploy.md tells how to make it."
  type        = string
}

variable "tee" {
  description = "none, snp, sev or tdx. A Secure Execution image (se) takes no `image`: leave it out of the call."
  type        = string
  default     = "none"
}

variable "compose" {
  description = "The folder with docker-compose.yaml."
  type        = string
  default     = "../local-qemu/compose"
}

variable "environment" {
  description = "Variables for the compose file."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Signing key, seeds, collector and registry passwords; see modules/contract. Kept in no state."
  type        = any
  sensitive   = true
  ephemeral   = true
}
