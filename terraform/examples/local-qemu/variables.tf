variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it."
  type        = string
}

variable "folder" {
  description = "Where seed, disks and console of the guest lie."
  type        = string
  default     = "guest"
}

variable "port" {
  description = "The port of 127.0.0.1 that leads to the page."
  type        = number
  default     = 8080
}

variable "accelerator" {
  description = "kvm or tcg; found out if not given."
  type        = string
  default     = null
}

variable "registry_authorities" {
  description = "Certificates (base64 of PEM) of authorities of registries beyond the public ones."
  type        = list(map(string))
  default     = []
}

variable "environment" {
  description = "Variables for the compose file. They stand in the plan: nothing secret belongs here."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Signing key, seeds, collector and registry passwords; see modules/contract. Kept in no state."
  type        = any
  sensitive   = true
  ephemeral   = true
}
