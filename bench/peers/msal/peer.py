"""MSAL for Python, used as documented: the device flow of an OpenID provider.

usage: peer.py URL CA_FILE

MSAL accepts no endpoints, so it reads the provider's metadata before it requests a code. Its first
poll is immediate. The output is that of the floor, so that one benchmark can run both.
"""

import sys
import time

import msal

url, ca_file = sys.argv[1:]
app = msal.PublicClientApplication(
    "bench", oidc_authority=url, instance_discovery=False, verify=ca_file
)
flow = app.initiate_device_flow(scopes=["email"])
if "user_code" not in flow:
    sys.exit(f"no user code: {flow}")
print(flow["user_code"], flush=True)

before = time.process_time()
result = app.acquire_token_by_device_flow(flow)
if "access_token" not in result:
    sys.exit(f"no token: {result}")
print("token", flush=True)
print("cpu_us", round((time.process_time() - before) * 1e6), flush=True)
