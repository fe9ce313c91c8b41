# Needs IBM's provider and an API key in IC_API_KEY. Nothing here is tested without them; main.tf is.

provider "ibm" {
  region = var.region
}

resource "ibm_is_instance" "web" {
  name      = "web"
  image     = var.image_id
  profile   = var.profile
  vpc       = var.vpc_id
  zone      = "${var.region}-1"
  keys      = []
  user_data = module.contract.user_data

  primary_network_interface {
    subnet = var.subnet_id
  }
}

# Seen by the guest as a disk; the appliance takes the one spare disk for the one volume of the contract.
resource "ibm_is_instance_volume_attachment" "data" {
  instance                           = ibm_is_instance.web.id
  name                               = "data"
  profile                            = "general-purpose"
  capacity                           = 10
  delete_volume_on_attachment_delete = false
  delete_volume_on_instance_delete   = false
}
