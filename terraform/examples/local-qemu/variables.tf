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

variable "signing_key" {
  description = "The private key (PEM, RSA) that signs the contract."
  type        = string
  sensitive   = true
}

variable "workload_seed" {
  description = "The workload provider's part of the volume's passphrase."
  type        = string
  sensitive   = true
}

variable "env_seed" {
  description = "The deployer's part of the volume's passphrase."
  type        = string
  sensitive   = true
}

variable "collector" {
  description = "Where the guest's lines go: syslog over mutual TLS. Nothing runs without it."
  type = object({
    hostname = string
    port     = number
    server   = string
    cert     = string
    key      = string
  })
  sensitive = true
}

variable "auths" {
  description = "User and password by registry."
  type        = map(object({ username = string, password = string }))
  default     = {}
  sensitive   = true
}

variable "registry_authorities" {
  description = "Certificates (base64 of PEM) of authorities of registries beyond the public ones."
  type        = list(map(string))
  default     = []
}

variable "environment" {
  description = "Variables for the compose file."
  type        = map(string)
  default     = {}
  sensitive   = true
}
