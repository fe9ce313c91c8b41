variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it."
  type        = string
}

variable "folder" {
  description = "Where seed and disks lie, from the root on. Make data.img and scratch.img there with truncate."
  type        = string
  default     = "/var/lib/libvirt/images"
}

variable "tee" {
  description = "none, snp, sev or tdx."
  type        = string
  default     = "none"
}

variable "firmware" {
  description = "The OVMF image for snp, sev or tdx."
  type        = string
  default     = null
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
