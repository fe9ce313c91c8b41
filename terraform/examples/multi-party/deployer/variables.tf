variable "cert" {
  description = "The file with the encryption certificate of the image (PEM)."
  type        = string
}

variable "workload" {
  description = "The workload provider's file."
  type        = string
  default     = "workload.txt"
}

variable "auditor" {
  description = "The file with the auditor's public key (PEM)."
  type        = string
  default     = "auditor.pem"
}

variable "signing_key" {
  description = "The private key (PEM, RSA) that signs the contract. Kept in no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "seed" {
  description = "The deployer's part of the volume's passphrase. Kept in no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "collector" {
  description = "Where the guest's lines go. Kept in no state."
  type = object({
    hostname = string
    port     = number
    server   = string
    cert     = string
    key      = string
  })
  sensitive = true
  ephemeral = true
}

variable "environment" {
  description = "Variables for the compose file."
  type        = map(string)
  default     = {}
}
