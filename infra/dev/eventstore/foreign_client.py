"""A client of EventStoreDB that is not ours, for tests: does what each line of its input asks, with
Python's kurrentdbclient, and answers each with one line of JSON.

    python foreign_client.py esdb://127.0.0.1:2113?tls=false
"""

import base64
import json
import sys
import uuid
from typing import Any

from kurrentdbclient import KurrentDBClient, NewEvent, RecordedEvent, StreamState
from kurrentdbclient.exceptions import KurrentDBClientError


def expected(told: int | None) -> int | StreamState:
    """None is `no stream`."""
    return StreamState.NO_STREAM if told is None else told


def shown(event: RecordedEvent) -> dict[str, Any]:
    """An event with everything that the protocol says of it."""
    return {
        "id": str(event.id),
        "type": event.type,
        "stream": event.stream_name,
        "revision": event.stream_position,
        "commit": event.commit_position,
        "contentType": event.content_type,
        "data": base64.b64encode(event.data).decode(),
        "metadata": event.metadata.decode(),
    }


def do(client: KurrentDBClient, ask: dict[str, Any]) -> Any:
    """What one line asks for."""
    what = ask["do"]
    if what == "append":
        events = [
            NewEvent(
                id=uuid.UUID(event["id"]),
                type=event["type"],
                data=base64.b64decode(event["data"]),
                metadata=event["metadata"].encode(),
                content_type="application/octet-stream",
            )
            for event in ask["events"]
        ]
        # One event goes by the plain call, a list by the batched one.
        sent = events[0] if ask["plain"] else events
        return client.append_to_stream(
            ask["stream"], events=sent, current_version=expected(ask["expected"])
        )
    if what == "stream":
        return [
            shown(event)
            for event in client.get_stream(
                ask["stream"],
                stream_position=ask["from"],
                backwards=ask["backwards"],
                limit=ask["limit"],
            )
        ]
    if what == "all":
        return [
            shown(event)
            for event in client.read_all(
                commit_position=ask["commit"],
                backwards=ask["backwards"],
                limit=ask["limit"],
            )
        ]
    if what == "follow":
        found = []
        with client.subscribe_to_all(commit_position=ask["commit"]) as subscription:
            for event in subscription:
                found.append(shown(event))
                if len(found) == ask["count"]:
                    break
        return found
    if what == "delete":
        return client.delete_stream(ask["stream"], current_version=ask["expected"])
    if what == "tombstone":
        return client.tombstone_stream(ask["stream"], current_version=ask["expected"])
    raise ValueError(f"there is no {what}")


def main() -> None:
    """Until the input ends."""
    client = KurrentDBClient(uri=sys.argv[1])
    for line in sys.stdin:
        try:
            answer = {"answer": do(client, json.loads(line))}
        except KurrentDBClientError as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer), flush=True)
    client.close()


main()
