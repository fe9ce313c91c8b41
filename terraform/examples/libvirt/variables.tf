variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it; with se the image's one file."
  type        = string
}

variable "folder" {
  description = "Where seed and disks lie, from the root on. Make data.img and scratch.img there with truncate."
  type        = string
  default     = "/var/lib/libvirt/images"
}

variable "tee" {
  description = "none, se, snp, sev or tdx."
  type        = string
  default     = "none"
}

variable "firmware" {
  description = "The OVMF image for snp, sev or tdx."
  type        = string
  default     = null
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
