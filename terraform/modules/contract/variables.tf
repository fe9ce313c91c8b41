variable "cert" {
  description = "The encryption certificate of the image (PEM)."
  type        = string
}

variable "compose" {
  description = "The folder with docker-compose.yaml."
  type        = string
}

variable "environment" {
  description = "Variables for the compose file. They stand in the plan: nothing secret belongs here."
  type        = map(string)
  default     = {}
}

variable "registry_authorities" {
  description = "Certificates (base64 of PEM) of authorities of registries beyond the public ones."
  type        = list(map(string))
  default     = []
}

variable "auditor" {
  description = "The auditor's public key (PEM): the attestation record is sealed to it."
  type        = string
  default     = null
}

variable "secrets" {
  description = "What only the guest may learn. Kept in no state."
  type = object({
    signing_key   = string
    workload_seed = string
    env_seed      = string
    collector = object({
      hostname = string
      port     = number
      server   = string
      cert     = string
      key      = string
    })
    auths = optional(map(object({ username = string, password = string })), {})
  })
  sensitive = true
  ephemeral = true
}
