"""The floor in Python: only ctypes and the shared library of the floor.

usage: floor.py LIBRARY https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]
"""

import ctypes
import sys
import time

library, url, ca_file = sys.argv[1:4]
polls = int(sys.argv[4]) if len(sys.argv) > 4 else 0
pause = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
floor = ctypes.CDLL(library).floor_step
floor.restype = ctypes.c_char_p

code = floor(f"{url} {ca_file}".encode())
print(code.decode(), flush=True)

before = time.process_time()
done = 0
while done < polls:
    time.sleep(pause)
    done += 1
    if floor(b"") == b"token":
        print("token", flush=True)
        break
print("polls", done, "cpu_us", round((time.process_time() - before) * 1e6), flush=True)
