variable "cert" {
  description = "The file with the encryption certificate of the image (PEM)."
  type        = string
}

variable "region" {
  type    = string
  default = "eu-de"
}

variable "profile" {
  description = "An instance profile with Secure Execution."
  type        = string
  default     = "bz2e-2x8"
}

variable "image_id" {
  description = "The image, as it is called in your account."
  type        = string
  default     = null
}

variable "vpc_id" {
  type    = string
  default = null
}

variable "subnet_id" {
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
