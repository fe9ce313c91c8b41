terraform {
  required_version = ">= 1.11"
  required_providers {
    hpcr = { source = "local/hpcr/hpcr" }
    ibm  = { source = "IBM-Cloud/ibm" }
  }
}
