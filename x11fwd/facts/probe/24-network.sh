# shellcheck shell=sh
# The loopback as sshd finds it when it opens the listener of a forwarded display; read by facts/network.py.

x_network() {
    :
}
