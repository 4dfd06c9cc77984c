# shellcheck shell=sh
# The user's start files, and programs of earlier logins that still run; read by facts/account.py.

x_account_files() {
    :
}
