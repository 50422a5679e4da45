"""A server of S3 for tests: moto, which checks signatures, with one user and one bucket.

Prints one line of JSON with the port and two keys when it can be asked: one that may do everything and one that may do nothing. It ends
with its standard input, so that it never outlives whoever started it. A line `damage KEY` there changes one byte of an object and leaves
its metadata as they are; `lose KEY` takes it away; both are answered by a line `done`.
"""

import json
import os
import sys

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.iam.models import iam_backends  # noqa: E402
from moto.moto_server.threaded_moto_server import ThreadedMotoServer  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402

ACCOUNT = "123456789012"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}

iam = iam_backends[ACCOUNT]["aws"]
iam.create_user("us-east-1", "tester")
iam.put_user_policy("tester", "everything", json.dumps(EVERYTHING))
key = iam.create_access_key("tester")
iam.create_user("us-east-1", "nobody")
denied = iam.create_access_key("nobody")
s3_backends[ACCOUNT]["aws"].create_bucket("lake", "us-east-1")

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
ready = {"port": port, "keys": [[k.access_key_id, k.secret_access_key] for k in (key, denied)]}
print(json.dumps(ready), flush=True)
bucket = s3_backends[ACCOUNT]["aws"].get_bucket("lake")
for line in sys.stdin:
    command, name = line.rstrip("\n").split(" ", 1)
    if command == "damage":
        damaged = bucket.keys[name]
        bytes_now = bytearray(damaged.value)
        bytes_now[len(bytes_now) // 2] ^= 1
        damaged.value = bytes(bytes_now)
    elif command == "lose":
        s3_backends[ACCOUNT]["aws"].delete_object("lake", name)
    print("done", flush=True)
