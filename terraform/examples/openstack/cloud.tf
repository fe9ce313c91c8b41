# Needs OpenStack's provider and OS_* in the environment. Nothing here is tested without them; main.tf is.

resource "openstack_images_image_v2" "seed" {
  name             = "web-seed-${substr(hpcr_cidata.web.sha256, 0, 12)}"
  local_file_path  = hpcr_cidata.web.path
  container_format = "bare"
  disk_format      = "raw"
}

resource "openstack_blockstorage_volume_v3" "seed" {
  name     = "web-seed"
  size     = 1
  image_id = openstack_images_image_v2.seed.id
}

resource "openstack_blockstorage_volume_v3" "data" {
  name = "web-data"
  size = 10

  lifecycle {
    prevent_destroy = true
  }
}

resource "openstack_compute_instance_v2" "web" {
  name        = "web"
  image_id    = var.image_id
  flavor_name = var.flavor
  user_data   = module.contract.user_data

  network {
    name = var.network
  }
}

resource "openstack_compute_volume_attach_v2" "web" {
  for_each    = { seed = openstack_blockstorage_volume_v3.seed.id, data = openstack_blockstorage_volume_v3.data.id }
  instance_id = openstack_compute_instance_v2.web.id
  volume_id   = each.value
}
