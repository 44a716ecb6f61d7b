# Puts the agent into a cloud image of Debian or Ubuntu: packer build -var image=IN.qcow2 -var package=FILE.deb .
# The guest gets its user from a seed disk and is left without it; it needs no network beyond Packer's own.

variable "image" {
  type = string
}

variable "package" {
  type = string
}

variable "accelerator" {
  type    = string
  default = "kvm"
}

variable "output" {
  type    = string
  default = "with-agent"
}

# The pair of keys for this build: ssh-keygen -t ed25519 -N '' -f build-key
variable "key" {
  type    = string
  default = "build-key"
}

# More for QEMU, as [["-cpu", "max"]].
variable "qemuargs" {
  type    = list(list(string))
  default = []
}

# The folder of user-data and meta-data.
variable "seed" {
  type    = string
  default = "seed"
}

source "qemu" "image" {
  iso_url          = var.image
  iso_checksum     = "none"
  disk_image       = true
  format           = "qcow2"
  accelerator      = var.accelerator
  headless         = true
  memory           = 1024
  output_directory = var.output
  qemuargs         = var.qemuargs

  cd_files = ["${var.seed}/user-data", "${var.seed}/meta-data"]
  cd_label = "cidata"

  ssh_username         = "packer"
  ssh_private_key_file = var.key
  ssh_timeout          = "15m"
  shutdown_command     = "sudo poweroff"
}

build {
  sources = ["source.qemu.image"]

  provisioner "file" {
    source      = var.package
    destination = "/tmp/agent.deb"
  }

  provisioner "shell" {
    inline = [
      "sudo dpkg --install /tmp/agent.deb",
      "limiquantix-agent --check-config",
      "rm /tmp/agent.deb",
      # Each guest of this image boots for the first time.
      "sudo cloud-init clean --logs --seed --machine-id || sudo cloud-init clean --logs --seed",
      "sudo truncate --size 0 /etc/machine-id",
      "sudo rm -f /etc/ssh/ssh_host_* /etc/sudoers.d/90-cloud-init-users",
    ]
  }
}
