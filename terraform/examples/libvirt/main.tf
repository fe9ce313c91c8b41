# A libvirt domain, with or without confidential hardware:
#
#   terraform apply
#   terraform output -raw domain > web.xml && virsh define web.xml && virsh start web

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

module "contract" {
  source      = "../../modules/contract"
  cert        = file(var.cert != null ? var.cert : "${var.image}/encryption.crt")
  compose     = var.compose
  environment = var.environment
  secrets     = var.secrets
}

resource "hpcr_cidata" "web" {
  user_data = module.contract.user_data
  meta_data = "local-hostname: web\n"
  path      = "${var.folder}/seed.iso"
}

output "domain" {
  description = "The domain in XML."
  value = provider::hpcr::libvirt_domain({
    name     = "web"
    image    = var.image
    tee      = var.tee
    firmware = var.firmware
    memory   = 2048
    cpus     = 2
    seed     = hpcr_cidata.web.path
    volumes  = { data = "${var.folder}/data.img" }
    scratch  = "${var.folder}/scratch.img"
    network  = "default"
  })
}
