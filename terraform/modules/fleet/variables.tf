variable "name" {
  description = "The guests are name-0, name-1, ..."
  type        = string
}

variable "size" {
  description = "How many guests."
  type        = number

  validation {
    condition     = var.size >= 0 && var.size <= 1000 && floor(var.size) == var.size
    error_message = "Give a whole number from 0 to 1000."
  }
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
  description = "How many guests have the new boot container, from name-0 on."
  type        = number
  default     = 1000
}

variable "image" {
  description = "The image's folder, as `hpcr-image build` makes it. Leave it out with se: that image has its command line inside."
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

variable "previous_image" {
  description = "The image's folder of the guests that are not upgraded yet, where it is another one: their contracts stay sealed to its key."
  type        = string
  default     = null
}

variable "previous_cert" {
  description = "The file with the encryption certificate of that image; encryption.crt of its folder if not given."
  type        = string
  default     = null
}

variable "compose" {
  description = "The folder with docker-compose.yaml."
  type        = string
}

variable "environment" {
  description = "Variables for the compose file; GUEST is the guest's name."
  type        = map(string)
  default     = {}
}

variable "auditor" {
  description = "The auditor's public key (PEM): every attestation record is sealed to it."
  type        = string
  default     = null
}

variable "root" {
  description = "The secret that every volume's seeds are derived from, 32 characters at least. Kept in no state: lose it, and all data is lost."
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

variable "tee" {
  description = "none, se, snp, sev or tdx."
  type        = string
  default     = "none"
}

variable "memory" {
  description = "MiB of each guest."
  type        = number
  default     = 2048
}

variable "data" {
  description = "Size of each volume."
  type        = string
  default     = "10Gi"
}

variable "scratch" {
  description = "Size of each disk for container images."
  type        = string
  default     = "20Gi"
}

variable "ports" {
  description = "TCP ports that a Service of each guest leads to."
  type        = list(number)
  default     = []
}
