# A guest on this machine: the compose file in compose/ runs in it, and its page is at http://127.0.0.1:8080/.

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

module "contract" {
  source               = "../../modules/contract"
  cert                 = file("${var.image}/encryption.crt")
  compose              = "${path.module}/compose"
  environment          = var.environment
  registry_authorities = var.registry_authorities
  secrets              = var.secrets
}

resource "hpcr_cidata" "web" {
  user_data = module.contract.user_data
  meta_data = "local-hostname: web\n"
  path      = "${var.folder}/seed.iso"
}

resource "hpcr_guest" "web" {
  name        = "web"
  folder      = var.folder
  image       = var.image
  seed        = hpcr_cidata.web.path
  seed_sha256 = hpcr_cidata.web.sha256
  memory      = 512
  scratch     = 512
  volumes     = { data = 512 }
  accelerator = var.accelerator
  forward     = [{ host = var.port, guest = 8080 }]
}
