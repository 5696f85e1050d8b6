"""A minimal login program, comparable to the peers.

usage: short.py URL CA_FILE
"""

import sys

import cli_auth

url, ca_file = sys.argv[1:]
with open(ca_file, "rb") as file:
    ca_pem = file.read()
client = cli_auth.Client.with_endpoints(
    f"{url}/oauth2/device_authorization", f"{url}/oauth2/token", "bench", ca_pem=ca_pem
)
login = client.login()
print(login.start().text(), flush=True)
login.poll()
