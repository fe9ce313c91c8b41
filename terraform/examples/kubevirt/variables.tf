variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it. Leave it out with se: that image has its command line inside."
  type        = string
  default     = null
}

variable "container" {
  description = "The container image with /boot/vmlinuz and /boot/initramfs, by digest; docs/deploy.md tells how to make it."
  type        = string
}

variable "tee" {
  description = "none, se, snp, sev or tdx."
  type        = string
  default     = "none"
}

variable "cert" {
  description = "The file with the encryption certificate of the image (PEM); encryption.crt of the image's folder if not given. Give it with se."
  type        = string
  default     = null

  validation {
    condition     = var.cert != null || (var.image != null && var.tee != "se")
    error_message = "Give the file with the certificate: there is no image's folder that has it."
  }
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
