#!/usr/bin/env python3
"""Reports one execution to Runcast without any client library: one unary call for each step.

    pip install grpcio grpcio-reflection && python3 examples/report.py [HOST:PORT] [EXECUTION_ID]

The messages come from the server's own reflection, so nothing has to be generated first.
"""
import sys
import time
import uuid

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

target = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8080"
execution = sys.argv[2] if len(sys.argv) > 2 else f"python-{int(time.time())}"
channel = grpc.insecure_channel(target)
pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
Request, Response = (
    GetMessageClass(pool.FindMessageTypeByName(f"runcast.v1.PublishUpdate{kind}")) for kind in ("Request", "Response"))
call = channel.unary_unary("/runcast.v1.IngestService/PublishUpdate",
                           request_serializer=Request.SerializeToString, response_deserializer=Response.FromString)


def report(**update):
    batch = {"executionId": execution, "writer": {"kind": "WRITER_KIND_RUNNER"},
             "requestId": uuid.uuid4().hex, "updates": [update]}  # the same request id again changes nothing
    call(json_format.ParseDict({"batch": batch}, Request()), timeout=10, wait_for_ready=True)


def message(entry_id, role, text):
    report(entryUpserted={"entry": {"entryId": entry_id, "state": "ENTRY_STATE_COMPLETED",
                                    "message": {"role": role, "text": text}}})


report(declared={"spec": {"agent": "python-script", "input": "How many bytes are in naïve?"}})
report(phaseChanged={"phase": "PHASE_RUNNING"})
message("question", "ROLE_HUMAN", "How many bytes are in naïve?")
message("answer", "ROLE_AI", f"{len('naïve'.encode())} bytes of UTF-8.")
report(phaseChanged={"phase": "PHASE_COMPLETED"})
print(execution)
