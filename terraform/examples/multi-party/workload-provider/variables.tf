variable "cert" {
  description = "The file with the encryption certificate of the image (PEM)."
  type        = string
}

variable "compose" {
  description = "The folder with docker-compose.yaml."
  type        = string
  default     = "../../local-qemu/compose"
}

variable "seed" {
  description = "The provider's part of the volume's passphrase. Kept in no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "auths" {
  description = "User and password by registry. Kept in no state."
  type        = map(object({ username = string, password = string }))
  default     = {}
  sensitive   = true
  ephemeral   = true
}
