variable "size" {
  description = "How many guests."
  type        = number
  default     = 3
}

variable "container" {
  description = "The boot container, by digest."
  type        = string
}

variable "previous_container" {
  description = "The boot container of the guests that are not upgraded yet."
  type        = string
  default     = null
}

variable "upgraded" {
  description = "How many guests have the new boot container."
  type        = number
  default     = 1000
}

variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it."
  type        = string
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

variable "root" {
  description = "The secret that every volume's seeds are derived from (openssl rand -hex 32). Kept in no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "secrets" {
  description = "Signing key, collector and registry passwords; see modules/contract. Kept in no state."
  type        = any
  sensitive   = true
  ephemeral   = true
}
