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

variable "tee" {
  description = "none, se, snp, sev or tdx."
  type        = string
  default     = "none"
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
