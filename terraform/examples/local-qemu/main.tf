# A guest on this machine: the compose file in compose/ runs in it, and its page is at http://127.0.0.1:8080/.
#
# The sections are typed here, so that a plan judges every key at its place. Their secrets stand in the state, marked
# sensitive; env_wo and workload_wo keep them out of it (see multi-party).

terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
  }
}

resource "hpcr_contract" "web" {
  cert        = file("${var.image}/encryption.crt")
  signing_key = var.signing_key

  workload = {
    compose = { archive = provider::hpcr::tgz("${path.module}/compose") }
    auths   = var.auths
    volumes = { data = { seed = var.workload_seed, mount = "/mnt/data", filesystem = "ext4" } }
  }

  env = {
    logging = { syslog = var.collector }
    volumes = { data = { seed = var.env_seed } }
    cacerts = var.registry_authorities
    env     = var.environment
  }
}

resource "hpcr_cidata" "web" {
  user_data = hpcr_contract.web.rendered
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
