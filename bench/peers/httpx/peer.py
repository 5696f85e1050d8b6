"""RFC 8628 implemented with one `httpx.Client`, as in tools that use no OAuth library.

usage: peer.py URL CA_FILE

The output is that of the floor, so that one benchmark can run both.
"""

import ssl
import sys
import time

import httpx

url, ca_file = sys.argv[1:]
with httpx.Client(verify=ssl.create_default_context(cafile=ca_file)) as client:
    answer = client.post(f"{url}/oauth2/device_authorization", data={"client_id": "bench"})
    answer.raise_for_status()
    flow = answer.json()
    print(flow["user_code"], flush=True)

    before = time.process_time()
    interval = flow.get("interval", 5)
    while True:
        time.sleep(interval)
        answer = client.post(
            f"{url}/oauth2/token",
            data={
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": flow["device_code"],
                "client_id": "bench",
            },
        )
        result = answer.json()
        if answer.is_success:
            break
        if result["error"] == "slow_down":
            interval += 5
        elif result["error"] != "authorization_pending":
            sys.exit(f"no token: {result}")
    print("token", flush=True)
    print("cpu_us", round((time.process_time() - before) * 1e6), flush=True)
