variable "cert" {
  description = "The file with the encryption certificate of the image (PEM)."
  type        = string
}

variable "folder" {
  description = "Where the seed disk is made."
  type        = string
  default     = "seed"
}

variable "image_id" {
  description = "The image, as it is called in your project."
  type        = string
  default     = null
}

variable "flavor" {
  description = "A flavor with 4 GiB of memory or more."
  type        = string
  default     = null
}

variable "network" {
  type    = string
  default = null
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
