"""Import a module and print the duration and the number of modules it imported, as JSON.

usage: imports.py MODULE
"""

# Nothing else is imported before, because it would not be counted.
import sys
import time

before = len(sys.modules)
began = time.perf_counter()
__import__(sys.argv[1])
took = time.perf_counter() - began
print(f'{{"milliseconds": {took * 1e3}, "modules": {len(sys.modules) - before}}}')
